"""The rows of jobs in the vault: sealed as they were sent, with what became of each.

A row is sealed under the job's own data key and bound to its place. Done rows are emptied at once, refused ones stay
until the retention ends, so that the error list can be had; erasing a learner empties every row that names one of the
learner's identifiers.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import msgspec

from issuance.jobs.rows import Sent
from ledger.errors import FieldError
from ledger.identifiers import KINDS, Identifier, identifier_of
from ledger.vault import Vault

CLAIM_SECONDS = 5.0
CHUNK = 1000


class StoredRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row to judge or to carry out: its number, the body of its wish, and the earlier row about the same one."""

    number: int
    line: int
    body: dict[str, Any]
    repeats: int | None


class Fault(msgspec.Struct, frozen=True):
    """Why a row was refused: the problem's code, a sentence, and the bad fields. Nothing personal."""

    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()


class RowOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a row, or would: its outlook or outcome, the award and position it led to, or why not."""

    number: int
    said: str
    award_id: str | None = None
    position: int | None = None
    fault: Fault | None = None


class _Opened(msgspec.Struct):
    body: dict[str, Any]
    cells: tuple[str, ...]


class Records:
    """Over issuance's pool, with the vault that seals."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault) -> None:
        self._pool, self._vault = pool, vault

    async def keep(self, tenant: str, job_id: str, sent: Sent) -> None:
        """Keep what was sent, once: a retry finds it there. Comes before the event that says so; an orphan is swept."""
        seal = await self._vault.sealer_of(tenant, job_id)
        headings = seal(msgspec.json.encode(sent.headings), "headings")
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(KEEP_JOB, job_id, tenant, headings) is None:
                return
            for start in range(0, len(sent.rows), CHUNK):
                rows = [
                    (
                        job_id,
                        row.number,
                        row.line,
                        row.repeats,
                        self._vault.hashes_of(tenant, _identifiers(row.body.get("learner"))),
                        seal(msgspec.json.encode(_Opened(row.body, row.cells)), str(row.number)),
                    )
                    for row in sent.rows[start : start + CHUNK]
                ]
                columns = ("job_id", "number", "line", "repeats", "names", "sealed")
                await connection.copy_records_to_table("job_rows", schema_name="vault", records=rows, columns=columns)

    async def unchecked(self, tenant: str, job_id: str, limit: int) -> list[StoredRow]:
        """The next rows that were not judged yet."""
        return await self._rows(UNCHECKED, tenant, job_id, limit)

    async def undone(self, tenant: str, job_id: str, limit: int) -> list[StoredRow]:
        """The next rows without an outcome."""
        return await self._rows(UNDONE, tenant, job_id, limit)

    async def judged(self, job_id: str, outcomes: Sequence[RowOutcome]) -> None:
        """Write down what the check foresees. A row that cannot be done has its outcome with that."""
        await self._write(JUDGED, job_id, outcomes)

    async def done(self, job_id: str, outcomes: Sequence[RowOutcome]) -> None:
        """Write down what became of rows, and empty the ones that were done."""
        await self._write(DONE, job_id, outcomes)

    async def counts(self, job_id: str) -> tuple[dict[str, int], dict[str, int]]:
        """How many rows by outlook, and by outcome."""
        rows = await self._pool.fetch(COUNTS, job_id)
        outlooks: dict[str, int] = {}
        outcomes: dict[str, int] = {}
        for row in rows:
            if row["outlook"] is not None:
                outlooks[row["outlook"]] = outlooks.get(row["outlook"], 0) + row["count"]
            if row["outcome"] is not None:
                outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + row["count"]
        return dict(sorted(outlooks.items())), dict(sorted(outcomes.items()))

    async def page(self, job_id: str, after: int, limit: int, said: str | None) -> list[Any]:
        """Rows of `vault.job_rows` behind a number, without what is sealed; with `said` as outcome or outlook."""
        rows: list[Any] = await self._pool.fetch(PAGE, job_id, after, limit, said)
        return rows

    async def refused(self, tenant: str, job_id: str) -> AsyncIterator[tuple[tuple[str, ...], Fault]]:
        """Every refused row as it was sent, and why. What was erased since is left out."""
        open_ = await self._vault.opener_of(tenant, job_id)
        after = 0
        while rows := await self._pool.fetch(REFUSED, job_id, after, CHUNK):
            for row in rows:
                opened = msgspec.json.decode(open_(row["sealed"], str(row["number"])), type=_Opened)
                yield opened.cells, msgspec.json.decode(row["fault"], type=Fault)
            after = rows[-1]["number"]

    async def headings(self, tenant: str, job_id: str) -> tuple[str, ...]:
        """The headings of a CSV job."""
        sealed = await self._pool.fetchval("SELECT headings FROM vault.jobs WHERE job_id = $1", job_id)
        open_ = await self._vault.opener_of(tenant, job_id)
        return msgspec.json.decode(open_(sealed, "headings"), type=tuple[str, ...])

    async def claim(self, job_id: str, holder: str) -> bool:
        """Whether this process may work on the job for the next seconds: nobody else's claim is alive."""
        return await self._pool.fetchval(CLAIM, job_id, holder, CLAIM_SECONDS) is not None

    async def release(self, holder: str) -> None:
        """Give every claim back: this process ends."""
        await self._pool.execute(RELEASE, holder)

    async def forget(self, days: int) -> None:
        """Destroy what was sent by jobs that ended so many days ago or never came to be: rows, headings, data keys."""
        async with self._pool.acquire() as connection, connection.transaction():
            over = [row["job_id"] for row in await connection.fetch(OVER, days)]
            if over:
                await connection.execute(FORGET_ROWS, over)
                await connection.execute(FORGET_KEYS, over)

    async def _rows(self, statement: str, tenant: str, job_id: str, limit: int) -> list[StoredRow]:
        rows = await self._pool.fetch(statement, job_id, limit)
        if not rows:
            return []
        open_ = await self._vault.opener_of(tenant, job_id)
        return [
            StoredRow(
                number=row["number"],
                line=row["line"],
                body=msgspec.json.decode(open_(row["sealed"], str(row["number"])), type=_Opened).body,
                repeats=row["repeats"],
            )
            for row in rows
        ]

    async def _write(self, statement: str, job_id: str, outcomes: Sequence[RowOutcome]) -> None:
        await self._pool.execute(
            statement,
            job_id,
            [one.number for one in outcomes],
            [one.said for one in outcomes],
            [one.award_id for one in outcomes],
            [one.position for one in outcomes],
            [msgspec.json.encode(one.fault).decode() if one.fault else None for one in outcomes],
        )


