"""A job survives whatever is killed under it: every row becomes one award, no more and no less."""

import asyncio
import itertools

import asyncpg
import httpx
import pytest
from tests.faults.invariants import broken_invariants, doubled
from tests.faults.whole import PATIENCE_SECONDS, Whole, kill_and_start
from tests.running import TLS, Institution
from tests.servers import wait_until

ROWS = 600
VICTIMS = ("issuance", "postgres", "issuance", "nats", "revocation", "issuance")


@pytest.mark.timeout(240)
async def test_a_job_whose_processes_are_killed_ends_with_one_award_a_row(whole: Whole) -> None:
    ledger = whole.ledger
    institution = await asyncio.to_thread(ledger.institution, "bulk-killed")
    achievement = await asyncio.to_thread(ledger.achievement, institution)
    job = await asyncio.to_thread(sent, whole, institution, achievement)
    victims = itertools.cycle(VICTIMS)

    for share in range(1, len(VICTIMS) + 1):
        wanted = min(ROWS * share // (len(VICTIMS) + 1), ROWS - 1)
        await asyncio.to_thread(
            wait_until, lambda n=wanted: done(whole, institution, job) >= n, PATIENCE_SECONDS, "rows"
        )
        await asyncio.to_thread(kill_and_start, whole, next(victims))
    await asyncio.to_thread(wait_until, lambda: done(whole, institution, job) == ROWS, PATIENCE_SECONDS, "all rows")

    found = ledger.get("issuance", f"/v1/jobs/{job}", key=institution.api_key).json()
    assert found["outcome"] == {"awarded": ROWS}
    owner = await asyncpg.connect(whole.database.url)
    awards = await owner.fetchval("SELECT count(*) FROM ledger.events WHERE topic = 'award.awarded'")
    rows = await owner.fetch("SELECT award_id, position FROM vault.job_rows WHERE job_id = $1", job)
    await owner.close()
    assert awards == ROWS
    assert await broken_invariants(whole.database.url, {f"award/{r['award_id']}": r["position"] for r in rows}) == []
    assert await doubled(whole.database.url) == 0
    await asyncio.to_thread(wait_until, lambda: unsigned(whole) == 0, PATIENCE_SECONDS, "every document is kept")


def sent(whole: Whole, institution: Institution, achievement: str) -> str:
    content = "email,name\n" + "".join(f"bulk{n}@learner.example,Learner {n}\n" for n in range(ROWS))
    answer = whole.ledger.send(
        "POST", "issuance", f"/v1/jobs?kind=awards&achievement_id={achievement}", content.encode(),
        key=institution.api_key, content_type="text/csv",
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def done(whole: Whole, institution: Institution, job: str) -> int:
    """How many rows have an outcome; -1 while nobody can say."""
    headers = {"authorization": f"Bearer {institution.api_key}"}
    try:
        answer = httpx.get(f"{whole.ledger.url('issuance')}/v1/jobs/{job}", headers=headers, timeout=10, verify=TLS)
    except httpx.HTTPError:
        return -1
    return int(answer.json()["done"]) if answer.is_success else -1


def unsigned(whole: Whole) -> int:
    """How many awards have no document yet."""

    async def count() -> int:
        owner = await asyncpg.connect(whole.database.url)
        missing: int = await owner.fetchval(
            "SELECT (SELECT count(*) FROM ledger.events WHERE topic = 'award.awarded')"
            " - (SELECT count(*) FROM vault.documents)"
        )
        await owner.close()
        return missing

    return asyncio.run(count())
