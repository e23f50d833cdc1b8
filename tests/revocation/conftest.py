"""One ledger for all of these tests, since each brings institutions of its own; a fresh one where the whole matters."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.conftest import Database, new_database
from tests.revocation import world as worlds
from tests.revocation.world import World
from tests.servers import PostgresServer


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer) -> Database:
    """The database of the one ledger."""
    return new_database(postgres_server)


@pytest.fixture(scope="session")
async def world(shared_database: Database) -> AsyncIterator[World]:
    """A ledger that was opened."""
    async with worlds.world(shared_database) as ledger:
        yield ledger


@pytest.fixture(scope="session")
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The service on it, over HTTP, without NATS: nothing here waits for that."""
    async with world.service() as client:
        yield client


@pytest.fixture
async def fresh(database: Database) -> AsyncIterator[World]:
    """A ledger of the test's own, without any service running."""
    async with worlds.world(database) as ledger:
        yield ledger
