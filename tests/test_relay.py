"""The relay against a real NATS server and a real store: sequence n is position n, whatever happens to either."""

import asyncio
import json
import shutil
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from tests import servers
from tests.bus.builders import append, bus_of, cut_connections, eventually, settings, stored_leaves, stream_leaves
from tests.conftest import Database
from tests.servers import NatsServer, PostgresServer

from ledger.bus import Bus, pull
from ledger.bus.stream import CONFIG, NAME, Message, Rejected, create, last_sequence, publish_singles
from ledger.relay import Relay
from ledger.store import Store

FULL = "10077"
CUT_BYTES = 20_000


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    with servers.nats() as server:
        yield server


@pytest.fixture
async def bus(nats: NatsServer) -> AsyncIterator[Bus]:
    async with bus_of(nats) as bus:
        yield bus


@pytest.fixture
async def store(database: Database, bus: Bus) -> AsyncIterator[Store]:
    store = await Store.open(database.issuance, hint=bus.hint)
    yield store
    await store.close()


@asynccontextmanager
async def relaying(store: Store, bus: Bus, nats: NatsServer) -> AsyncIterator[Relay]:
    """A relay at work for a while."""
    relay = Relay(store, bus, settings(nats))
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def caught_up(relay: Relay, position: int) -> None:
    await eventually(lambda: relay.published >= position or relay.halted is not None, f"published {position}")
    assert relay.halted is None
    assert relay.lag == 0


async def test_every_event_gets_the_sequence_of_its_position(store: Store, bus: Bus, nats: NatsServer) -> None:
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 100)
        await caught_up(relay, 100)

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_a_message_is_addressed_by_tenant_topic_and_version(store: Store, bus: Bus, nats: NatsServer) -> None:
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 1)
        await caught_up(relay, 1)

    messages = []
    async for messages in pull(bus, NAME, 0):
        if messages:
            break
    assert [m.subject for m in messages] == ["ledger.inst_aaaaaaaaaaaaaaaaaaaaaaaaaa.access.key_created.v1"]
    assert messages[0].headers["ce-source"] == "http://localhost:8000/log"


async def test_a_backlog_goes_out_when_the_bus_comes_back(store: Store, bus: Bus, nats: NatsServer) -> None:
    nats.kill()
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 2500)
        await eventually(lambda: relay.lag == 2500, "the lag is known while the bus is away")
        nats.start()
        await caught_up(relay, 2500)

    assert relay.resyncs["away"] > 0
    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_nothing_is_lost_doubled_or_reordered_by_kills_under_load(
    store: Store, bus: Bus, nats: NatsServer
) -> None:
    async with relaying(store, bus, nats) as relay:
        load = asyncio.create_task(_in_small_groups(store, 600))
        for position in (100, 250, 400):
            await eventually(lambda position=position: relay.published >= position, f"published {position}")
            nats.kill()
            nats.start()
        await load
        await caught_up(relay, 600)

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_two_relays_at_once_do_no_harm(store: Store, bus: Bus, nats: NatsServer) -> None:
    async with (
        bus_of(nats) as second_bus,
        relaying(store, bus, nats) as one,
        relaying(store, second_bus, nats) as two,
    ):
        await _in_small_groups(store, 600)
        await caught_up(one, 600)
        await caught_up(two, 600)

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_an_append_of_another_process_is_published_at_its_hint(
    database: Database, store: Store, bus: Bus, nats: NatsServer
) -> None:
    async with bus_of(nats) as other_bus, relaying(store, bus, nats) as relay:
        await append(store, 1, 1)
        await caught_up(relay, 1)
        other = await Store.open(database.issuance, hint=other_bus.hint)
        await append(other, 2, 2)
        await caught_up(relay, 2)
        await other.close()


async def test_a_wiped_server_is_filled_again(store: Store, bus: Bus, nats: NatsServer) -> None:
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 300)
        await caught_up(relay, 300)
        nats.kill()
        shutil.rmtree(nats.store)
        nats.start()
        await eventually(lambda: bus.connections == 2, "connected again")
        await append(store, 301, 310)
        await eventually(lambda: relay.published == 310, "published again")

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_a_deleted_stream_is_made_again_at_the_next_event(store: Store, bus: Bus, nats: NatsServer) -> None:
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 100)
        await caught_up(relay, 100)
        await bus.api(f"STREAM.DELETE.{NAME}")
        await append(store, 101, 101)
        await eventually(lambda: relay.published == 101, "published again")

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_a_tail_that_a_crash_took_is_published_again_without_a_new_event(
    store: Store, bus: Bus, nats: NatsServer
) -> None:
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 200)
        await caught_up(relay, 200)
        nats.kill()
        _cut_the_tail(nats)
        nats.start()
        assert _last_sequence(nats) < 200
        await eventually(lambda: _last_sequence(nats) == 200, "published again")

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_a_message_from_the_past_finds_no_place(store: Store, bus: Bus, nats: NatsServer) -> None:
    ghost = Message(3, "ledger.t.a.b.v1", {"ce-leaf": "AQ"}, b"{}")
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 5)
        await caught_up(relay, 5)

        with pytest.raises(Rejected):
            await publish_singles(bus, [ghost])

        await append(store, 6, 8)
        await caught_up(relay, 8)

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_a_store_that_lost_history_halts_the_relay(
    database: Database, postgres_server: PostgresServer, store: Store, bus: Bus, nats: NatsServer
) -> None:
    async with relaying(store, bus, nats) as relay, _copy(database, postgres_server, 5, store) as backup:
        await append(store, 6, 10)
        await caught_up(relay, 10)
        old = await Store.open(backup)

        async with relaying(old, bus, nats) as halted:
            await eventually(lambda: halted.halted is not None, "halted")
            await append(old, 20, 21)

        await old.close()

    assert halted.halted == "the stream holds 10 events, the store 5: the store lost history"
    assert await last_sequence(bus) == 10


