"""The standing of an award: valid, suspended or revoked. Pure rules over the stream `standing/<award id>`.

Rules. Only the institution that made an award changes its standing, and once that is closed its successor; to
everybody else the award is not there. Revoking
is final: nothing follows it. Suspending can be taken back, as often as it takes. A change that would change nothing
records nothing. Every change names a coded reason; free text is sealed beside the event under the learner's key. What
moves in the status lists is copied from the award into the event, so that a list follows from events alone.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from ledger import errors
from ledger.approvals.rules import ApprovalRequired
from ledger.codec import Fact, Recorded, format_time, parse_time
from ledger.errors import FieldError
from ledger.events import (
    Awarded,
    AwardReinstated,
    AwardRevoked,
    AwardSuspended,
    DocumentIssued,
    StandingChanged,
    StandingProposed,
    StatusEntry,
)
from revocation.issuers import deciding_issuer

ReasonCode = Literal[
    "academic_misconduct",
    "issued_in_error",
    "key_compromise",
    "learner_request",
    "other",
    "requirements_not_met",
    "review_cleared",
    "superseded",
    "under_review",
]
REASONS: dict[ReasonCode, str] = {
    "academic_misconduct": "The learner broke the institution's rules in earning it.",
    "issued_in_error": "It should not have been made: wrong person, achievement or content.",
    "key_compromise": "It was made, or may have been altered, with a key in other hands.",
    "learner_request": "The learner asked for it.",
    "other": "None of these; the free text says what.",
    "requirements_not_met": "It turned out that what the achievement asks for was not shown.",
    "review_cleared": "A review ended in the learner's favour.",
    "superseded": "A newer award takes its place.",
    "under_review": "It is being examined; nothing is decided yet.",
}
REASON_TABLE = "What each code means: " + " ".join(f"`{code}`: {text}" for code, text in REASONS.items())

Status = Literal["valid", "suspended", "revoked"]
Change = Literal["suspend", "reinstate", "revoke"]
RESULT: dict[Change, Status] = {"suspend": "suspended", "reinstate": "valid", "revoke": "revoked"}
EVENT: dict[Change, type[StandingChanged]] = {
    "suspend": AwardSuspended,
    "reinstate": AwardReinstated,
    "revoke": AwardRevoked,
}
FOUR_EYES: dict[Change, str] = {"revoke": "revocations"}  # what an institution's policy calls what takes a second key
PURPOSE: dict[Change, str] = {"suspend": "suspension", "reinstate": "suspension", "revoke": "revocation"}

SealedText = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=2000, description="Free text, sealed under the learner's key; not shown."),
]
Authority = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        description="The body or rule that decided, never a person: everybody can read it.",
    ),
]
Effective = Annotated[
    datetime, msgspec.Meta(tz=True, description="Since when it holds in the world; default now, never in the future.")
]


class ChangeStanding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the standing changes, on whose authority, and since when."""

    reason_code: Annotated[ReasonCode, msgspec.Meta(description=REASON_TABLE)]
    reason: SealedText | None = None
    authority: Authority | None = None
    effective: Effective | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an award stands: since when in the world (`since`), and the last event that made it so (`position`,
    `recorded_at`). For an award that nothing ever happened to, only the status. `version` is the stream's."""

    status: Status = "valid"
    reason_code: str | None = None
    since: str | None = None
    authority: str | None = None
    position: int | None = None
    recorded_at: datetime | None = None
    version: int = 0


def standing_of(history: Sequence[Recorded], version: int | None = None) -> Standing:
    """The standing behind a history, or as of a version of it."""
    standing = Standing()
    for recorded in history if version is None else history[:version]:
        event = recorded.event
        if isinstance(event, StandingChanged):
            standing = Standing(
                status=status_after(event),
                reason_code=event.reason_code,
                since=event.effective,
                authority=event.authority,
                position=recorded.position,
                recorded_at=recorded.recorded_at,
                version=recorded.version,
            )
    return standing


def status_after(event: StandingChanged) -> Status:
    """What an award is after this event."""
    match event:
        case AwardRevoked():
            return "revoked"
        case AwardSuspended():
            return "suspended"
        case AwardReinstated():
            return "valid"
    raise TypeError(f"{type(event).__name__} says nothing of a standing")


def rule_for(
    change: Change,
    wish: ChangeStanding,
    *,
    tenant: str,
    heirs: Sequence[str] = (),
    at: datetime,
    approval: str | None = None,
) -> Callable[..., list[Fact]]:
    """`decide`'s rule over (standing history, award history, institution histories); `at` is now, aware UTC.

    `tenant` made the award; where it is closed, `heirs` are its successors up to the one that decides, and their
    histories follow that of `tenant`. `approval` is the proposal that a second key approved; without it the rule raises
    ApprovalRequired for what takes one.
    """

    def rule(
        history: Sequence[Recorded], award_history: Sequence[Recorded], *institutions: Sequence[Recorded]
    ) -> list[Fact]:
        award = award_of(award_history, tenant)
        issuer = deciding_issuer((tenant, *heirs), institutions)
        facts = _facts(change, wish, history, award, made=_made(award_history), at=at)
        if facts and approval is None and FOUR_EYES.get(change) in issuer.four_eyes:
            raise ApprovalRequired("This institution lets a second key approve its revocations.")
        return [_approved(fact, approval) for fact in facts]

    return rule


