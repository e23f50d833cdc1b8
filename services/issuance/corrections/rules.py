"""Corrections: the same award, a new document. Pure rules over the award's stream.

Rules. A correction says what differs; the rest is what the newest document says. The new document has a capability, a
place in the status lists and a `validFrom` of its own; award id, standing and awarded date stay, and so does the
achievement version that the award pins. Profile and keys are those of now. Only a valid award is corrected: one that is
suspended is reinstated first, one that was revoked is awarded anew. What would change nothing is refused.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from issuance import institutions
from issuance.awards import CREDITS_BELOW, DocumentFor, check_results
from issuance.corrections.wishes import Changes, CorrectAward, LearnerChanges, ReissueAward, named_in
from issuance.documents import signable_digest
from ledger import errors
from ledger.codec import DOCUMENT_NONCE, Fact, Recorded, format_time, parse_time
from ledger.credentials.lexical import decimal_text
from ledger.errors import FieldError
from ledger.events import (
    AwardCorrected,
    AwardRevoked,
    AwardSuspended,
    DocumentIssued,
    LearnerErased,
    StandingChanged,
    StatusEntry,
)

# What is sealed beside a document's event without standing in the document, or is drawn anew for each.
OF_THE_EVENT = frozenset({"capability", "person", "reason", DOCUMENT_NONCE})


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction needs from outside: the opened values of the document at position `replaces`, the achievement
    version that the award pins, and the new document's capability, salt and places in the status lists."""

    replaces: int
    personal: Mapping[str, Any]
    published: Recorded
    subject_id: str  # what the subject is called when it has no DID: a urn:uuid: of the pseudonym
    capability: str
    salt: str
    status: list[StatusEntry] = []


class Content(msgspec.Struct, frozen=True):
    """What a document says that a correction can change: the sealed values by name, and the public dates."""

    personal: dict[str, Any]
    valid_until: str | None
    renew_by: str | None


def document_of(history: Sequence[Recorded]) -> Recorded:
    """The event that the newest document of an award follows from. Raises NotFound where nothing was awarded."""
    for recorded in reversed(history):
        if isinstance(recorded.event, DocumentIssued):
            return recorded
    raise errors.NotFound("There is no such award.")


def correct(
    wish: CorrectAward | ReissueAward,
    history: Sequence[Recorded],
    standing_history: Sequence[Recorded],
    institution_history: Sequence[Recorded],
    learner_history: Sequence[Recorded],
    *,
    material: Material,
    document_for: DocumentFor,
    at: datetime,
) -> list[Fact]:
    """The correction, with the digest of the document that will be signed for it.

    Raises NotFound, Refused (institution inactive, award revoked or suspended, ended, nothing changed, results that do
    not fit) or Conflict where the award was corrected, or its learner erased, at this very moment.
    """
    institution = institutions.active_institution(institution_history)
    replaced = document_of(history)
    if replaced.tenant != institution.id:
        raise errors.NotFound("There is no such award.")
    if any(isinstance(r.event, LearnerErased) for r in learner_history):
        raise errors.Conflict("This learner's record is being erased; its awards are corrected no more.")
    _check_standing(standing_history)
    if replaced.position != material.replaces:
        raise errors.Conflict("This award is being corrected by somebody else; look at it and try again.")
    old = _document(replaced)
    content = _content(wish, old, material)
    valid_from = max(at, parse_time(old.valid_from))
    _check_dates(content, valid_from)
    event = AwardCorrected(
        achievement_id=old.achievement_id,
        achievement_version=old.achievement_version,
        profile_version=institution.version,
        keys=[institution.key(algorithm).id for algorithm in institutions.ALGORITHMS],
        issued=format_time(at),
        awarded_date=old.awarded_date,
        valid_from=format_time(valid_from),
        valid_until=content.valid_until,
        renew_by=content.renew_by,
        status=material.status,
        reason_code=wish.reason_code,
        superseded=old.status,
    )
    personal = {**content.personal, "capability": material.capability}
    document = document_for(event, personal, institution, material.published)
    if isinstance(wish, CorrectAward) and wish.reason is not None:
        personal["reason"] = wish.reason
    digest = signable_digest(document)
    return [Fact(event=event, at=at, subject=replaced.subject, personal=personal, document_digest=digest)]


