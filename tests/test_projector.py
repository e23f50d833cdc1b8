"""Projections over a real store and a real stream: each event once, in order, whatever becomes of the stream."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from tests import servers
from tests.bus.builders import append, bus_of, cut_connections, eventually, settings
from tests.conftest import Database
from tests.servers import NatsServer
from tests.store.builders import NOON, event, wish

from ledger import codec
from ledger.bus import Bus
from ledger.bus.stream import NAME
from ledger.codec import Fact, Seen
from ledger.projector import Projector, rebuild, table_hashes
from ledger.relay import Relay
from ledger.store import Store

TABLES = """
CREATE TABLE issuance.positions (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE issuance.streams (stream text PRIMARY KEY);
CREATE TABLE issuance.seen (
  number bigint GENERATED ALWAYS AS IDENTITY, position bigint PRIMARY KEY,
  stream text NOT NULL REFERENCES issuance.streams,
  topic text NOT NULL, version bigint NOT NULL, at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,
  tenant text NOT NULL, leaf bytea NOT NULL, subject text);
"""
INSERT = "INSERT INTO issuance.seen (position, stream, topic, version, at, recorded_at, tenant, leaf, subject)"
WAIT_SECONDS = 15.0


class Poisoned(Exception):
    """What the projection of these tests raises at an event that it cannot apply."""


class SeenEvents:
    """Writes down what it sees; `poison` is a position that it cannot apply."""

    name = "seen"
    schema = "issuance"

    def __init__(self, *, private: bool = False, poison: int = 0) -> None:
        self.private, self.poison = private, poison

    async def apply(self, connection: Any, seen: Seen) -> None:
        if seen.position == self.poison:
            raise Poisoned
        await connection.execute("INSERT INTO issuance.streams VALUES ($1) ON CONFLICT DO NOTHING", seen.stream)
        row = (seen.position, seen.stream, seen.topic, seen.version, seen.at, seen.recorded_at, seen.tenant, seen.leaf)
        await connection.execute(f"{INSERT} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", *row, seen.subject)


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    with servers.nats() as server:
        yield server


@pytest.fixture
async def bus(nats: NatsServer) -> AsyncIterator[Bus]:
    async with bus_of(nats) as bus:
        yield bus


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    store = await Store.open(database.issuance)
    await store.pool.execute(TABLES)
    yield store
    await store.close()


@asynccontextmanager
async def running(*workers: Projector | Relay) -> AsyncIterator[None]:
    """Projectors and relays at work for a while."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def rows(store: Store) -> list[int]:
    """The positions that were applied, in the order in which they were."""
    return [row["position"] for row in await store.pool.fetch("SELECT position FROM issuance.seen ORDER BY number")]


async def expect_whole(store: Store, projector: Projector, count: int) -> None:
    assert await projector.wait_for(count, WAIT_SECONDS)
    assert await rows(store) == list(range(1, count + 1))


async def test_a_projection_follows_the_stream(store: Store, bus: Bus, nats: NatsServer) -> None:
    projector = Projector(SeenEvents(), store, bus)
    async with running(projector, Relay(store, bus, settings(nats))):
        await append(store, 1, 50)
        await expect_whole(store, projector, 50)
        await append(store, 51, 300)
        await expect_whole(store, projector, 300)


async def test_a_projection_without_a_bus_follows_the_store(store: Store) -> None:
    projector = Projector(SeenEvents(), store)
    async with running(projector):
        await append(store, 1, 50)
        await expect_whole(store, projector, 50)


async def test_a_stream_that_nobody_fills_holds_nothing_up(store: Store, bus: Bus) -> None:
    projector = Projector(SeenEvents(), store, bus)
    async with running(projector):
        await append(store, 1, 50)
        await expect_whole(store, projector, 50)


async def test_a_kill_of_nats_holds_nothing_up_and_nothing_is_applied_twice(
    store: Store, bus: Bus, nats: NatsServer
) -> None:
    projector = Projector(SeenEvents(), store, bus)
    async with running(projector, Relay(store, bus, settings(nats))):
        await append(store, 1, 50)
        await expect_whole(store, projector, 50)
        nats.kill()
        await append(store, 51, 100)
        assert await projector.wait_for(100, 2)
        nats.start()
        await append(store, 101, 150)
        await expect_whole(store, projector, 150)
        await eventually(lambda: bus.connected, "connected again")
        await append(store, 151, 200)
        await expect_whole(store, projector, 200)


async def test_a_wiped_stream_holds_nothing_up(store: Store, bus: Bus, nats: NatsServer) -> None:
    projector, relay = Projector(SeenEvents(), store, bus), Relay(store, bus, settings(nats))
    async with running(projector, relay):
        await append(store, 1, 50)
        await expect_whole(store, projector, 50)
        await bus.api(f"STREAM.DELETE.{NAME}")
        await append(store, 51, 100)
        await expect_whole(store, projector, 100)
        nats.kill()
        shutil.rmtree(nats.store)
        nats.start()
        await append(store, 101, 150)
        await expect_whole(store, projector, 150)


async def test_the_same_projection_in_two_processes_applies_each_event_once(
    store: Store, bus: Bus, nats: NatsServer
) -> None:
    one, two = Projector(SeenEvents(), store, bus), Projector(SeenEvents(), store)
    async with running(one, two, Relay(store, bus, settings(nats))):
        for first in range(1, 300, 10):
            await append(store, first, first + 9)
        await expect_whole(store, one, 300)
        await expect_whole(store, two, 300)


async def test_redelivered_events_are_left_out(store: Store) -> None:
    projector = Projector(SeenEvents(), store)
    async with running(projector):
        await append(store, 1, 10)
        await expect_whole(store, projector, 10)
        again = [codec.seen(row, private=False) for row in await store.read(3)]

        await projector.apply(again)

    await expect_whole(store, projector, 10)


async def test_a_hole_is_an_error_and_leaves_no_trace(store: Store) -> None:
    await append(store, 1, 10)
    projector = Projector(SeenEvents(), store)
    await store.pool.execute("INSERT INTO issuance.positions VALUES ('seen', 0)")
    holed = [codec.seen(row, private=False) for row in await store.read(0) if row.position != 5]

    with pytest.raises(RuntimeError, match="position 6 after 4"):
        await projector.apply(holed)

    assert await rows(store) == []
    assert await store.pool.fetchval("SELECT position FROM issuance.positions") == 0


@pytest.mark.parametrize("over_the_stream", [True, False])
async def test_an_event_that_cannot_be_applied_stops_the_projection_right_there(
    store: Store, bus: Bus, nats: NatsServer, over_the_stream: bool
) -> None:
    await append(store, 1, 10)
    projection = SeenEvents(poison=7)
    projector, relay = Projector(projection, store, bus if over_the_stream else None), Relay(store, bus, settings(nats))
    async with running(projector, relay):
        assert await projector.wait_for(6, WAIT_SECONDS)
        assert not await projector.wait_for(7, 0.5)
        assert await rows(store) == list(range(1, 7))

        projection.poison = 0

        await expect_whole(store, projector, 10)


async def test_only_a_private_projection_learns_whom_an_event_is_about(
    store: Store, bus: Bus, nats: NatsServer
) -> None:
    about = [Fact(event=event("a"), at=NOON, subject="lrn_a")]
    for private, subject in ((False, None), (True, "lrn_a")):
        await store.decide(f"access/{private}", lambda _: about, wish=wish(f"about {private}"))
        await store.pool.execute("TRUNCATE issuance.positions, issuance.seen, issuance.streams")
        projector = Projector(SeenEvents(private=private), store, bus)
        head = await store.head()
        async with running(projector, Relay(store, bus, settings(nats))):
            assert await projector.wait_for(head, WAIT_SECONDS)
        assert await store.pool.fetchval("SELECT subject FROM issuance.seen WHERE position = $1", head) == subject


async def test_waiting_ends_at_its_timeout(store: Store) -> None:
    projector = Projector(SeenEvents(), store)
    async with running(projector):
        assert await projector.wait_for(0, WAIT_SECONDS)
        assert not await projector.wait_for(1, 0.1)


async def test_tables_filled_over_the_stream_hash_like_tables_rebuilt_from_the_store(
    store: Store, bus: Bus, nats: NatsServer
) -> None:
    projector = Projector(SeenEvents(), store, bus)
    async with running(projector, Relay(store, bus, settings(nats))):
        for first in range(1, 200, 20):
            await append(store, first, first + 19)
        await expect_whole(store, projector, 200)
    async with store.pool.acquire() as connection:
        live = await table_hashes(connection, "issuance")

    assert await rebuild([SeenEvents()], store) == live
    assert set(live) == {"positions", "seen", "streams"}


async def test_a_changed_row_changes_the_hash_of_its_table_alone(store: Store) -> None:
    await append(store, 1, 10)
    live = await rebuild([SeenEvents()], store)

    await store.pool.execute("UPDATE issuance.seen SET tenant = 'another' WHERE position = 5")

    async with store.pool.acquire() as connection:
        changed = await table_hashes(connection, "issuance")
    assert {table for table in live if live[table] != changed[table]} == {"seen"}


async def test_a_rebuild_beside_a_running_projection_ends_whole(store: Store, bus: Bus, nats: NatsServer) -> None:
    projector = Projector(SeenEvents(), store, bus)
    async with running(projector, Relay(store, bus, settings(nats))):
        await append(store, 1, 200)
        await expect_whole(store, projector, 200)
        await asyncio.gather(rebuild([SeenEvents()], store), append(store, 201, 300))
        await expect_whole(store, projector, 300)


async def test_a_projection_outlives_its_database_connections(store: Store, database: Database) -> None:
    projector = Projector(SeenEvents(), store)
    async with running(projector):
        await append(store, 1, 10)
        await expect_whole(store, projector, 10)
        await cut_connections(database)
        other = await Store.open(database.issuance)
        await append(other, 11, 20)
        await other.close()
        await expect_whole(store, projector, 20)
