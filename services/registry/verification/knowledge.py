"""What the verification asks this ledger: institutions and their keys, what was recorded, how it stands today.

The port between the checks and the registry's projections. Every answer carries positions: whether something counts is
judged by where it lies in the log, never by a time that a document claims. Times are aware, in UTC.
"""

from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from ledger import ids


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A verification method of an institution here, and what became of it at which position.

    `id` is the whole DID URL, `<did>#<key id>`; `algorithm` is Ed25519 or P-256; `public_key` is multibase (z…,
    multicodec inside). A retired key keeps verifying what it signed; of a compromised one only what this log recorded
    before `compromised_position` counts.
    """

    id: str
    algorithm: str
    public_key: str
    added: datetime
    added_position: int
    retired: datetime | None = None
    retired_position: int | None = None
    compromised: datetime | None = None
    compromised_position: int | None = None


class KnownInstitution(msgspec.Struct, frozen=True, kw_only=True):
    """An institution of this registry, with every key it ever had under this DID. `state` is active, suspended or
    closed, `successor` the name of the institution that decides about a closed one's awards."""

    id: str
    did: str
    slug: str
    name: str
    active: bool
    keys: tuple[KnownKey, ...]
    state: str = "active"
    successor: str | None = None

    @property
    def is_sandbox(self) -> bool:
        """Whether it is the sandbox of one, whose awards certify nothing."""
        return ids.is_sandbox(self.id)


class RecordedAward(msgspec.Struct, frozen=True):
    """The award whose credential a document is, and the position of the event that recorded the document: the award's
    own or a correction's."""

    award_id: str
    position: int


class Correction(msgspec.Struct, frozen=True):
    """An event that gave an award a new document: the ones recorded before it count no longer."""

    position: int
    recorded_at: datetime
    reason_code: str


class Renewal(msgspec.Struct, frozen=True):
    """A later award that renews this one, and when it was recorded."""

    award_id: str
    position: int
    recorded_at: datetime


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an award stands now. `position` is that of the event that made it so, None while it never changed.
    `corrections` are in order; `renewal` is the newest that was not revoked."""

    state: Literal["good", "suspended", "revoked"]
    effective: datetime | None = None
    position: int | None = None
    corrections: tuple[Correction, ...] = ()
    renewal: Renewal | None = None


class Knowledge(Protocol):
    """The registry as the checks see it. A method may raise `errors.Unavailable` when the database is away."""

    async def institution_by_did(self, did: str) -> KnownInstitution | None:
        """The institution with this DID, of now or before, active or not; its keys are named under that DID."""
        ...

    async def institution_named(self, name: str) -> KnownInstitution | None:
        """An active institution whose name reads like this one (case and white space apart)."""
        ...

    async def recorded(self, capability: str, unsecured: dict[str, Any]) -> RecordedAward | None:
        """The award whose credential, proofs aside, is exactly `unsecured` and has this capability in its URL."""
        ...

    async def document(self, capability: str) -> dict[str, Any] | None:
        """The credential with its embedded proofs that lies at this capability."""
        ...

    async def standing(self, award_id: str) -> Standing | None:
        """How the award stands, or None when there is no such award."""
        ...

    async def own_status_list(self, list_id: str) -> dict[str, Any] | None:
        """The signed list of this ledger as it reads now; None when revocation cannot be asked. Raises
        `errors.NotFound` when there is no such list."""
        ...
