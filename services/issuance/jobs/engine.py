"""The engine: carries jobs on, one batch each in turn, whatever stops it on the way.

Rules. A job is worked on by one process at a time, whose claim runs out when it dies; two at once would do no harm,
since a row's command is always the same. What a batch did is written down after it was committed: a row that was done
and not written down is done again, and answered as it was. A part that is away (PostgreSQL, NATS, revocation) is
waited for; a row that fails in a way nobody foresaw is set aside with its reason, and the others go on. Single awards
go first: while there are some, batches are small and give way between two rows.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from issuance.jobs import rules
from issuance.jobs.action_rows import MappedRows, ResultRows
from issuance.jobs.award_rows import AwardRows
from issuance.jobs.records import Fault, Records, RowOutcome, StoredRow
from issuance.jobs.rules import JobState
from issuance.jobs.standing_rows import StandingRows
from issuance.jobs.wishes import RowKind, Work
from issuance.parts import Issuance, now
from issuance.signing import TRANSIENT
from ledger import ids
from ledger.codec import Actor, Fact, Recorded
from ledger.store import Wish
from ledger.store.store import PERSON
from ledger.vault import Erased

BATCH_ROWS = 64
BUSY_BATCH_ROWS = 8
CHECK_ROWS = 256
IDLE_SECONDS = 0.25
RETRY_SECONDS = 0.5
SWEEP_SECONDS = 3600.0

KINDS: Mapping[str, RowKind] = {
    "awards": AwardRows(),
    "results": ResultRows(),
    "mapped": MappedRows(),
    "revocations": StandingRows("revoke"),
    "suspensions": StandingRows("suspend"),
}
Ask = Callable[[Work, Sequence[StoredRow]], Awaitable[list[RowOutcome]]]

log = structlog.get_logger()


class Engine:
    """Runs the jobs of all institutions in this process."""

    def __init__(self, issuance: Issuance, records: Records) -> None:
        self._issuance, self._records = issuance, records
        self._holder = secrets.token_hex(8)

    async def run(self) -> None:
        """Until cancelled: carry on every job that may run."""
        store = self._issuance.store
        waker = store.waker()
        try:
            while True:
                waker.clear()
                worked = False
                with suppress(*TRANSIENT):
                    for row in await store.pool.fetch(ACTIVE):
                        worked |= await self._carry_on(row["job_id"])
                if not worked:
                    await store.woken(waker, IDLE_SECONDS)
        finally:
            store.drop_waker(waker)
            with suppress(*TRANSIENT):
                await asyncio.shield(self._records.release(self._holder))

    async def sweep(self) -> None:
        """For ever: what was sent goes when its retention ends, and so does what no job ever named."""
        days = self._issuance.settings.job_retention_days
        while True:
            with suppress(*TRANSIENT):
                await self._records.forget(days)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _carry_on(self, job_id: str) -> bool:
        """One batch of a job; whether there was something to do."""
        if not await self._records.claim(job_id, self._holder):
            return False
        history = await self._issuance.store.load(f"job/{job_id}")
        job = rules.job_of(history)
        if job is None or job.state not in rules.ACTIVE:
            return False
        try:
            work = await self._work(job, history[0])
            return await (self._check(work) if job.state == "checking" else self._do(work))
        except TRANSIENT as error:
            log.info("job waits", job=job_id, reason=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
            return False

    async def _work(self, job: JobState, created: Recorded) -> Work:
        person = None
        if any(item["n"] == PERSON for item in created.envelope["pd"]):
            with suppress(Erased):
                person = (await self._issuance.vault.open(created)).get(PERSON)
        actor = Actor(key=created.actor["key"], role=created.actor["role"])
        return Work(issuance=self._issuance, job=job, actor=actor, person=person)

    async def _check(self, work: Work) -> bool:
        rows = await self._records.unchecked(work.job.tenant, work.job.id, CHECK_ROWS)
        if rows:
            await self._records.judged(work.job.id, await self._each(work, rows, KINDS[work.job.created.kind].judge))
            return True
        outlooks, _ = await self._records.counts(work.job.id)
        await self._append(work, "job-checked", lambda history: rules.checked(outlooks, history, at=now()))
        return True

    async def _do(self, work: Work) -> bool:
        limit = BUSY_BATCH_ROWS if self._issuance.traffic.busy else BATCH_ROWS
        rows = await self._records.undone(work.job.tenant, work.job.id, limit)
        if rows:
            await self._records.done(work.job.id, await self._each(work, rows, KINDS[work.job.created.kind].do))
            return True
        _, outcomes = await self._records.counts(work.job.id)
        await self._append(work, "job-completed", lambda history: rules.complete(outcomes, history, at=now()))
        return True

    async def _each(self, work: Work, rows: Sequence[StoredRow], ask: Ask) -> list[RowOutcome]:
        """What a batch came to; where it fails in a way nobody foresaw, row by row, to find the one that did."""
        try:
            return await ask(work, rows)
        except TRANSIENT:
            raise
        except Exception as error:
            if len(rows) > 1:
                return [one for row in rows for one in await self._each(work, [row], ask)]
            log.exception("a row failed", job=work.job.id, row=rows[0].number)
            detail = f"The row failed unexpectedly ({type(error).__name__}); the operator's log has the rest."
            return [RowOutcome(number=rows[0].number, said="refused", fault=Fault("internal", detail))]

    async def _append(self, work: Work, purpose: str, rule: Callable[[Sequence[Recorded]], list[Fact]]) -> None:
        secret = self._issuance.settings.server_secret
        wish = Wish(
            tenant=work.job.tenant,
            command=ids.caused_command(secret, purpose, work.job.id),
            actor=Actor(key="issuance", role="service"),
        )

        def asked(*histories: Any) -> list[Fact]:
            return rule(histories[0])

        await self._issuance.store.decide(f"job/{work.job.id}", asked, wish=wish)


ACTIVE = "SELECT job_id FROM issuance.jobs WHERE state IN ('checking', 'running') ORDER BY position"
