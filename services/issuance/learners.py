"""Learners: what an institution has on record of one, and the end of it. Pure rules over `learner/<pseudonym>`.

Rules. A record is a name and identifiers; awards add to it, an update says it anew, whole. After an update an award
adds what it names and changes nothing that was said. The first e-mail address is the one that letters go to. Nothing
that was issued changes with the record; a document is corrected by itself.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from issuance.awards import Line
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.credentials.lexical import DID_PATTERN
from ledger.errors import FieldError
from ledger.events import Awarded, Event, LearnerErased, LearnerUpdated
from ledger.identifiers import Identifier, identifier_of

Kind = Literal["email", "did", "student_id"]
KINDS: tuple[Kind, ...] = ("email", "did", "student_id")
# What each kind looks like, and how long it may be: as an award takes it.
FORMS = {"email": (r"[^@\s]+@[^@\s]+", 254), "did": (DID_PATTERN, 500), "student_id": (r"(?s:.+)", 100)}


class EraseLearner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, as a code: by default the learner asked (GDPR, Article 17)."""

    reason_code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{1,63}$")] = "learner_request"


class LearnerIdentifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which the institution names a learner."""

    kind: Kind
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class UpdateLearner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record as it shall read from now on, whole: what is left out goes. The first e-mail address is the one that
    letters go to."""

    identifiers: Annotated[list[LearnerIdentifier], msgspec.Meta(min_length=1, max_length=20)]
    name: Line | None = None


class LearnerRecord(msgspec.Struct, frozen=True):
    """A name, and the identifiers with the preferred ones first."""

    name: str | None = None
    identifiers: tuple[Identifier, ...] = ()

    @property
    def email(self) -> str | None:
        """The address that letters go to."""
        return next((one.value for one in self.identifiers if one.kind == "email"), None)

    def of_kind(self, kind: str) -> tuple[str, ...]:
        return tuple(one.value for one in self.identifiers if one.kind == kind)


def erase(wish: EraseLearner, history: Sequence[Recorded], *, pseudonym: str, at: datetime) -> list[Fact]:
    """The fact that the record is erased; nothing when it already was. The vault is emptied after it."""
    if is_erased(history):
        return []
    return [Fact(event=LearnerErased(reason_code=wish.reason_code), at=at, subject=pseudonym)]


def is_erased(history: Sequence[Recorded]) -> bool:
    """Whether the learner's record was erased."""
    return any(isinstance(recorded.event, LearnerErased) for recorded in history)


def named_in(wish: UpdateLearner) -> list[Identifier]:
    """The identifiers, each in its one spelling. Raises Malformed with a pointer to every one that cannot be."""
    found, bad = [], []
    for i, one in enumerate(wish.identifiers):
        identifier = identifier_of(one.kind, one.value)
        form, length = FORMS[one.kind]
        if len(identifier.value) > length or re.fullmatch(form, identifier.value) is None:
            bad.append(FieldError(f"/identifiers/{i}/value", f"is no {one.kind}"))
        elif identifier in found:
            bad.append(FieldError(f"/identifiers/{i}", "stands there twice"))
        found.append(identifier)
    if bad:
        raise errors.Malformed("The learner cannot be named so.", errors=bad)
    return found


def record_of(said: Iterable[tuple[Event, Mapping[str, Any]]]) -> LearnerRecord:
    """The record behind a learner's awards and updates with their opened values, in the order of the log."""
    record, was_updated = LearnerRecord(), False
    for event, personal in said:
        if isinstance(event, LearnerUpdated):
            record, was_updated = updated(personal), True
        elif isinstance(event, Awarded):
            named = _named_by(personal)
            old = [one for one in record.identifiers if was_updated or one not in named]
            new = [one for one in named if one not in old]
            name = record.name if was_updated else personal.get("name", record.name)
            record = LearnerRecord(name, (*old, *new) if was_updated else (*new, *old))
    return record


def updated(personal: Mapping[str, Any]) -> LearnerRecord:
    """The record as an update with these opened values says it."""
    return LearnerRecord(personal.get("name"), tuple(msgspec.convert(personal["identifiers"], list[Identifier])))


def update(
    wish: UpdateLearner, history: Sequence[Recorded], *, known: LearnerRecord, pseudonym: str, at: datetime
) -> list[Fact]:
    """The record from now on; nothing when it reads so already. `known` is how it read.

    Raises Malformed, or Conflict when the record is being erased at this moment.
    """
    if is_erased(history):
        raise errors.Conflict("This learner's record is being erased.")
    new = LearnerRecord(wish.name, tuple(named_in(wish)))
    changed = [kind for kind in KINDS if new.of_kind(kind) != known.of_kind(kind)]
    if new.name != known.name:
        changed.insert(0, "name")  # type: ignore[arg-type]
    if not changed:
        return []
    removed = [one for one in known.identifiers if one not in new.identifiers]
    values = {
        "name": new.name,
        "identifiers": msgspec.to_builtins(list(new.identifiers)),
        "removed": msgspec.to_builtins(removed),
    }
    personal = {name: value for name, value in values.items() if value not in (None, [])}
    return [Fact(event=LearnerUpdated(changed=list(changed)), at=at, subject=pseudonym, personal=personal)]


def _named_by(personal: Mapping[str, Any]) -> list[Identifier]:
    """By which identifiers an award named its learner, the one in its credential first."""
    first = Identifier(personal["identity"]["kind"], personal["identity"]["value"])
    others = msgspec.convert(personal.get("identifiers", []), list[Identifier])
    return [first, *(one for one in others if one != first)]
