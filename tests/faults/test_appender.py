"""kill -9 of PostgreSQL and cut connections while many callers append: nothing acknowledged is lost or doubled."""

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests import servers
from tests.conftest import Database, _make_template, new_database
from tests.faults.invariants import broken_invariants
from tests.store.builders import fact, wish

from ledger import errors
from ledger.store import Store

CALLERS = 40
COMMANDS = 1500


@pytest.fixture
async def own_server() -> AsyncIterator[tuple[servers.PostgresServer, Database]]:
    """A server of this test alone, since it will be killed."""
    with servers.postgres() as server:
        await _make_template(server)
        database = await asyncio.to_thread(new_database, server)
        yield server, database


async def append_all(stores: list[Store], acknowledged: dict[str, int], progress: asyncio.Event) -> None:
    """Every command until it is acknowledged, each by some caller; Unavailable means: send it again."""
    numbers = iter(range(COMMANDS))

    async def caller(store: Store) -> None:
        for number in numbers:
            stream = f"access/k{number}"
            while stream not in acknowledged:
                try:
                    decision = await store.decide(stream, lambda _: [fact()], wish=wish(str(number)), new=True)
                    acknowledged[stream] = decision.events[0].position
                except (errors.Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await asyncio.sleep(0.02)
            if number % 50 == 0:
                progress.set()

    await asyncio.gather(*(caller(stores[i % len(stores)]) for i in range(CALLERS)))


async def test_killing_postgresql_under_load_loses_and_doubles_nothing(
    own_server: tuple[servers.PostgresServer, Database],
) -> None:
    server, database = own_server
    stores = [await Store.open(database.issuance) for _ in range(2)]
    acknowledged: dict[str, int] = {}
    progress = asyncio.Event()
    work = asyncio.create_task(append_all(stores, acknowledged, progress))
    for _ in range(3):
        await asyncio.wait_for(progress.wait(), 30)
        progress.clear()
        server.kill()
        await asyncio.to_thread(server.start)
    await asyncio.wait_for(work, 60)

    assert len(acknowledged) == COMMANDS
    assert await broken_invariants(database.url, acknowledged) == []
    for store in stores:
        await store.close()


async def test_cut_connections_lose_and_double_nothing(database: Database) -> None:
    stores = [await Store.open(database.issuance) for _ in range(2)]
    acknowledged: dict[str, int] = {}
    work = asyncio.create_task(append_all(stores, acknowledged, asyncio.Event()))
    owner = await asyncpg.connect(database.url)
    cuts, dice = 0, random.Random(7)  # noqa: S311 - a repeatable rhythm
    while not work.done():
        cut = await owner.fetchval(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'appender' AND datname = current_database()) AS cut"
        )
        cuts += cut
        await asyncio.wait([work], timeout=dice.uniform(0.03, 0.1))
    await work
    await owner.close()

    assert cuts > 2
    assert await broken_invariants(database.url, acknowledged) == []
    for store in stores:
        await store.close()


async def test_a_fenced_process_stops_appending(database: Database) -> None:
    store = await Store.open(database.issuance)
    await store.decide("access/k", lambda _: [fact()], wish=wish("one"))
    owner = await asyncpg.connect(database.url)
    await owner.execute("UPDATE ledger.logs SET epoch = epoch + 1")
    await owner.close()

    for number in range(2):
        with pytest.raises(Exception, match="fenced"):
            await store.decide("access/k", lambda _: [fact()], wish=wish(f"again {number}"))
    assert await store.head() == 1
    await store.close()


async def test_a_poisoned_command_fails_alone(database: Database) -> None:
    """One command with a NUL in its text aborts the batch; its neighbours are appended all the same."""
    store = await Store.open(database.issuance)

    async def one(number: int) -> str:
        stream = f"access/k{number}" if number != 13 else "access/\0"
        try:
            await store.decide(stream, lambda _: [fact()], wish=wish(str(number)), new=True)
        except asyncpg.PostgresError as error:
            return type(error).__name__
        return "appended"

    outcomes = await asyncio.gather(*(one(number) for number in range(60)))

    assert outcomes.count("appended") == 59
    assert outcomes[13] != "appended"
    await store.close()
