"""Assessment results: an achievement version, a learner, what came out. Pure rules over the stream `result/<id>`.

Rules. A result pins an achievement version and fits what that version describes. What came out is personal: it is a
sealed value beside the event, as is every free text. A correction replaces the outcome, whole; what is withdrawn counts
no longer and cannot be corrected. Times are RFC 3339 with a zone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from issuance.awards import Evidence, ExternalId, Learner, Overtaken, ResultStatus, version_to_award
from issuance.institutions import ReasonCode, active_institution
from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.credentials.lexical import LINE_PATTERN, TEXT_PATTERN
from ledger.errors import FieldError
from ledger.events import LearnerErased, ResultCorrected, ResultRecorded, ResultWithdrawn

CLOCK_SLACK = timedelta(minutes=10)
OUTCOME = ("value", "status", "achieved_level")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=LINE_PATTERN)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=TEXT_PATTERN)]
Source = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
AchievementId = Annotated[str, msgspec.Meta(pattern=r"^ach_[a-z2-7]{26}$")]


class RecordResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An outcome against an achievement: Open Badges 3.0 Result, recorded before or without an award.

    `result_description` and `achieved_level` are the key or the id of one of the version's; the version defaults to the
    newest that is not withdrawn; `assessed_at` to now. `source` is a short name of the system that assessed.
    `external_id` is the institution's own name for the result, and can be given once: a second result of that name is
    refused (409), or answered with the first where `on_duplicate` is `return` and it is the same learner's.
    """

    achievement_id: AchievementId
    learner: Learner
    achievement_version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    result_description: Name | None = None
    value: Line | None = None
    status: ResultStatus | None = None
    achieved_level: Name | None = None
    evidence: Annotated[list[Evidence], msgspec.Meta(max_length=50)] = []
    assessed_at: datetime | None = None
    source: Source | None = None
    external_id: ExternalId | None = None
    on_duplicate: Literal["refuse", "return"] = "refuse"


class CorrectResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The outcome as it should have been, whole, and why, as a code; `reason` is free text, which is sealed."""

    value: Line | None = None
    status: ResultStatus | None = None
    achieved_level: Name | None = None
    assessed_at: datetime | None = None
    reason_code: ReasonCode = "reassessed"
    reason: Text | None = None


class WithdrawResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why the result counts no longer, as a code; `reason` is free text, which is sealed."""

    reason_code: ReasonCode = "recorded_in_error"
    reason: Text | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What a result was made from, where a mapping made it: an opaque name, the mapping, and what was sent."""

    name: str | None = None
    mapping: str | None = None
    mapping_version: int | None = None
    statement: dict[str, Any] | None = None


class AlreadyRecorded(errors.Conflict):
    """The external id names another result."""

    code, title = "already_recorded", "That was recorded already"


class ResultState(msgspec.Struct, frozen=True):
    """A result as its stream tells it: the first event, the one whose sealed outcome counts, and its end."""

    recorded: Recorded
    outcome: Recorded
    assessed_at: str
    withdrawn: str | None  # the reason's code
    version: int


def check(wish: RecordResult | CorrectResult, *, at: datetime) -> None:
    """What the types cannot say. Raises Malformed with a pointer to every bad field."""
    bad = []
    if wish.assessed_at is not None and wish.assessed_at.tzinfo is None:
        bad.append(FieldError("/assessed_at", "the time needs a zone, such as Z"))
    elif wish.assessed_at is not None and wish.assessed_at > at + CLOCK_SLACK:
        bad.append(FieldError("/assessed_at", "this moment has not come yet"))
    if not any(getattr(wish, name) for name in OUTCOME):
        bad.append(FieldError("", "one of value, status and achieved_level is required"))
    for i, evidence in enumerate(getattr(wish, "evidence", ())):
        if evidence.id is None and evidence.narrative is None:
            bad.append(FieldError(f"/evidence/{i}", "one of id and narrative is required"))
    if bad:
        raise errors.Malformed("The result has fields that cannot be right.", errors=bad)


def record(
    wish: RecordResult,
    history: Sequence[Recorded],
    institution: Sequence[Recorded],
    achievement: Sequence[Recorded],
    learner: Sequence[Recorded],
    *,
    pseudonym: str,
    origin: Origin,
    at: datetime,
) -> list[Fact]:
    """The result; nothing when it is there already.

    Raises NotFound, Refused (institution not active, version withdrawn, an outcome that does not fit) or Overtaken
    when the learner's record is being erased at this moment.
    """
    tenant = active_institution(institution).id
    if history:
        return []
    published = version_to_award(wish.achievement_version, achievement)
    if published.tenant != tenant:
        raise errors.NotFound("There is no such achievement.")
    if any(isinstance(r.event, LearnerErased) for r in learner):
        raise Overtaken("This learner's record is being erased; try again.")
    document: dict[str, Any] = published.event.document  # type: ignore[attr-defined]
    description = described(document, wish.result_description)
    assessed = wish.assessed_at or at
    event = ResultRecorded(
        achievement_id=wish.achievement_id,
        achievement_version=published.event.achievement_version,  # type: ignore[attr-defined]
        assessed_at=format_time(assessed),
        result_description=description["id"] if description else None,
        source=wish.source,
        origin=origin.name,
        mapping=origin.mapping,
        mapping_version=origin.mapping_version,
    )
    personal = {
        "outcome": _outcome(wish, description),
        "evidence": msgspec.to_builtins(wish.evidence) or None,
        "external_id": wish.external_id,
        "statement": origin.statement,
    }
    kept = {name: value for name, value in personal.items() if value is not None}
    return [Fact(event=event, at=assessed, subject=pseudonym, personal=kept)]


def correct(
    wish: CorrectResult,
    history: Sequence[Recorded],
    institution: Sequence[Recorded],
    achievement: Sequence[Recorded],
    learner: Sequence[Recorded],
    *,
    at: datetime,
) -> list[Fact]:
    """The outcome from now on. Raises NotFound, Refused (withdrawn, or an outcome that does not fit) or Gone."""
    active_institution(institution)
    state = existing(history)
    if state.withdrawn is not None:
        raise errors.Refused("This result was withdrawn; record another one.")
    if any(isinstance(r.event, LearnerErased) for r in learner):
        raise errors.Gone("This learner's record was erased.")
    first = _first(state)
    published = document_of(first.achievement_version, achievement)
    description = described(published, first.result_description)
    event = ResultCorrected(
        reason_code=wish.reason_code, assessed_at=format_time(wish.assessed_at) if wish.assessed_at else None
    )
    personal: dict[str, Any] = {"outcome": _outcome(wish, description)}
    if wish.reason is not None:
        personal["reason"] = wish.reason
    return [Fact(event=event, at=at, subject=state.recorded.subject, personal=personal)]


def withdraw(
    wish: WithdrawResult,
    history: Sequence[Recorded],
    institution: Sequence[Recorded],
    learner: Sequence[Recorded],
    *,
    at: datetime,
) -> list[Fact]:
    """The fact that the result counts no longer; nothing when that is so already. Raises NotFound, Refused or Gone."""
    active_institution(institution)
    state = existing(history)
    if state.withdrawn is not None:
        return []
    if any(isinstance(r.event, LearnerErased) for r in learner):
        raise errors.Gone("This learner's record was erased.")
    personal = {"reason": wish.reason} if wish.reason is not None else {}
    event = ResultWithdrawn(reason_code=wish.reason_code)
    return [Fact(event=event, at=at, subject=state.recorded.subject, personal=personal)]


def result_of(history: Sequence[Recorded], version: int | None = None) -> ResultState | None:
    """The result behind a history, by default now; None before it was recorded."""
    state: ResultState | None = None
    for recorded in history[:version]:
        match recorded.event:
            case ResultRecorded(assessed_at=assessed_at):
                state = ResultState(recorded, recorded, assessed_at, None, recorded.version)
            case ResultCorrected(assessed_at=assessed_at) if state:
                state = ResultState(
                    state.recorded, recorded, assessed_at or state.assessed_at, state.withdrawn, recorded.version
                )
            case ResultWithdrawn(reason_code=code) if state:
                state = msgspec.structs.replace(state, withdrawn=code, version=recorded.version)
    return state


def existing(history: Sequence[Recorded]) -> ResultState:
    """The result behind a history. Raises NotFound."""
    state = result_of(history)
    if state is None:
        raise errors.NotFound("There is no such result.")
    return state


def described(document: Mapping[str, Any], name: str | None) -> dict[str, Any] | None:
    """The result description with this key or id, of an achievement's document. Raises Refused."""
    if name is None:
        return None
    for description in document.get("resultDescription", []):
        if name in (description["id"], description["id"].partition("#")[2]):
            found: dict[str, Any] = description
            return found
    where = [FieldError("/result_description", "this version has no such result description")]
    raise errors.Refused("The result does not fit the achievement.", errors=where)


def document_of(version: int, history: Sequence[Recorded]) -> dict[str, Any]:
    """The document of a version that was published once, withdrawn since or not."""
    for recorded in history:
        if getattr(recorded.event, "achievement_version", None) == version and hasattr(recorded.event, "document"):
            document: dict[str, Any] = recorded.event.document
            return document
    raise errors.NotFound(f"This achievement has no version {version}.")


def _outcome(wish: RecordResult | CorrectResult, description: dict[str, Any] | None) -> dict[str, str]:
    """What is sealed: value, status and the id of the level reached. Raises Refused where it does not fit."""
    outcome = {name: value for name in OUTCOME if (value := getattr(wish, name)) is not None}
    bad = []
    if wish.achieved_level is not None:
        level = _level(description or {}, wish.achieved_level)
        if level is None:
            bad.append(FieldError("/achieved_level", "the result description has no such level"))
        else:
            outcome["achieved_level"] = level
    if description is not None and description.get("resultType") == "Status" and wish.status is None:
        bad.append(FieldError("/status", "a result of type Status needs a status"))
    allowed = (description or {}).get("allowedValue", [])
    if wish.value is not None and allowed and wish.value not in allowed:
        bad.append(FieldError("/value", f"the result description allows {', '.join(allowed[:20])}"))
    if bad:
        raise errors.Refused("The result does not fit the achievement.", errors=bad)
    return outcome


def _level(description: Mapping[str, Any], name: str) -> str | None:
    for level in description.get("rubricCriterionLevel", []):
        if name in (level["id"], level["id"].removeprefix(description["id"] + "-")):
            return str(level["id"])
    return None


def _first(state: ResultState) -> ResultRecorded:
    event = state.recorded.event
    if not isinstance(event, ResultRecorded):
        raise TypeError("a result begins with result.recorded")
    return event
