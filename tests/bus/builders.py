"""Buses, stores and what the stream holds, for tests of everything that touches NATS."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from tests.conftest import Database
from tests.servers import NatsServer
from tests.store.builders import fact, wish

from ledger.bus import Bus, pull
from ledger.bus.headers import read_headers
from ledger.bus.stream import NAME
from ledger.errors import Unavailable
from ledger.settings import Settings
from ledger.store import Store

WAIT_SECONDS = 15.0
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


def settings(
    nats: NatsServer, service: str = "issuance", *, database: str = NO_DATABASE, credentials: Path | None = None
) -> Settings:
    """The settings of a service on these servers."""
    secrets = {f"CREDLEDGER_{name}": "00" * 32 for name in ("SERVER_SECRET", "KEY_PEPPER", "KEK", "SIGNING_KEK")}
    file = credentials or nats.credentials[service]
    addresses = {"CREDLEDGER_DATABASE_URL": database, "CREDLEDGER_NATS_URL": nats.url}
    return Settings.from_environment(service, {**secrets, **addresses, "CREDLEDGER_NATS_CREDENTIALS_FILE": str(file)})


@asynccontextmanager
async def bus_of(nats: NatsServer, service: str = "issuance") -> AsyncIterator[Bus]:
    """A connected bus for a while."""
    bus = await Bus.connect(settings(nats, service), service)
    try:
        assert await bus.until_connected(WAIT_SECONDS)
        yield bus
    finally:
        await bus.close()


async def eventually(fact: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait for a fact, looked at every 10 ms. Raises TimeoutError, naming it."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.01)


async def append(store: Store, first: int, last: int) -> None:
    """Append events numbered first … last, each on a stream of its own, as many callers would."""
    await asyncio.gather(
        *(store.decide(f"access/k{n}", lambda _: [fact()], wish=wish(f"append {n}")) for n in range(first, last + 1))
    )


async def cut_connections(database: Database) -> None:
    """End every other connection to a database, as a restart of the server would."""
    owner = await asyncpg.connect(database.url)
    await owner.execute(CUT)
    await owner.close()


async def stream_leaves(bus: Bus) -> dict[int, bytes]:
    """What the stream holds: sequence → leaf, each message's position compared with its sequence. A connection that
    is just being replaced is waited for."""
    async with asyncio.timeout(15):
        while True:
            try:
                return await _stream_leaves(bus)
            except Unavailable:
                await bus.until_connected(1)


async def _stream_leaves(bus: Bus) -> dict[int, bytes]:
    info = await bus.api(f"STREAM.INFO.{NAME}")
    first, last = info["state"]["first_seq"], info["state"]["last_seq"]
    leaves: dict[int, bytes] = {}
    if info["state"]["messages"]:
        async for batch in pull(bus, NAME, first - 1):
            for message in batch:
                headers = read_headers(message.headers)
                assert headers.position == message.sequence
                assert message.sequence not in leaves
                leaves[message.sequence] = headers.leaf
            if last in leaves:
                break
    return leaves


async def stored_leaves(store: Store) -> dict[int, bytes]:
    """What the store holds: position → leaf."""
    leaves: dict[int, bytes] = {}
    while rows := await store.read(len(leaves)):
        leaves |= {row.position: row.leaf for row in rows}
    return leaves
