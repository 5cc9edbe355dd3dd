# aiomysql: a pool, prepared arguments, many rows, transactions, an error of the server.
import asyncio
import sys

import aiomysql
import pymysql


async def add(pool, number):
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute("INSERT INTO things (id, name) VALUES (%s, %s)", (number, f"thing {number} é"))
        await connection.commit()


async def main():
    where = {"host": "127.0.0.1", "port": int(sys.argv[1]), "user": "app", "password": "secret", "db": "shop"}
    async with aiomysql.create_pool(**where, minsize=1, maxsize=4, charset="utf8mb4") as pool:
        async with pool.acquire() as connection, connection.cursor(aiomysql.DictCursor) as cursor:
            await cursor.execute("DROP TABLE IF EXISTS things")
            await cursor.execute("CREATE TABLE things (id INT PRIMARY KEY, name TEXT, data LONGTEXT)")
            await asyncio.gather(*(add(pool, number) for number in range(20)))
            await connection.commit()
            await cursor.execute("SELECT COUNT(*) AS n, SUM(id) AS total FROM things")
            print(await cursor.fetchone())
            await cursor.executemany("INSERT INTO things (id, name) VALUES (%s, %s)", [(n, "many") for n in range(100, 400)])
            await cursor.execute("SELECT id, name FROM things WHERE id IN (3, 399) ORDER BY id")
            print(await cursor.fetchall())
            await connection.rollback()
            await cursor.execute("UPDATE things SET data = %s WHERE id = 1", ("é%_" * 300_000,))
            await cursor.execute("SELECT COUNT(*) AS n, MAX(LENGTH(data)) AS size FROM things")
            print(await cursor.fetchone())
            await cursor.execute("SELECT data FROM things WHERE id = 1")
            print((await cursor.fetchone())["data"] == "é%_" * 300_000)
            try:
                await cursor.execute("SELECT nothing FROM nowhere")
            except pymysql.err.ProgrammingError as reason:
                print(type(reason).__name__, reason)
            await connection.commit()
        async with pool.acquire() as connection, connection.cursor(aiomysql.SSCursor) as cursor:
            await cursor.execute("SELECT id FROM things ORDER BY id")
            print([row[0] async for row in cursor])
    try:
        await aiomysql.connect(**where | {"password": "wrong"})
    except pymysql.err.OperationalError as reason:
        print(type(reason).__name__, reason.args[0])


asyncio.run(main())
