"""A running ledger for the command line, and a state folder with the operator's key, as `make run` leaves one."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests import servers
from tests.cli.running import Ended, credledger
from tests.conftest import new_database
from tests.running import Running, running
from tests.servers import PostgresServer


class Here(msgspec.Struct, frozen=True):
    """A ledger and the folder and settings with which the command line finds it."""

    ledger: Running
    data: Path
    databases: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """For `Place.here`."""
        return {"CREDLEDGER_DATA": str(self.data), "CREDLEDGER_PORT": str(self.ledger.port)}

    def run(self, *arguments: str, entered: bytes = b"", **settings: str) -> Ended:
        """Run a command here."""
        return credledger(*arguments, data=self.data, entered=entered, PORT=str(self.ledger.port), **settings)


@pytest.fixture(scope="session")
def here(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """Three services over a database and a message bus of their own."""
    database, data = new_database(postgres_server), tmp_path_factory.mktemp("state")
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    settings = {"CREDLEDGER_DEMO_FOLDER": str(data / "demo")}
    with servers.nats() as nats, running(roles, nats, tmp_path_factory.mktemp("ledger"), **settings) as ledger:
        (data / "operator.key").write_text(ledger.operator + "\n")
        yield Here(ledger, data, roles)
