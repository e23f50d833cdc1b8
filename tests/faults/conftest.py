"""A ledger of its own for each test: servers that are killed serve nobody else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import servers
from tests.conftest import _make_template, new_database
from tests.faults.whole import Whole
from tests.running import running


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    with servers.postgres() as postgres, servers.nats() as bus:
        asyncio.run(_make_template(postgres))
        database = new_database(postgres)
        roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
        with running(roles, bus, tmp_path) as ledger:
            yield Whole(postgres, bus, database, ledger)