def propose(
    change: Change,
    wish: ChangeStanding,
    history: Sequence[Recorded],
    standing_history: Sequence[Recorded],
    *read: Sequence[Recorded],
    chain: Sequence[str],
    at: datetime,
) -> list[Fact]:
    """The proposal of a change that could be made now; the histories are those of the proposal, the standing, and what
    `rule_for` reads. Raises as that rule does, and Conflict when no second key has to approve any more."""
    if history:
        return []
    if FOUR_EYES.get(change) not in deciding_issuer(chain, read[1:]).four_eyes:
        raise errors.Conflict("The institution's policy changed at this moment; try again.")
    rule = rule_for(change, wish, tenant=chain[0], heirs=chain[1:], at=at, approval="proposed")
    facts = rule(standing_history, *read)
    if not facts:
        raise errors.Conflict("The standing changed at this moment; try again.")
    event = StandingProposed(
        award_id=facts[0].event.award_id,  # type: ignore[attr-defined]
        change=change,
        reason_code=wish.reason_code,
        decides=chain[-1],
        effective=format_time(wish.effective) if wish.effective else None,
        authority=wish.authority,
    )
    return [Fact(event=event, at=at, subject=facts[0].subject, personal=facts[0].personal)]


def proposed_change(event: StandingProposed) -> tuple[Change, ChangeStanding]:
    """What was proposed. Its free text stays sealed beside the proposal."""
    wish = {
        "reason_code": event.reason_code,
        "authority": event.authority,
        "effective": parse_time(event.effective) if event.effective else None,
    }
    return msgspec.convert(event.change, Change), msgspec.convert(wish, ChangeStanding)


def award_of(history: Sequence[Recorded], tenant: str, before: int | None = None) -> Recorded:
    """The tenant's award by its newest document (or the newest before a position): what a correction replaced no longer
    counts. Raises NotFound, with the same words where it is another's."""
    for recorded in reversed(history):
        counts = before is None or recorded.position < before
        if counts and isinstance(recorded.event, DocumentIssued) and recorded.tenant == tenant:
            return recorded
    raise errors.NotFound("There is no such award.")


def entries_of(award: Recorded) -> list[StatusEntry]:
    """The places in status lists of the award's newest document: the only ones that a change of standing moves."""
    event = award.event
    return list(event.status) if isinstance(event, DocumentIssued) else []


def suspension_is_listed(award: Recorded) -> bool:
    """Whether a suspension shows in a list that foreign verifiers read (DESIGN §8: profile `full`)."""
    return any(entry.purpose == "suspension" for entry in entries_of(award))


def _approved(fact: Fact, approval: str | None) -> Fact:
    return msgspec.structs.replace(fact, event=msgspec.structs.replace(fact.event, approval=approval))


def _facts(
    change: Change,
    wish: ChangeStanding,
    history: Sequence[Recorded],
    award: Recorded,
    *,
    made: datetime,
    at: datetime,
) -> list[Fact]:
    now = standing_of(history)
    if now.status == RESULT[change]:
        return []
    if now.status == "revoked":
        raise errors.Refused("This award was revoked, and that is final.")
    if wish.effective is not None:
        _check_effective(wish.effective, now, made=made, at=at, change=change)
    effective = wish.effective or at
    event = EVENT[change](
        award_id=award.stream.partition("/")[2],
        reason_code=wish.reason_code,
        effective=format_time(effective),
        authority=wish.authority,
        entries=[entry for entry in entries_of(award) if entry.purpose == PURPOSE[change]],
    )
    personal = {} if wish.reason is None else {"reason": wish.reason}
    return [Fact(event=event, at=effective, subject=award.subject, personal=personal)]


def _made(award_history: Sequence[Recorded]) -> datetime:
    """Since when the award holds in the world at the earliest, whatever was corrected later."""
    event = next((r.event for r in award_history if isinstance(r.event, Awarded)), None)
    if event is None:
        raise TypeError("a standing is that of an award")
    return min(map(parse_time, (event.issued, event.awarded_date, event.valid_from)))


def _check_effective(effective: datetime, now: Standing, *, made: datetime, at: datetime, change: Change) -> None:
    """Neither in the future, nor before the award was made, nor a reinstatement before its suspension."""
    said = None
    if effective > at:
        said = "this moment has not come; a change holds from now or from the past"
    elif effective < made:
        said = "the award was not made yet"
    elif change == "reinstate" and now.since is not None and effective < parse_time(now.since):
        said = f"the suspension that this ends holds since {now.since}"
    if said is not None:
        where = [FieldError("/effective", said)]
        raise errors.Refused("The change cannot hold since that moment.", errors=where)
