"""The connection: never waited for, lost at once, made again with every subscription."""

import asyncio
import signal
import time
from collections.abc import Iterator
from os import kill

import pytest
from tests import servers
from tests.bus.builders import bus_of, eventually, settings
from tests.servers import NatsServer

from ledger.bus import Bus
from ledger.errors import Unavailable

SUBJECT = "cmd.revocation.echo.v1"
SHORT_SECONDS = 0.3


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    with servers.nats() as server:
        yield server


async def echo(payload: bytes) -> bytes:
    return b"you said " + payload


async def test_connecting_to_nothing_returns_at_once_and_finds_the_server_later(nats: NatsServer) -> None:
    nats.stop()
    began = time.monotonic()

    bus = await Bus.connect(settings(nats), "issuance")

    assert time.monotonic() - began < 0.1
    assert not await bus.until_connected(SHORT_SECONDS)
    with pytest.raises(Unavailable):
        await bus.request(SUBJECT, b"", 5)
    await bus.hint(7)  # lost, without a complaint
    nats.start()
    assert await bus.until_connected(5)
    await bus.close()


async def test_a_request_is_answered_by_the_other_service(nats: NatsServer) -> None:
    async with bus_of(nats) as asking, bus_of(nats, "revocation") as answering:
        await answering.serve(SUBJECT, echo)

        assert await asking.request(SUBJECT, b"hello", 2) == b"you said hello"


async def test_one_of_several_processes_of_a_service_answers(nats: NatsServer) -> None:
    answers: list[int] = []

    async def count(payload: bytes) -> bytes:
        answers.append(int(payload))
        return payload

    async with bus_of(nats) as asking, bus_of(nats, "revocation") as one, bus_of(nats, "revocation") as two:
        await one.serve(SUBJECT, count)
        await two.serve(SUBJECT, count)
        await asyncio.gather(*(asking.request(SUBJECT, str(n).encode(), 2) for n in range(20)))

    assert sorted(answers) == list(range(20))


async def test_nobody_there_is_known_before_the_timeout(nats: NatsServer) -> None:
    async with bus_of(nats) as bus:
        began = time.monotonic()

        with pytest.raises(Unavailable):
            await bus.request(SUBJECT, b"", 10)

    assert time.monotonic() - began < 1


async def test_no_answer_in_time_is_unavailable(nats: NatsServer) -> None:
    async def never(_: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with bus_of(nats) as asking, bus_of(nats, "revocation") as answering:
        await answering.serve(SUBJECT, never)

        with pytest.raises(Unavailable):
            await asking.request(SUBJECT, b"", SHORT_SECONDS)


async def test_a_handler_that_fails_answers_with_an_error(nats: NatsServer) -> None:
    async def fail(_: bytes) -> bytes:
        raise RuntimeError("a learner's name")

    async with bus_of(nats) as asking, bus_of(nats, "revocation") as answering:
        await answering.serve(SUBJECT, fail)

        answer = await asking.request(SUBJECT, b"", 2)

    assert answer == b'{"error":{"code":"unavailable","detail":"The other service failed."}}'


async def test_a_waiting_request_hears_at_once_that_the_server_died(nats: NatsServer) -> None:
    asked = asyncio.Event()

    async def never(_: bytes) -> bytes:
        asked.set()
        await asyncio.Event().wait()
        return b""

    async with bus_of(nats) as asking, bus_of(nats, "revocation") as answering:
        await answering.serve(SUBJECT, never)
        request = asyncio.create_task(asking.request(SUBJECT, b"", 30))
        await asked.wait()
        began = time.monotonic()
        nats.kill()

        with pytest.raises(Unavailable):
            await request

        assert time.monotonic() - began < 2


async def test_subscriptions_are_there_again_after_a_kill(nats: NatsServer) -> None:
    heads: list[int] = []
    async with bus_of(nats) as asking, bus_of(nats, "revocation") as answering:
        await answering.serve(SUBJECT, echo)
        await answering.on_hint(heads.append)
        nats.kill()
        await eventually(lambda: not asking.connected and not answering.connected, "both know that it died")
        nats.start()
        await eventually(lambda: asking.connections == 2 and answering.connections == 2, "both connected again")

        assert await asking.request(SUBJECT, b"again", 2) == b"you said again"
        await asking.hint(12)
        await eventually(lambda: heads == [12], "the hint arrived")


async def test_a_server_that_froze_is_given_up(nats: NatsServer) -> None:
    async with bus_of(nats) as bus:
        kill(nats.pid, signal.SIGSTOP)
        try:
            await eventually(lambda: not bus.connected, "the pings stayed without an answer", 20)
        finally:
            kill(nats.pid, signal.SIGCONT)
        assert await bus.until_connected(10)


async def test_closing_while_the_server_is_away_is_quick(nats: NatsServer) -> None:
    bus = await Bus.connect(settings(nats), "issuance")
    assert await bus.until_connected(5)
    nats.kill()
    began = time.monotonic()

    await bus.close()

    assert time.monotonic() - began < 3
