"""One running ledger for all journeys; each journey brings institutions of its own."""

from collections.abc import Iterator

import pytest
from tests import servers
from tests.conftest import Database, new_database
from tests.running import Running, running
from tests.servers import PostgresServer


@pytest.fixture(scope="session")
def ledger(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Three services over a database and a message bus of their own."""
    database: Database = new_database(postgres_server)
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    with servers.nats() as nats, running(roles, nats, tmp_path_factory.mktemp("ledger")) as ledger:
        yield ledger
