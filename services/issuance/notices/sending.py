"""Sends what is due, for ever: claim rows, write the mail, hand it over, record what came of it. ○

Rules. Rows are claimed by locking them, so several processes share the work and a killed one lets go at once. The log
decides whether a notice was sent, not the row, which follows later. Between the mail system's 250 and our append a
crash leads to a second mail with the same Message-ID and the same link: that is as far as SMTP goes. What is to be
tried again waits in memory, from one second to half an hour; what was due for three days is late and stays unsent.
"""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog

from issuance.notices import rules
from issuance.notices.composing import Composing, Desk, Opened
from issuance.notices.letters import Sender, message_for
from issuance.notices.rules import Notice
from issuance.notices.transport import Away, Later, Refusal, Session, Transport
from ledger import ids
from ledger.codec import Actor, Fact, Recorded
from ledger.errors import Unavailable
from ledger.settings import MailSettings
from ledger.store import Store, Wish
from ledger.store.away import DATABASE_AWAY
from ledger.vault import Erased

PAUSE_SECONDS = 0.2
SESSIONS, MAILS_A_SESSION = 4, 3
AGAIN_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0)
HANDLED_SECONDS = 60.0  # until our own tables have surely seen what was recorded
COUNT_SECONDS = 5.0
CURRENT_SECONDS = 1.0
TRANSIENT: tuple[type[Exception], ...] = (Unavailable, *DATABASE_AWAY)
PASSED_ON: tuple[type[Exception], ...] = (Away, *TRANSIENT)
ACTOR = Actor(key="issuance", role="service")

log = structlog.get_logger()


