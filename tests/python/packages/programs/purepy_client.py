# pg-purepy: a pool, prepared arguments, many rows, transactions, an error of the server.
import asyncio
import sys

import pg_purepy


async def main():
    address = {"port": int(sys.argv[1]), "password": "secret", "database": "postgres"}
    async with pg_purepy.open_database_connection("127.0.0.1", "app", **address) as connection:
        await connection.execute("DROP TABLE IF EXISTS things")
        await connection.execute("CREATE TABLE things (id INT PRIMARY KEY, name TEXT, data BYTEA)")
        async with connection.with_transaction():
            for number in range(20):
                await connection.execute(
                    "INSERT INTO things (id, name) VALUES (:id, :name)", id=number, name=f"thing {number} é"
                )
        print((await connection.fetch_one("SELECT COUNT(*), SUM(id) FROM things")).data)
        for row in await connection.fetch("SELECT id, name FROM things WHERE id > $1 ORDER BY id", 17):
            print(row.data)
        try:
            async with connection.with_transaction():
                await connection.execute("DELETE FROM things")
                raise LookupError("not this one")
        except LookupError as reason:
            print(reason)
        await connection.execute("UPDATE things SET data = $1 WHERE id = 1", bytes(range(256)) * 4000)
        row = await connection.fetch_one("SELECT COUNT(*), MAX(LENGTH(data)) FROM things")
        print(row.data)
        row = await connection.fetch_one("SELECT data FROM things WHERE id = 1")
        print(row.data[0] == bytes(range(256)) * 4000)
        async with connection.query("SELECT n FROM generate_series(1, 5000) AS s(n)") as rows:
            print(sum([row.data[0] async for row in rows]))
        try:
            await connection.fetch("SELECT nothing FROM nowhere")
        except pg_purepy.PostgresqlError as reason:
            print(isinstance(reason, pg_purepy.RecoverableDatabaseError), str(reason))
    async with pg_purepy.open_pool("127.0.0.1", "app", connection_count=2, **address) as pool:

        async def ask(number):
            return (await pool.fetch_one("SELECT $1::int * 2", number)).data[0]

        print(await asyncio.gather(*(ask(number) for number in range(10))))
    try:
        async with pg_purepy.open_database_connection("127.0.0.1", "app", **address | {"password": "wrong"}):
            pass
    except pg_purepy.PostgresqlError as reason:
        print(type(reason).__name__, reason)


asyncio.run(main())
