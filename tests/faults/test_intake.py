"""kill -9 of issuance while statements and an export come in: sent again, each leads to one result and one award."""

import contextlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import servers
from tests.conftest import Database, new_database
from tests.issuance.mappings import statement
from tests.journeys.test_intake import School, school
from tests.running import Running, running
from tests.servers import PostgresServer, wait_until

ROWS = 40
ACTIVITY = "https://lms.nova.example/exam"
BOTH = {"passed": True, "gives": ["result", "award"]}


@pytest.fixture
def alone(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Running]:
    """A ledger of its own, to be killed."""
    database: Database = new_database(postgres_server)
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    with servers.nats() as nats, running(roles, nats, tmp_path) as ledger:
        yield ledger


def kill_when(ledger: Running, school: School, results: int) -> None:
    """Kill issuance at work and start it again: after so many results, and before the last."""
    wait_until(lambda: school.count("result.recorded") >= results, 60, "it is at work")
    ledger.kill("issuance")
    ledger.start("issuance")


def test_what_a_crash_left_half_done_is_completed_and_nothing_is_doubled(alone: Running) -> None:
    nova = school(alone, "crashing")
    nova.mapping("xapi", {"item": ACTIVITY, **BOTH})
    batch = [statement(id=str(uuid.uuid4()), actor={"mbox": f"mailto:x{n}@learner.example"}) for n in range(ROWS)]
    broken: list[Any] = []

    def send() -> None:
        with contextlib.suppress(httpx.HTTPError):
            broken.append(nova.send(batch))

    sender = threading.Thread(target=send)
    sender.start()
    kill_when(alone, nova, 5)
    sender.join()
    half = nova.count("result.recorded")
    assert broken == []
    assert half < ROWS

    again = nova.send(batch)

    assert (again.status_code, again.headers["credledger-passed-by"]) == (200, "0")
    assert (nova.count("result.recorded"), nova.count("award.awarded")) == (ROWS, ROWS)

    mapping = nova.mapping("moodle_csv", {"item": "Final exam", **BOTH})["id"]
    lines = [",Email address,Final exam,", *(f"N {n},y{n}@learner.example,Completed (achieved pass grade),"
                                            for n in range(ROWS))]  # fmt: skip
    job = httpx.post(
        f"{alone.url('issuance')}/v1/jobs", params={"kind": "mapped", "mapping_id": mapping},
        content="\n".join(lines).encode(), timeout=30,
        headers={"authorization": f"Bearer {nova.institution.api_key}", "content-type": "text/csv",
                 "idempotency-key": "crash-1"},
    ).json()  # fmt: skip
    kill_when(alone, nova, ROWS + 1)
    wait_until(lambda: nova.read(f"/v1/jobs/{job['id']}")["state"] == "completed", 60, "the job is completed")

    assert nova.read(f"/v1/jobs/{job['id']}")["outcome"] == {"awarded": ROWS}
    assert (nova.count("result.recorded"), nova.count("award.awarded")) == (2 * ROWS, 2 * ROWS)
    for award in nova.read("/v1/awards?limit=3")["data"]:
        assert alone.verify(url=nova.read(f"/v1/awards/{award['id']}")["credential_url"])["verified"]
