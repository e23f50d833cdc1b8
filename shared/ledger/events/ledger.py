"""Facts about the ledger itself and about who may call it. Categories `ledger` (registry) and `access` (issuance)."""

from typing import ClassVar

from ledger.events.base import Event


class LedgerOpened(Event, frozen=True, kw_only=True):
    """The first event: the public addresses that every id, DID and status URL is made from, fixed for ever."""

    TOPIC: ClassVar[str] = "ledger.opened"

    public_url: str
    status_url: str


class PolicySet(Event, frozen=True, kw_only=True):
    """How long an erased learner's data may still be opened from backups, at most: rotation interval of the
    key-encryption keys plus how long backups are kept, in days; the log entry is the clear text."""

    TOPIC: ClassVar[str] = "ledger.policy_set"
    STATEMENT: ClassVar[bool] = True

    kek_rotation_days: int
    backup_retention_days: int
    erasure_horizon_days: int


class KeyCreated(Event, frozen=True, kw_only=True):
    """An API key was made. Its secret is known to its holder alone; here stands HMAC(pepper, secret), in hex.

    `holder` says whether a person or a system holds it; what that one is called is sealed beside it (`holder`).
    `replaces` is the key that it was rotated from.
    """

    TOPIC: ClassVar[str] = "access.key_created"
    PRIVATE: ClassVar[frozenset[str]] = frozenset()

    key_id: str
    name: str
    role: str  # `ledger.access.ROLES`; `institution` means owner
    scopes: list[str]
    secret_hash: str
    expires_at: str | None = None
    replaces: str | None = None
    holder: str | None = None


class KeyExpirySet(Event, frozen=True, kw_only=True):
    """A key ends at a time: the overlap after a rotation."""

    TOPIC: ClassVar[str] = "access.key_expiry_set"

    key_id: str
    expires_at: str


class KeyScopesSet(Event, frozen=True, kw_only=True):
    """A key opens this from now on: the configured operator's key, where a release knows more scopes."""

    TOPIC: ClassVar[str] = "access.key_scopes_set"

    key_id: str
    scopes: list[str]


class KeyRevoked(Event, frozen=True, kw_only=True):
    """A key is dead from now on, everywhere."""

    TOPIC: ClassVar[str] = "access.key_revoked"

    key_id: str
    reason_code: str


EVENTS: tuple[type[Event], ...] = (LedgerOpened, PolicySet, KeyCreated, KeyExpirySet, KeyScopesSet, KeyRevoked)
