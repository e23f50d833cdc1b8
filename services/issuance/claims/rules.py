"""What a learner may decide, as pure rules. ●

Rules. An address is proven by whoever opened the link of a notice that went there and pressed the button. The page of
an award is `unlisted` until its learner says otherwise. Records are joined only when an address of each was proven; a
record belongs to one person, and the joined of two persons become one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.events import (
    AwardReinstated,
    AwardRevoked,
    AwardSuspended,
    EmailProven,
    LearnerErased,
    LearnerJoined,
    PublicationSet,
)

Visibility = Literal["hidden", "unlisted", "public"]
DEFAULT_VISIBILITY = "unlisted"


def prove(
    notice_id: str, address: str, history: Sequence[Recorded], *, known: bool, pseudonym: str, at: datetime
) -> list[Fact]:
    """The fact that the address was proven; nothing when it is `known` to be. Raises Gone for an erased record."""
    _check_there(history)
    if known:
        return []
    return [Fact(event=EmailProven(notice_id=notice_id), at=at, subject=pseudonym, personal={"email": address})]


def visibility_of(history: Sequence[Recorded]) -> str:
    """Who may see an award's page."""
    found = DEFAULT_VISIBILITY
    for recorded in history:
        if isinstance(recorded.event, PublicationSet):
            found = recorded.event.visibility
    return found


def publish(wish: Visibility, history: Sequence[Recorded], *, pseudonym: str, at: datetime) -> list[Fact]:
    """The learner's word on who may see the page; nothing when it is so already."""
    if visibility_of(history) == wish:
        return []
    return [Fact(event=PublicationSet(visibility=wish), at=at, subject=pseudonym)]


def person_of(history: Sequence[Recorded]) -> str | None:
    """The person to whom a record belongs, once its learner has joined it to another."""
    found = None
    for recorded in history:
        if isinstance(recorded.event, LearnerJoined):
            found = recorded.event.person
    return found


def is_proven(history: Sequence[Recorded]) -> bool:
    """Whether an address of this record was proven."""
    return any(isinstance(recorded.event, EmailProven) for recorded in history)


def join(person: str, history: Sequence[Recorded], *, pseudonym: str, at: datetime) -> list[Fact]:
    """The fact that this record belongs to the person; nothing when it does already. Raises Gone for an erased record
    and Refused for one of which no address was proven."""
    _check_there(history)
    if not is_proven(history):
        raise errors.Refused("Only records whose e-mail address was confirmed can be joined.")
    if person_of(history) == person:
        return []
    return [Fact(event=LearnerJoined(person=person), at=at, subject=pseudonym)]


def standing_of(history: Sequence[Recorded]) -> str:
    """How an award stands, by its stream `standing/<award>`: valid, suspended or revoked."""
    standing = "valid"
    for recorded in history:
        match recorded.event:
            case AwardRevoked():
                standing = "revoked"
            case AwardSuspended():
                standing = "suspended"
            case AwardReinstated():
                standing = "valid"
    return standing


def _check_there(history: Sequence[Recorded]) -> None:
    if any(isinstance(recorded.event, LearnerErased) for recorded in history):
        raise errors.Gone("This record was erased.")
