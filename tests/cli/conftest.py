"""A running ledger for the command line, and a state folder with the operator's key, as `make run` leaves one."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests import servers
from tests.cli.running import Ended, credledger, environment_for
from tests.conftest import new_database
from tests.elsewhere import Elsewhere
from tests.running import KEYRINGS, Running, running
from tests.servers import PostgresServer, wait_until

from ledger.cli.demo.content import Content, default_folder, read_content

LOADED = {
    "institution.created": 10,  # each with its sandbox
    "achievement.published": 25,
    "award.awarded": 30,
    "award.suspended": 1,
    "award.reinstated": 1,
    "award.revoked": 1,
}
CONTENT = read_content(default_folder())


class Here(msgspec.Struct, frozen=True):
    """A ledger and the folder and settings with which the command line finds it; `databases` by role, and `owner`."""

    ledger: Running
    data: Path
    databases: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """For `Place.here`."""
        return {"CREDLEDGER_DATA": str(self.data), "CREDLEDGER_PORT": str(self.ledger.port)}

    def run(self, *arguments: str, entered: bytes = b"", **settings: str) -> Ended:
        """Run a command here."""
        keyrings = {f"{name}_FILE": str(self.ledger.keyring_file(name)) for name in KEYRINGS}
        told = {"PORT": str(self.ledger.port), **keyrings, **settings}
        return credledger(*arguments, data=self.data, entered=entered, **told)


@pytest.fixture(scope="session")
def here(
    postgres_server: PostgresServer, elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Here]:
    """Three services over a database and a message bus of their own."""
    database, data = new_database(postgres_server), tmp_path_factory.mktemp("state")
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    settings = {
        "CREDLEDGER_DEMO_FOLDER": str(data / "demo"),
        "CREDLEDGER_BACKUP_RETENTION_DAYS": "0",
        "CREDLEDGER_OUTBOUND_ALLOW": elsewhere.place,
    }
    with servers.nats() as nats, running(roles, nats, tmp_path_factory.mktemp("ledger"), **settings) as ledger:
        (data / "operator.key").write_text(ledger.operator + "\n")
        yield Here(ledger, data, {**roles, "owner": database.url})


def topics(here: Here) -> Counter[str]:
    """How many events of each type the log holds."""
    answer = here.ledger.get("registry", "/v1/events?after=0&limit=100000", key=here.ledger.operator)
    return Counter(json.loads(line)["type"] for line in answer.text.splitlines())


@pytest.fixture(scope="session")
def demo(here: Here) -> Content:
    """The demo, whose first loading was killed amid the class list."""
    before = topics(here)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ledger.cli", "demo", "--if-needed"],
        env=environment_for(here.data, PORT=str(here.ledger.port)),
    )
    wait_until(lambda: topics(here)["award.awarded"] > before["award.awarded"] + 3, 30, "the demo is half loaded")
    process.kill()
    process.wait()
    assert not (here.data / "demo" / "demo.json").exists()

    ended = here.run("demo", "--if-needed", "--json")

    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["samples"] == [sample.name for sample in CONTENT.samples]
    made = topics(here) - before
    assert {topic: made[topic] for topic in LOADED} == LOADED
    return CONTENT
