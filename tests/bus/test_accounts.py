"""Rights on NATS, as a real server enforces them: only issuance publishes facts and changes the stream."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import servers
from tests.bus.builders import bus_of, settings
from tests.servers import NatsServer

from ledger.bus import Bus, pull
from ledger.bus.accounts import SERVICES, make_operator, nats_conf
from ledger.bus.stream import Message, create, last_sequence, publish_singles
from ledger.errors import Unavailable

OTHERS = [service for service in SERVICES if service != "issuance"]
CHANGES = ["STREAM.DELETE.LEDGER", "STREAM.UPDATE.LEDGER", "STREAM.PURGE.LEDGER", "STREAM.CREATE.X"]
SHORT_SECONDS = 0.3
MESSAGE = Message(1, "ledger.ledger.ledger.opened.v1", {}, b"{}")


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    with servers.nats() as server:
        yield server


def test_the_same_randomness_makes_the_same_operator() -> None:
    first, second = (make_operator(lambda size: b"r" * size, 1_700_000_000) for _ in range(2))

    assert first == second
    assert set(first.credentials) == set(SERVICES)


def test_every_write_is_synced_and_nothing_listens_outside() -> None:
    text = nats_conf(make_operator(lambda size: b"r" * size, 0), store_dir="/js", jwt_dir="/jwt")

    assert "sync_interval: always" in text
    assert [line for line in text.splitlines() if line.startswith(("listen", "http"))] == [
        'listen: "127.0.0.1:-1"',
        'http: "127.0.0.1:-1"',
    ]


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_is_let_in_and_finds_jetstream(nats: NatsServer, service: str) -> None:
    async with bus_of(nats, service) as bus:
        info = await bus.api("INFO")

    assert info["limits"]["max_storage"] == -1


@pytest.mark.parametrize("service", OTHERS)
async def test_only_issuance_may_publish_facts(nats: NatsServer, service: str) -> None:
    async with bus_of(nats) as owner, bus_of(nats, service) as other:
        before = await last_sequence(owner)

        with pytest.raises(Unavailable):
            await other.ask(MESSAGE.subject, MESSAGE.body, SHORT_SECONDS)

        assert await last_sequence(owner) == before


@pytest.mark.parametrize("service", OTHERS)
@pytest.mark.parametrize("verb", CHANGES)
async def test_only_issuance_may_change_the_stream(nats: NatsServer, service: str, verb: str) -> None:
    async with bus_of(nats) as owner, bus_of(nats, service) as other:
        await create(owner)

        with pytest.raises(Unavailable):
            await other.api(verb, {"name": "X", "subjects": ["ledger.>"]}, SHORT_SECONDS)

        assert await last_sequence(owner) == 0


@pytest.mark.parametrize("service", OTHERS)
async def test_every_service_may_follow_the_stream(service: str) -> None:
    with servers.nats() as own:
        async with bus_of(own) as owner, bus_of(own, service) as other:
            await create(owner)
            await publish_singles(owner, [MESSAGE])

            async for batch in pull(other, "LEDGER", 0):
                if batch:
                    break

    assert [message.sequence for message in batch] == [1]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_answers_its_own_commands_only(nats: NatsServer, service: str) -> None:
    async def echo(payload: bytes) -> bytes:
        return payload

    async with bus_of(nats, service) as bus, bus_of(nats, "registry") as asking:
        for owner in SERVICES:
            await bus.serve(f"cmd.{owner}.echo.v1", echo)
        answered = []
        for owner in SERVICES:
            try:
                answered.append((owner, await asking.request(f"cmd.{owner}.echo.v1", b"x", 1.0)))
            except Unavailable:
                continue

    assert answered == [(service, b"x")]


async def test_a_user_of_another_operator_is_not_let_in(nats: NatsServer, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.creds"
    foreign.write_text(make_operator(lambda size: b"f" * size, 0).credentials["issuance"])

    bus = await Bus.connect(settings(nats, credentials=foreign), "issuance")

    assert not await bus.until_connected(SHORT_SECONDS)
    await bus.close()


async def test_credentials_that_were_mended_are_read_afresh(nats: NatsServer, tmp_path: Path) -> None:
    file = tmp_path / "issuance.creds"
    file.write_text("nothing yet")
    bus = await Bus.connect(settings(nats, credentials=file), "issuance")
    assert not await bus.until_connected(SHORT_SECONDS)

    await asyncio.to_thread(file.write_bytes, nats.credentials["issuance"].read_bytes())

    assert await bus.until_connected(5)
    await bus.close()
