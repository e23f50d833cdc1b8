"""One running ledger for all journeys, each of which brings institutions of its own; and one that may be killed."""

from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest
from tests import servers
from tests.conftest import Database, new_database, run_apart
from tests.elsewhere import Elsewhere
from tests.journeys.whole import Whole
from tests.post_office import PostOffice
from tests.running import Running, running
from tests.servers import PostgresServer


@pytest.fixture(scope="session")
def post_office() -> Iterator[PostOffice]:
    """Where the ledger's mails arrive."""
    with PostOffice().open() as office:
        yield office


@pytest.fixture(scope="session")
def ledger_owner(postgres_server: PostgresServer) -> Database:
    """The database of the running ledger."""
    return new_database(postgres_server)


@pytest.fixture
def ledger_database(ledger_owner: Database) -> Callable[..., None]:
    """Executes a statement as the database's owner: for time to pass without waiting."""

    async def execute(statement: str, *values: Any) -> None:
        owner = await asyncpg.connect(ledger_owner.url)
        await owner.execute(statement, *values)
        await owner.close()

    return lambda statement, *values: run_apart(execute(statement, *values))


@pytest.fixture(scope="session")
def ledger(
    ledger_owner: Database, post_office: PostOffice, elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Three services over a database and a message bus of their own."""
    database = ledger_owner
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    folder = tmp_path_factory.mktemp("ledger")
    settings = {"CREDLEDGER_SMTP_URL": post_office.url, "CREDLEDGER_OUTBOUND_ALLOW": elsewhere.place}
    with servers.nats() as nats, running(roles, nats, folder, **settings) as ledger:
        yield ledger


@pytest.fixture(scope="session")
def whole(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A ledger to kill and restore, whose backups expire at once."""
    database = new_database(postgres_server)
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    settings = {"CREDLEDGER_BACKUP_RETENTION_DAYS": "0", "CREDLEDGER_KEK_ROTATION_DAYS": "7"}
    with servers.nats() as nats, running(roles, nats, tmp_path_factory.mktemp("keys"), **settings) as ledger:
        institution = ledger.institution("epochs")
        yield Whole(ledger, database, institution, ledger.achievement(institution))
