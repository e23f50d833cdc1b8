"""`/v1/notices`: what learners were told by mail, one more mail, and mails that came back."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from issuance.notices import rules
from issuance.notices.bounces import returned
from issuance.notices.rules import LATE_AFTER, Notice, notice_id_for
from issuance.parts import Issuance, now, own_tenant
from ledger import errors
from ledger.codec import format_time
from ledger.vault import Erased
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers

REPORT_LIMIT = 500_000


class NoticeItem(msgspec.Struct, frozen=True, kw_only=True):
    """A notice: about which award, of which kind, and its state: `due` (to be sent from `not_before` on), `sent`,
    `failed`, `bounced`, `late` (could not be sent for three days), `withheld` (notices were off, or the award was
    revoked before its learner was to be told) or `erased`. `position` is the event that caused it; `reason` says why it
    did not go out; `copy_of` is the notice that was to be sent once more. Never an address."""

    id: str
    award_id: str
    learner_id: str
    kind: str
    state: str
    reason: str | None
    not_before: str
    position: int
    copy_of: str | None


class NoticeAgain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing needs to be said."""


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail that came back, raw, as a delivery status notification (RFC 3464)."""

    message: Annotated[str, msgspec.Meta(min_length=1, max_length=REPORT_LIMIT)]


class Reported(msgspec.Struct, frozen=True):
    """What the report said: about which notice, with which status (RFC 3463). `bounced` is false for a delay, which
    changes nothing."""

    notice_id: str
    award_id: str
    status: str
    bounced: bool


@get("/v1/notices", tags=["Notices"], operation_id="listNotices", opt=requires("notices:read"))
async def list_notices(
    request: Request[Any, Any, Any],
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    award_id: Annotated[str | None, QueryParameter(max_length=64, description="Notices about this award.")] = None,
) -> Response[Page[NoticeItem]]:
    """The notices of the caller's own awards, newest first, without anything personal."""
    await issuance.caught_up()
    cause, notice = paging.after or (2**62, "")
    rows = await issuance.store.pool.fetch(
        LIST, own_tenant(caller_of(request)), cause, notice, award_id, paging.limit + 1
    )
    late = now() - LATE_AFTER
    return paging.answer([_item(row, late) for row in rows], place=lambda item: [item.position, item.id])


@post("/v1/notices/{notice_id:str}/resend", tags=["Notices"],
     operation_id="resendNotice", status_code=201,
      opt=requires("notices:write", errors=(errors.NotFound, errors.Gone)))  # fmt: skip
async def resend_notice(
    request: Request[Any, Any, Any],
    notice_id: FromPath[str],
    data: JSONBody[NoticeAgain],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[NoticeItem]:
    """Send a notice once more, as a new one with a fresh link, to the address that the learner has now."""
    notice, at = await _own(issuance, notice_id, own_tenant(caller_of(request))), now()
    decision = await issuance.store.decide(
        notice.stream,
        lambda _, learner_history: rules.requested(notice, learner_history, at=at),
        wish=issuance.wish(request, wish, notice.tenant),
        reads=(f"learner/{notice.pseudonym}",),
    )
    recorded = decision.events[0]
    copy = NoticeItem(
        id=notice_id_for("copy", recorded.leaf), award_id=notice.award_id, learner_id=notice.pseudonym,
        kind=notice.kind, state="due", reason=None, not_before=format_time(recorded.recorded_at),
        position=recorded.position, copy_of=notice.notice_id,
    )  # fmt: skip
    return Response(copy, status_code=201, headers=replay_headers(replayed=decision.replayed))


@post("/v1/notices/bounces", tags=["Notices"],
     operation_id="reportBounce", status_code=200,
      opt=requires("bounces:write", errors=(errors.NotFound,), text_limit=REPORT_LIMIT))  # fmt: skip
async def report_bounce(
    request: Request[Any, Any, Any],
    data: JSONBody[Report],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Reported]:
    """Hand in a mail that came back. The notice is found by the return path or the Message-ID; its address is not
    mailed again until the learner has another one."""
    report, caller = returned(data.message), caller_of(request)
    notice = await _own(issuance, report.notice_id, caller.tenant)
    answer = Reported(report.notice_id, notice.award_id, report.status, report.failed)
    if not report.failed:
        return Response(answer)
    address, at = await _address(issuance, notice), now()
    decision = await issuance.store.decide(
        notice.stream,
        lambda history: rules.bounced(notice, history, status=report.status, address=address, at=at),
        wish=issuance.wish(request, wish, notice.tenant),
    )
    return Response(answer, headers=replay_headers(replayed=decision.replayed))


async def _own(issuance: Issuance, notice_id: str, tenant: str | None) -> Notice:
    """A notice of this tenant; of any for the operator. Raises NotFound."""
    row = await issuance.store.pool.fetchrow(ONE, notice_id)
    if row is None:
        await issuance.caught_up()
        row = await issuance.store.pool.fetchrow(ONE, notice_id)
    if row is None or (tenant is not None and row["tenant"] != tenant):
        raise errors.NotFound("There is no such notice.")
    return Notice(**dict(row))


async def _address(issuance: Issuance, notice: Notice) -> str | None:
    """Where a notice went; None where that is not known (any more)."""
    sent = rules.sent_in(await issuance.store.load(notice.stream), notice.notice_id)
    try:
        return None if sent is None else (await issuance.vault.open(sent)).get("email")
    except Erased:
        return None


def _item(row: Any, late: datetime) -> NoticeItem:
    state = "late" if row["state"] == "due" and row["not_before"] <= late else row["state"]
    return NoticeItem(
        id=row["notice_id"], award_id=row["award_id"], learner_id=row["pseudonym"], kind=row["kind"], state=state,
        reason=row["reason"], not_before=format_time(row["not_before"]), position=row["cause"], copy_of=row["copy_of"],
    )  # fmt: skip


LIST = """
SELECT n.notice_id, n.award_id, n.pseudonym, n.kind, s.state, s.reason, s.not_before, n.cause, n.copy_of
FROM issuance.notices n JOIN issuance.notice_states s USING (notice_id)
WHERE n.tenant = $1 AND (n.cause, n.notice_id) < ($2, $3) AND ($4::text IS NULL OR n.award_id = $4)
ORDER BY n.cause DESC, n.notice_id DESC LIMIT $5
"""
ONE = """
SELECT n.notice_id, n.tenant, n.pseudonym, n.award_id, n.kind, n.cause, s.not_before
FROM issuance.notices n JOIN issuance.notice_states s USING (notice_id) WHERE n.notice_id = $1
"""
HANDLERS = [list_notices, report_bounce, resend_notice]