def _document(recorded: Recorded) -> DocumentIssued:
    event = recorded.event
    if not isinstance(event, DocumentIssued):
        raise TypeError("only what issued a document can be corrected")
    return event


def _check_standing(history: Sequence[Recorded]) -> None:
    changes = [recorded.event for recorded in history if isinstance(recorded.event, StandingChanged)]
    match changes[-1:]:
        case [AwardRevoked()]:
            raise errors.Refused("This award was revoked, and that is final; award anew instead.")
        case [AwardSuspended()]:
            raise errors.Refused("This award is suspended; reinstate it first, then correct it.")


def _content(wish: CorrectAward | ReissueAward, old: DocumentIssued, material: Material) -> Content:
    """What the new document says. Raises Refused where a correction changes nothing."""
    kept = {name: value for name, value in material.personal.items() if name not in OF_THE_EVENT}
    before = Content(kept, old.valid_until, old.renew_by)
    if isinstance(wish, ReissueAward):
        return before
    changes = wish.changes
    _check_results(changes, material.published)
    after = Content(
        _personal(changes, kept, material),
        _date(changes.valid_until, old.valid_until),
        _date(changes.renew_by, old.renew_by),
    )
    if after == before:
        where = [FieldError("/changes", "says what the credential says already")]
        raise errors.Refused("The correction would change nothing.", errors=where)
    return after


def _personal(changes: Changes, kept: Mapping[str, Any], material: Material) -> dict[str, Any]:
    said: dict[str, Any] = {
        name: msgspec.to_builtins(value)
        for name in ("narrative", "evidence", "results", "license_number", "term")
        if (value := getattr(changes, name)) is not UNSET
    }
    earned = changes.credits_earned
    if not isinstance(earned, UnsetType):
        said["credits_earned"] = None if earned is None else decimal_text(earned, below=CREDITS_BELOW)
    if not isinstance(changes.learner, UnsetType):
        if not isinstance(changes.learner.name, UnsetType):
            said["name"] = changes.learner.name
        said["identity"] = _identity(changes, changes.learner, kept["identity"], material)
    return {name: value for name, value in {**kept, **said}.items() if value not in (None, [])}


def _identity(
    changes: Changes, learner: LearnerChanges, old: Mapping[str, Any], material: Material
) -> Mapping[str, Any]:
    """By which identifier the document names the learner, with a salt of its own where that is another one."""
    new = dict(old)
    if (named := named_in(changes)) is not None:
        subject = named.value if named.kind == "did" else material.subject_id
        new |= {"kind": named.kind, "value": named.value, "subject_id": subject}
    if not isinstance(learner.identity, UnsetType):
        new["hashed"] = learner.identity == "hashed"
    return old if new == old else {**new, "salt": material.salt}


def _date(wanted: datetime | UnsetType | None, old: str | None) -> str | None:
    if isinstance(wanted, UnsetType):
        return old
    return None if wanted is None else format_time(wanted)


def _check_results(changes: Changes, published: Recorded) -> None:
    if not isinstance(changes.results, UnsetType):
        check_results(changes.results or [], published, at="/changes/results")


def _check_dates(content: Content, valid_from: datetime) -> None:
    """The new document begins now, so what has ended cannot be corrected without a later end."""
    if content.valid_until is not None and parse_time(content.valid_until) <= valid_from:
        where = [FieldError("/changes/valid_until", f"must lie behind {format_time(valid_from)}, when it begins")]
        raise errors.Refused("The corrected credential would end before it begins.", errors=where)
