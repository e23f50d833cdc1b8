"""The stream: sequence is position, a publish fits or is refused, and following it survives what happens to it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import pytest
from tests import servers
from tests.bus.builders import bus_of, eventually
from tests.servers import NatsServer

from ledger.bus import ApiError, Bus, pull
from ledger.bus.stream import (
    NAME,
    Message,
    Rejected,
    create,
    last_sequence,
    leaf_at,
    publish_batch,
    publish_singles,
)
from ledger.errors import Unavailable

MISPLACED = (10071, 10201)  # another last sequence; in a batch a known id is noticed first
Publish = Callable[[Bus, Sequence[Message]], Awaitable[int]]


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    with servers.nats() as server:
        yield server


@pytest.fixture
async def bus(nats: NatsServer) -> AsyncIterator[Bus]:
    """A bus on a server without the stream."""
    async with bus_of(nats) as bus:
        await last_sequence(bus)
        await bus.api(f"STREAM.DELETE.{NAME}")
        yield bus


def messages(first: int, last: int) -> list[Message]:
    return [Message(n, "ledger.t.a.b.v1", {"ce-leaf": "AQ"}, str(n).encode()) for n in range(first, last + 1)]


async def follow_to_the_end(following: AsyncIterator[object]) -> None:
    async with asyncio.timeout(10):
        async for _ in following:
            pass


async def bodies(bus: Bus, after: int, count: int) -> list[int]:
    """The next `count` bodies behind a sequence."""
    found: list[int] = []
    async for batch in pull(bus, NAME, after):
        found += [int(message.body) for message in batch]
        if len(found) >= count:
            break
    return found


async def test_a_missing_stream_is_made_and_begins_at_one(bus: Bus) -> None:
    assert await last_sequence(bus) == 0
    assert await publish_singles(bus, messages(1, 3)) == 3
    assert await last_sequence(bus) == 3


async def test_a_short_stream_begins_where_it_was_told(bus: Bus) -> None:
    assert await create(bus, first=5001) == 5000
    assert await publish_singles(bus, messages(5001, 5002)) == 5002
    assert await leaf_at(bus, 5000) is None
    assert await leaf_at(bus, 5001) == b"\x01"


@pytest.mark.parametrize("publish", [publish_singles, publish_batch])
async def test_what_does_not_follow_the_last_sequence_is_refused_whole(bus: Bus, publish: Publish) -> None:
    await last_sequence(bus)
    await publish_singles(bus, messages(1, 3))

    for first, last in ((5, 6), (1, 3)):
        with pytest.raises(Rejected) as refused:
            await publish(bus, messages(first, last))
        assert refused.value.code in MISPLACED

    assert await bodies(bus, 0, 3) == [1, 2, 3]
    assert await last_sequence(bus) == 3


async def test_a_batch_of_a_thousand_is_taken_at_once(bus: Bus) -> None:
    await last_sequence(bus)

    assert await publish_batch(bus, messages(1, 1000)) == 1000
    assert await bodies(bus, 0, 1000) == list(range(1, 1001))


@pytest.mark.parametrize("publish", [publish_singles, publish_batch])
async def test_without_a_stream_a_publish_fails_at_once(bus: Bus, publish: Publish) -> None:
    began = time.monotonic()

    with pytest.raises((Rejected, Unavailable)):
        await publish(bus, messages(1, 3))

    assert time.monotonic() - began < 1


async def test_a_publish_over_a_lost_connection_is_never_sent_later(nats: NatsServer) -> None:
    async with bus_of(nats) as bus:
        await last_sequence(bus)
        client, before = bus.client, await last_sequence(bus)
        nats.kill()
        with pytest.raises(Unavailable):
            await publish_singles(bus, messages(before + 1, before + 3))
        nats.start()
        assert await bus.until_connected(10)

        assert not client.is_connected
        assert await last_sequence(bus) == before


async def test_following_goes_on_behind_the_last_message(bus: Bus) -> None:
    await last_sequence(bus)
    await publish_batch(bus, messages(1, 100))

    assert await bodies(bus, 90, 10) == list(range(91, 101))


async def test_silence_is_told_by_an_empty_batch(bus: Bus) -> None:
    await last_sequence(bus)
    following = pull(bus, NAME, 0)

    assert await anext(following) == []
    await publish_singles(bus, messages(1, 1))
    found = []
    while not found:
        found = await anext(following)

    assert [message.sequence for message in found] == [1]
    await following.aclose()


async def test_a_follower_asks_for_more_than_one_batch(bus: Bus) -> None:
    await last_sequence(bus)
    for first in range(1, 3001, 1000):
        await publish_batch(bus, messages(first, first + 999))

    assert await bodies(bus, 0, 3000) == list(range(1, 3001))


async def test_a_follower_hears_that_the_stream_was_deleted(bus: Bus) -> None:
    await last_sequence(bus)
    following = pull(bus, NAME, 0)
    await anext(following)
    await bus.api(f"STREAM.DELETE.{NAME}")

    with pytest.raises((Unavailable, ApiError)):
        await follow_to_the_end(following)


async def test_a_follower_hears_that_the_server_died(nats: NatsServer) -> None:
    async with bus_of(nats) as bus:
        await last_sequence(bus)
        following = pull(bus, NAME, 0)
        await anext(following)
        nats.kill()

        with pytest.raises(Unavailable):
            await follow_to_the_end(following)
        nats.start()
        await eventually(lambda: bus.connected, "connected again")
