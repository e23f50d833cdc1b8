"""What every test may ask for: real servers, once a run, and a fresh migrated database for each test."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, TypeVar

import asyncpg
import hypothesis
import msgspec
import pytest
from tests import servers
from tests.elsewhere import Elsewhere
from tests.servers import NatsServer, PostgresServer

from ledger import migrate

ROLES = ("issuance", "registry", "revocation")
TEMPLATE = "ledger_template"
_numbers = count(1)
# How long an example takes says something about the machine, nothing about the rule.
hypothesis.settings.register_profile("ledger", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("ledger")
T = TypeVar("T")


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """The result of asynchronous work, from a thread with a loop of its own: a browser's client runs one in ours."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class Database(msgspec.Struct, frozen=True):
    """A migrated database of its own: the superuser's URL and one per service role."""

    url: str
    issuance: str
    registry: str
    revocation: str


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for the whole run."""
    with servers.postgres() as server:
        run_apart(_make_template(server))
        yield server


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """One NATS server for the whole run."""
    with servers.nats() as server:
        yield server


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    """A web server of somebody else, which the ledgers of tests may ask."""
    with Elsewhere() as server:
        yield server


def new_database(server: PostgresServer) -> Database:
    """A fresh database with today's schema, for fixtures that live longer than a test."""
    name = f"test_{next(_numbers)}"
    run_apart(_create(server, name))
    return _database(server, name)


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """A fresh database with today's schema."""
    name = f"test_{next(_numbers)}"
    await _create(postgres_server, name)
    yield _database(postgres_server, name)
    owner = await asyncpg.connect(postgres_server.url())
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.close()


async def _create(server: PostgresServer, name: str) -> None:
    owner = await asyncpg.connect(server.url())
    await owner.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    await owner.close()


def _database(server: PostgresServer, name: str) -> Database:
    url = server.url(name)
    return Database(url, *(migrate.url_of_role(url, role, servers.PASSWORD) for role in ROLES))


async def _make_template(server: PostgresServer) -> None:
    owner = await asyncpg.connect(server.url())
    await owner.execute(f"CREATE DATABASE {TEMPLATE}")
    await owner.close()
    await migrate.migrate(server.url(TEMPLATE))
    for role in ROLES:
        await migrate.set_password(server.url(TEMPLATE), role, servers.PASSWORD)
