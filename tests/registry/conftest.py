"""The registry over a fresh database, in this process, and whoever calls it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from tests import servers
from tests.conftest import ROLES, TEMPLATE, Database
from tests.registry.world import PUBLIC, World, settings, until
from tests.servers import PostgresServer

from ledger import migrate
from ledger.settings import Settings
from registry.app import app


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """An empty ledger that can be appended to."""
    world = await World.open(database)
    yield world
    await world.close()


@pytest.fixture
async def registry(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the registry, which runs without NATS."""
    async with running(settings(database)) as caller:
        yield caller


@pytest.fixture(scope="module")
async def told(postgres_server: PostgresServer) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of a registry that has seen a whole story (`World.tell`); for tests that only read."""
    name = f"told_{secrets.token_hex(4)}"
    owner = await asyncpg.connect(postgres_server.url())
    await owner.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = postgres_server.url(name)
    database = Database(url, *(migrate.url_of_role(url, role, servers.PASSWORD) for role in ROLES))
    world = await World.open(database)
    await world.tell()
    async with running(settings(database)) as caller:
        await world.settled()
        yield caller
    await world.close()
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.close()


@asynccontextmanager
async def running(configured: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The registry with these settings, and a caller."""
    application, stop, started = app(configured), asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with application.lifespan():
            started.set()
            await stop.wait()

    # The lifespan must end in the task that it began in, which a fixture's two halves are not.
    life = asyncio.create_task(live())
    await started.wait()
    try:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as caller:
            await until(lambda: is_ready(caller), "the registry is ready")
            yield caller
    finally:
        stop.set()
        await life


async def is_ready(caller: httpx.AsyncClient) -> bool:
    return (await caller.get("/readyz")).status_code == 200
