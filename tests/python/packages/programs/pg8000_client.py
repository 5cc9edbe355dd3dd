# pg8000, which has no coroutines: its calls block, alone and in asyncio.to_thread.
import asyncio
import datetime
import sys

import pg8000.dbapi
import pg8000.native


def connect(password="secret"):
    return pg8000.native.Connection("app", host="127.0.0.1", port=int(sys.argv[1]), database="postgres", password=password)


def fill():
    with connect() as connection:
        connection.run("DROP TABLE IF EXISTS things")
        connection.run("CREATE TABLE things (id INT PRIMARY KEY, name TEXT, made DATE, data BYTEA)")
        connection.run("START TRANSACTION")
        for number in range(20):
            made = datetime.date(2026, 1, 1 + number)
            connection.run(
                "INSERT INTO things (id, name, made) VALUES (:id, :name, :made)", id=number, name=f"é {number}", made=made
            )
        connection.run("COMMIT")
        connection.run("UPDATE things SET data = :data WHERE id = 1", data=bytes(range(256)) * 4000)
        return connection.run("SELECT COUNT(*), SUM(id), MAX(LENGTH(data)) FROM things")


async def main():
    print(await asyncio.to_thread(fill))
    with connect() as connection:
        print(connection.run("SELECT id, name, made FROM things WHERE id > :id ORDER BY id", id=17))
        print(connection.run("SELECT data FROM things WHERE id = 1")[0][0] == bytes(range(256)) * 4000)
        print(sum(row[0] for row in connection.run("SELECT n FROM generate_series(1, 5000) AS s(n)")))
        try:
            connection.run("SELECT nothing FROM nowhere")
        except pg8000.native.DatabaseError as reason:
            print(type(reason).__name__, reason.args[0]["C"], reason.args[0]["M"])
    classic = pg8000.dbapi.connect("app", host="127.0.0.1", port=int(sys.argv[1]), database="postgres", password="secret")
    cursor = classic.cursor()
    cursor.execute("SELECT name FROM things WHERE id < %s ORDER BY id", (3,))
    print(cursor.fetchall())
    classic.close()
    try:
        connect("wrong")
    except pg8000.native.DatabaseError as reason:
        print(type(reason).__name__, reason.args[0]["C"])


asyncio.run(main())