class Sending:
    """The sender of one process. `outcomes` counts what it did, `waiting` what is due, for the metrics."""

    def __init__(self, store: Store, composing: Composing, transport: Transport | None, mail: MailSettings,
                 secret: bytes, clock: Callable[[], datetime]) -> None:  # fmt: skip
        self._clock = clock
        self._store, self._composing, self._transport, self._secret = store, composing, transport, secret
        self._sender, self._at_once = Sender(mail.sender), max(1, int(mail.per_second * PAUSE_SECONDS))
        self._tries: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._counted = 0.0
        self._desks: dict[str, Desk] = {}
        self._heads: deque[tuple[float, int]] = deque()  # when, and how long the log was then
        self.outcomes: Counter[str] = Counter()
        self.waiting, self.late = 0, 0

    async def run(self) -> None:
        """Until cancelled. Without a mail system and without a folder nothing is sent, and that is said once."""
        if self._transport is None:
            log.warning("learners get no notices: CREDLEDGER_SMTP_URL is not set")
        attempt = 0
        while True:
            pause = PAUSE_SECONDS
            with suppress(*TRANSIENT):
                await self._count()
                if self._transport is not None and await self._is_current():
                    try:
                        await self._send_due(self._transport)
                        attempt = 0
                    except Away as error:
                        pause = AGAIN_SECONDS[min(attempt, 3)]
                        attempt += 1
                        log.warning("the mail system is away", reason=str(error), again_in_seconds=pause)
            await asyncio.sleep(pause)

    async def _is_current(self) -> bool:
        """Whether our tables have seen what the log held a second ago: while they are filled anew, what was withheld
        or sent long ago looks due."""
        row = await self._store.pool.fetchrow(PLACES)
        clock = time.monotonic()
        self._heads.append((clock, row["head"]))
        while len(self._heads) > 1 and self._heads[1][0] <= clock - CURRENT_SECONDS:
            self._heads.popleft()
        since, head = self._heads[0]
        return since <= clock - CURRENT_SECONDS and row["seen"] is not None and row["seen"] >= head

    async def _send_due(self, transport: Transport) -> None:
        clock = time.monotonic()
        self._desks.clear()
        self._not_before = {n: t for n, t in self._not_before.items() if t > clock}
        async with self._store.pool.acquire() as claiming, claiming.transaction():
            late = rules.LATE_AFTER.total_seconds()
            rows = await claiming.fetch(CLAIM, late, list(self._not_before), self._at_once)
            if not rows:
                return
            queue = [_notice(row) for row in reversed(rows)]
            workers = min(SESSIONS, math.ceil(len(queue) / MAILS_A_SESSION))
            results = await asyncio.gather(
                *(self._work(transport, queue) for _ in range(workers)), return_exceptions=True
            )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _work(self, transport: Transport, queue: list[Notice]) -> None:
        async with transport.session() as session:
            while queue:
                notice = queue.pop()
                try:
                    await self._deliver(notice, session, real=transport.real)
                except Later as error:
                    self._again(notice, str(error))
                except PASSED_ON:
                    raise
                except Exception:
                    log.exception("a notice could not be made", notice=notice.notice_id)
                    self._again(notice, "fault")

    async def _deliver(self, notice: Notice, session: Session, *, real: bool) -> None:
        history = await self._store.load(notice.stream)
        if rules.outcome_of(history, notice.notice_id) is None:
            try:
                opened = await self._composing.opened(notice)
                await self._deliver_opened(notice, opened, session, real=real)
            except Erased:  # before or just after it went out; our tables will say so
                self.outcomes["erased"] += 1
        self._handled(notice)

    async def _deliver_opened(self, notice: Notice, opened: Opened, session: Session, *, real: bool) -> None:
        desk = await self._desk(notice.tenant)
        if opened.address is None:
            await self._failed(notice, "no_address")
        elif desk.institution.demo and real:
            await self._failed(notice, "demo")  # invented people's addresses may be somebody's
        elif not await self._composing.takes_mail(notice, opened.address):
            await self._failed(notice, "address_bounced")
        else:
            letter = await self._composing.letter(notice, opened, desk, at=self._clock())
            return_path = self._sender.return_path(notice.notice_id)
            try:
                await session.send(message_for(letter, self._sender), return_path, opened.address)
            except Refusal as refusal:
                await self._refused(notice, opened.address, refusal)
            else:
                to = opened.address
                await self.record(
                    notice, "sent", lambda history: rules.sent(notice, history, address=to, at=self._clock())
                )

    async def _desk(self, tenant: str) -> Desk:
        """The institution, read once a round."""
        if tenant not in self._desks:
            self._desks[tenant] = await self._composing.desk(tenant)
        return self._desks[tenant]

    async def _refused(self, notice: Notice, address: str, refusal: Refusal) -> None:
        if refusal.of_address:
            await self.record(
                notice,
                "bounced",
                lambda history: rules.bounced(
                    notice, history, status=f"{refusal.code // 100}.0.0", address=address, at=self._clock()
                ),
            )
        else:
            await self._failed(notice, "refused", refusal.code)

    async def _failed(self, notice: Notice, reason: str, smtp_code: int | None = None) -> None:
        await self.record(
            notice,
            "failed",
            lambda history: rules.failed(notice, history, reason=reason, smtp_code=smtp_code, at=self._clock()),
        )

    async def record(self, notice: Notice, outcome: str, rule: Callable[[Sequence[Recorded]], Sequence[Fact]]) -> None:
        """Append what became of a notice, once; its command follows from the notice."""

        wish = Wish(
            tenant=notice.tenant,
            command=ids.caused_command(self._secret, f"notice-{outcome}", notice.notice_id),
            actor=ACTOR,
        )
        decision = await self._store.decide(notice.stream, rule, wish=wish)
        if decision.events and not decision.replayed:
            self.outcomes[outcome] += 1
            log.info("notice", notice=notice.notice_id, kind=notice.kind, outcome=outcome)

    def _handled(self, notice: Notice) -> None:
        self._tries.pop(notice.notice_id, None)
        self._not_before[notice.notice_id] = time.monotonic() + HANDLED_SECONDS

    def _again(self, notice: Notice, reason: str) -> None:
        wait = AGAIN_SECONDS[min(self._tries[notice.notice_id], len(AGAIN_SECONDS) - 1)]
        self._tries[notice.notice_id] += 1
        self._not_before[notice.notice_id] = time.monotonic() + wait
        self.outcomes["again"] += 1
        log.info("notice", notice=notice.notice_id, kind=notice.kind, outcome="again", reason=reason, in_seconds=wait)

    async def _count(self) -> None:
        if time.monotonic() - self._counted < COUNT_SECONDS:
            return
        self._counted = time.monotonic()
        row = await self._store.pool.fetchrow(COUNT, rules.LATE_AFTER.total_seconds())
        self.waiting, self.late = row["waiting"], row["late"]


def _notice(row: Any) -> Notice:
    return Notice(**dict(row))


PLACES = """
SELECT (SELECT position FROM ledger.logs WHERE log_id = 0) AS head,
  (SELECT position FROM issuance.positions WHERE name = 'notices') AS seen
"""
CLAIM = """
SELECT n.notice_id, n.tenant, n.pseudonym, n.award_id, n.kind, n.cause, s.not_before
FROM issuance.notice_states s JOIN issuance.notices n USING (notice_id)
WHERE s.state = 'due' AND s.not_before <= now() AND s.not_before > now() - make_interval(secs => $1)
  AND s.notice_id <> ALL($2::text[])
ORDER BY s.not_before, n.cause LIMIT $3 FOR UPDATE OF n SKIP LOCKED
"""
COUNT = """
SELECT count(*) FILTER (WHERE not_before > now() - make_interval(secs => $1)) AS waiting,
  count(*) FILTER (WHERE not_before <= now() - make_interval(secs => $1)) AS late
FROM issuance.notice_states WHERE state = 'due' AND not_before <= now()
"""