def _identifiers(learner: Any) -> list[Identifier]:
    """By what a body names its learner, where it does; whether that is right is judged later."""
    if not isinstance(learner, dict):
        return []
    return [identifier_of(kind, learner[kind]) for kind in KINDS if isinstance(learner.get(kind), str)]


KEEP_JOB = """
INSERT INTO vault.jobs (job_id, tenant, headings) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true
"""
UNCHECKED = """
SELECT number, line, repeats, sealed FROM vault.job_rows
WHERE job_id = $1 AND outlook IS NULL AND sealed IS NOT NULL ORDER BY number LIMIT $2
"""
UNDONE = """
SELECT number, line, repeats, sealed FROM vault.job_rows
WHERE job_id = $1 AND outcome IS NULL AND sealed IS NOT NULL ORDER BY number LIMIT $2
"""
JUDGED = """
UPDATE vault.job_rows r SET outlook = g.said, award_id = g.award, fault = g.fault,
  outcome = CASE WHEN g.said IN ('refused', 'repeated') THEN g.said END
FROM unnest($2::int[], $3::text[], $4::text[], $5::bigint[], $6::text[]) AS g(number, said, award, position, fault)
WHERE r.job_id = $1 AND r.number = g.number AND r.outlook IS NULL
"""
DONE = """
UPDATE vault.job_rows r SET outcome = g.said, award_id = g.award, position = g.position, fault = g.fault,
  sealed = CASE WHEN g.said = 'refused' THEN r.sealed END
FROM unnest($2::int[], $3::text[], $4::text[], $5::bigint[], $6::text[]) AS g(number, said, award, position, fault)
WHERE r.job_id = $1 AND r.number = g.number AND r.outcome IS NULL
"""
COUNTS = "SELECT outlook, outcome, count(*) FROM vault.job_rows WHERE job_id = $1 GROUP BY outlook, outcome"
PAGE = """
SELECT number, line, outlook, outcome, award_id, position, fault FROM vault.job_rows
WHERE job_id = $1 AND number > $2 AND ($4::text IS NULL OR coalesce(outcome, outlook) = $4) ORDER BY number LIMIT $3
"""
REFUSED = """
SELECT number, sealed, fault FROM vault.job_rows
WHERE job_id = $1 AND number > $2 AND outcome = 'refused' AND sealed IS NOT NULL ORDER BY number LIMIT $3
"""
CLAIM = """
UPDATE vault.jobs SET holder = $2, claimed_until = now() + make_interval(secs => $3)
WHERE job_id = $1 AND (holder IS NOT DISTINCT FROM $2 OR claimed_until < now()) RETURNING true
"""
RELEASE = "UPDATE vault.jobs SET claimed_until = '-infinity' WHERE holder = $1"
OVER = """
SELECT j.job_id FROM vault.jobs j LEFT JOIN issuance.jobs p USING (job_id)
WHERE j.headings IS NOT NULL AND CASE WHEN p.job_id IS NULL THEN j.sent_at < now() - interval '1 day'
  ELSE p.state IN ('completed', 'cancelled') AND p.changed_at < now() - make_interval(days => $1) END
"""
FORGET_ROWS = "UPDATE vault.job_rows SET sealed = NULL, names = '{}' WHERE job_id = ANY($1)"
FORGET_KEYS = """
WITH gone AS (DELETE FROM vault.data_keys k USING vault.jobs j
  WHERE j.job_id = ANY($1) AND k.tenant = j.tenant AND k.pseudonym = j.job_id)
UPDATE vault.jobs SET headings = NULL WHERE job_id = ANY($1)
"""
