"""A projection's tables follow their definition: kept while it is the same, filled anew when it changed."""

import asyncio

from tests.conftest import Database

from ledger.store import Store
from ledger.tables import lay_out, tables_of

FIRST = "CREATE TABLE registry.notes (text text PRIMARY KEY);"
SECOND = "CREATE TABLE registry.notes (text text PRIMARY KEY, number int);"


async def notes(store: Store) -> list[str]:
    return [row["text"] for row in await store.pool.fetch("SELECT text FROM registry.notes")]


async def test_tables_of_the_same_definition_are_kept(database: Database) -> None:
    store = await Store.open(database.registry)
    await lay_out(store.pool, "registry", FIRST)
    await store.pool.execute("INSERT INTO registry.notes VALUES ('kept')")

    again = await lay_out(store.pool, "registry", FIRST)

    assert not again
    assert await notes(store) == ["kept"]
    await store.close()


async def test_tables_of_another_release_are_dropped_and_begin_empty(database: Database) -> None:
    store = await Store.open(database.registry)
    await lay_out(store.pool, "registry", FIRST)
    await store.pool.execute("INSERT INTO registry.notes VALUES ('old')")

    assert await lay_out(store.pool, "registry", SECOND)

    assert await notes(store) == []
    await store.pool.execute("INSERT INTO registry.notes VALUES ('new', 1)")
    await store.close()


async def test_tables_that_nobody_remembers_the_definition_of_are_of_another_release(database: Database) -> None:
    store = await Store.open(database.registry)
    await store.pool.execute("CREATE TABLE registry.forgotten (text text)")

    assert await lay_out(store.pool, "registry", FIRST)

    assert "forgotten" not in await tables_of(store.pool, "registry")
    await store.close()


async def test_processes_that_start_together_lay_out_once(database: Database) -> None:
    store = await Store.open(database.registry)
    await lay_out(store.pool, "registry", FIRST)

    dropped = await asyncio.gather(*(lay_out(store.pool, "registry", SECOND) for _ in range(4)))

    assert sorted(dropped) == [False, False, False, True]
    await store.close()
