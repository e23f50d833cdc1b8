"""What may be corrected in a credential, as a wish: what differs, and why."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from issuance.awards import CREDITS_BELOW, Decimal, Email, Evidence, Line, Result, Text
from ledger import errors
from ledger.credentials.lexical import DID_PATTERN, decimal_text
from ledger.errors import FieldError
from ledger.identifiers import Identifier, identifier_of

ReasonCode = Literal["content_error", "learner_request", "name_changed", "name_error", "other", "results_changed"]
REASONS: dict[ReasonCode, str] = {
    "content_error": "It said something wrong: a text, a date, a piece of evidence.",
    "learner_request": "The learner asked for it.",
    "name_changed": "The learner's name has changed since.",
    "name_error": "The learner's name was wrong.",
    "other": "None of these; the free text says what.",
    "results_changed": "Results or credits were wrong, or were assessed anew.",
}
REASON_TABLE = "What each code means: " + " ".join(f"`{code}`: {text}" for code, text in REASONS.items())
Reason = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=2000, description="Free text, sealed under the learner's key; not shown."),
]


class LearnerChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the document shall name the learner: another name (null takes it out), and by at most one other identifier,
    which must be recorded for the learner already (`PUT /v1/learners/{learner_id}`)."""

    name: Line | UnsetType | None = UNSET
    email: Email | UnsetType = UNSET
    did: Annotated[str, msgspec.Meta(pattern=DID_PATTERN, max_length=500)] | UnsetType = UNSET
    student_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    identity: Literal["hashed", "plain"] | UnsetType = UNSET


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the document shall say otherwise; what is not named stays, null takes a member out."""

    learner: LearnerChanges | UnsetType = UNSET
    narrative: Text | UnsetType | None = UNSET
    evidence: Annotated[list[Evidence], msgspec.Meta(max_length=50)] | UnsetType | None = UNSET
    results: Annotated[list[Result], msgspec.Meta(max_length=50)] | UnsetType | None = UNSET
    credits_earned: Decimal | int | float | UnsetType | None = UNSET
    license_number: Line | UnsetType | None = UNSET
    term: Line | UnsetType | None = UNSET
    valid_until: datetime | UnsetType | None = UNSET
    renew_by: datetime | UnsetType | None = UNSET


class CorrectAward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong in a credential, and why it is corrected."""

    changes: Changes
    reason_code: Annotated[ReasonCode, msgspec.Meta(description=REASON_TABLE)]
    reason: Reason | None = None


class ReissueAward(msgspec.Struct, frozen=True):
    """The same content once more, under the keys and the profile of now, such as after a key was stolen."""

    reason_code: str


def named_in(changes: Changes) -> Identifier | None:
    """The identifier by which the document shall name the learner, where it is another. Raises Malformed for two."""
    learner = changes.learner
    if isinstance(learner, UnsetType):
        return None
    given = [(kind, value) for kind in ("email", "did", "student_id") if (value := getattr(learner, kind)) is not UNSET]
    if len(given) > 1:
        where = [
            FieldError(f"/changes/learner/{kind}", "a document names the learner by one of these") for kind, _ in given
        ]
        raise errors.Malformed("The learner is named in several ways.", errors=where)
    return identifier_of(*given[0]) if given else None


def check(wish: CorrectAward, *, at: datetime) -> None:
    """What the types cannot say. Raises Malformed with a pointer to every bad field."""
    changes, bad = wish.changes, []
    if all(getattr(changes, name) in (UNSET, LearnerChanges()) for name in changes.__struct_fields__):
        bad.append(FieldError("/changes", "names nothing that shall be otherwise"))
    for name in ("valid_until", "renew_by"):
        moment = getattr(changes, name)
        if isinstance(moment, datetime) and moment.tzinfo is None:
            bad.append(FieldError(f"/changes/{name}", "the time needs a zone, such as Z"))
        elif isinstance(moment, datetime) and moment <= at:
            bad.append(FieldError(f"/changes/{name}", "it lies in the past; the corrected document begins now"))
    earned = changes.credits_earned
    if not isinstance(earned, UnsetType | None) and decimal_text(earned, below=CREDITS_BELOW) is None:
        bad.append(FieldError("/changes/credits_earned", "must be a number from 0 with at most two places"))
    for i, evidence in enumerate(changes.evidence if isinstance(changes.evidence, list) else ()):
        if evidence.id is None and evidence.narrative is None:
            bad.append(FieldError(f"/changes/evidence/{i}", "one of id and narrative is required"))
    if bad:
        raise errors.Malformed("The correction has fields that cannot be right.", errors=bad)
    named_in(changes)