async def test_two_histories_halt_the_relay(
    database: Database, postgres_server: PostgresServer, store: Store, bus: Bus, nats: NatsServer
) -> None:
    async with relaying(store, bus, nats) as relay, _copy(database, postgres_server, 5, store) as backup:
        await append(store, 6, 10)
        await caught_up(relay, 10)
        other = await Store.open(backup)
        await append(other, 20, 30)

        async with relaying(other, bus, nats) as halted:
            await eventually(lambda: halted.halted is not None, "halted")

        await other.close()

    assert halted.halted == "position 10 differs between the stream and the store"
    assert await last_sequence(bus) == 10


async def test_a_short_stream_is_gone_on_with_from_where_it_begins(store: Store, bus: Bus, nats: NatsServer) -> None:
    await append(store, 1, 20)
    await create(bus, first=11)

    async with relaying(store, bus, nats) as relay:
        await caught_up(relay, 20)

    stored = await stored_leaves(store)
    assert await stream_leaves(bus) == {position: stored[position] for position in range(11, 21)}


async def test_a_full_stream_loses_nothing(store: Store, bus: Bus, nats: NatsServer) -> None:
    await bus.api(f"STREAM.CREATE.{NAME}", {**CONFIG, "max_bytes": CUT_BYTES})

    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 200)
        await eventually(lambda: relay.resyncs[FULL] > 0, "the stream is full")
        assert relay.lag > 0
        await bus.api(f"STREAM.UPDATE.{NAME}", CONFIG)
        await caught_up(relay, 200)

    assert await stream_leaves(bus) == await stored_leaves(store)


async def test_the_relay_outlives_its_database_connections(
    database: Database, store: Store, bus: Bus, nats: NatsServer
) -> None:
    async with relaying(store, bus, nats) as relay:
        await append(store, 1, 5)
        await caught_up(relay, 5)
        await cut_connections(database)
        other = await Store.open(database.issuance)
        await append(other, 6, 10)
        await other.close()
        await caught_up(relay, 10)

    assert await stream_leaves(bus) == await stored_leaves(store)


async def _in_small_groups(store: Store, count: int) -> None:
    for first in range(1, count + 1, 7):
        await append(store, first, min(first + 6, count))


@asynccontextmanager
async def _copy(database: Database, server: PostgresServer, events: int, store: Store) -> AsyncIterator[str]:
    """Issuance's URL of a database that holds the first `events` events of the store, as an old backup would."""
    await append(store, 1, events)
    rows = await store.pool.fetch("SELECT * FROM ledger.events ORDER BY position")
    name = f"{database.url.rpartition('/')[2]}_copy"
    owner = await asyncpg.connect(server.url())
    await owner.execute(f"CREATE DATABASE {name} TEMPLATE ledger_template")
    copy = await asyncpg.connect(server.url(name))
    await copy.copy_records_to_table("events", schema_name="ledger", records=[tuple(row) for row in rows])
    await copy.execute("UPDATE ledger.logs SET position = $1, last_at = $2", events, rows[-1]["recorded_at"])
    await copy.close()
    try:
        yield database.issuance.rpartition("/")[0] + f"/{name}"
    finally:
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await owner.close()


def _cut_the_tail(nats: NatsServer) -> None:
    """What power loss does to a server that had not synced: the newest block is short, the index is gone."""
    block = max(nats.store.rglob("*.blk"), key=_number)
    with block.open("r+b") as file:
        file.truncate(block.stat().st_size - CUT_BYTES)
    for index in nats.store.rglob("index.db"):
        index.unlink()


def _number(block: Path) -> int:
    return int(block.stem)


def _last_sequence(nats: NatsServer) -> int:
    """What the server says of the stream on its monitoring port."""
    url = f"http://127.0.0.1:{nats.monitoring}/jsz?accounts=true&streams=true"
    with urllib.request.urlopen(url, timeout=5) as answer:
        found = json.load(answer)["account_details"][0]["stream_detail"][0]["state"]["last_seq"]
    return int(found)
