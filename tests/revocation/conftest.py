"""A ledger for each test, and the revocation service on it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.conftest import Database
from tests.revocation import world as worlds
from tests.revocation.world import World


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A ledger that was opened, without any service running."""
    async with worlds.world(database) as ledger:
        yield ledger


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The service over HTTP, without NATS: nothing here waits for that."""
    async with world.service() as client:
        yield client
