"""Facts about the standing of awards and the lists that publish it. Categories `standing`, `list`, `lease`."""

from typing import ClassVar

from ledger.events.awards import StatusEntry
from ledger.events.base import Event


class StandingChanged(Event, frozen=True, kw_only=True):
    """What a change of standing says: the award, a coded reason, who decided on what authority, and which bits it
    moves. `effective` is when it holds in the world (RFC 3339, UTC). Free text is sealed beside it (`reason`), or
    beside the proposal that `approval` names, where a second key approved."""

    PRIVATE: ClassVar[frozenset[str]] = frozenset({"entries"})

    award_id: str
    reason_code: str
    effective: str
    authority: str | None = None
    entries: list[StatusEntry] = []
    approval: str | None = None


class AwardRevoked(StandingChanged, frozen=True, kw_only=True):
    """Withdrawn for good."""

    TOPIC: ClassVar[str] = "award.revoked"


class AwardSuspended(StandingChanged, frozen=True, kw_only=True):
    """Does not count until reinstated."""

    TOPIC: ClassVar[str] = "award.suspended"


class AwardReinstated(StandingChanged, frozen=True, kw_only=True):
    """Counts again after a suspension."""

    TOPIC: ClassVar[str] = "award.reinstated"


class StatusListOpened(Event, frozen=True, kw_only=True):
    """A Bitstring Status List of one institution and purpose; `length` entries, all clear."""

    TOPIC: ClassVar[str] = "status_list.opened"

    list_id: str
    purpose: str
    length: int


class StatusListPublished(Event, frozen=True, kw_only=True):
    """The list's bits as true up to `position`; the digest is SHA-256 of the uncompressed bits, in hex."""

    TOPIC: ClassVar[str] = "status_list.published"
    STATEMENT: ClassVar[bool] = True

    list_id: str
    purpose: str
    digest: str
    position: int


class LeaseGranted(Event, frozen=True, kw_only=True):
    """Places `first` … `first + count - 1` of each named list belong to one process start of issuance."""

    TOPIC: ClassVar[str] = "lease.granted"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"holder"})

    lists: dict[str, str]  # purpose → list id
    first: int
    count: int
    holder: str = ""


EVENTS: tuple[type[Event], ...] = (
    AwardRevoked,
    AwardSuspended,
    AwardReinstated,
    StatusListOpened,
    StatusListPublished,
    LeaseGranted,
)
