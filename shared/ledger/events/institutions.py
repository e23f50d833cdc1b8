"""Facts about institutions (tenants), their issuer profile and their keys. Category `institution` (issuance)."""

from typing import ClassVar

from ledger.events.base import Event


class InstitutionCreated(Event, frozen=True, kw_only=True):
    """An institution joined. Its id is the tenant everywhere; the slug and the DID never change.

    `status_profile`: `certified` puts the revocation entry alone into credentials, `full` both entries (DESIGN §8).
    """

    TOPIC: ClassVar[str] = "institution.created"

    slug: str
    did: str
    name: str
    url: str
    email: str | None = None
    description: str | None = None
    country: str | None = None
    status_profile: str = "certified"
    demo: bool = False


class InstitutionUpdated(Event, frozen=True, kw_only=True):
    """The issuer profile as it reads from now on, whole; documents already issued keep the profile they pinned."""

    TOPIC: ClassVar[str] = "institution.updated"

    name: str
    url: str
    email: str | None = None
    description: str | None = None
    country: str | None = None


class InstitutionDeactivated(Event, frozen=True, kw_only=True):
    """The institution may no longer write, and nobody here vouches for new documents of it."""

    TOPIC: ClassVar[str] = "institution.deactivated"

    reason_code: str


class InstitutionReactivated(Event, frozen=True, kw_only=True):
    """The institution may write again."""

    TOPIC: ClassVar[str] = "institution.reactivated"

    reason_code: str


class IssuerKeyChanged(Event, frozen=True, kw_only=True):
    """A verification method of an institution was added, retired or compromised; the log entry is the clear text.

    `algorithm` is Ed25519 or P-256, `public_key` multibase (z…, multicodec inside). `compromised` carries the time
    from which signatures of the key count only for documents that this log recorded earlier (DESIGN §5).
    """

    TOPIC: ClassVar[str] = "issuer.key_changed"
    STATEMENT: ClassVar[bool] = True

    issuer: str  # the DID
    key_id: str
    change: str  # added, retired or compromised
    algorithm: str
    public_key: str
    effective: str


class KeyScheduleSet(Event, frozen=True, kw_only=True):
    """The institution's signing keys rotate by themselves every so many days from a time on, or only when asked."""

    TOPIC: ClassVar[str] = "issuer.key_schedule_set"

    every_days: int | None = None
    starting: str | None = None


class ReissueOrdered(Event, frozen=True, kw_only=True):
    """Whatever current document a key signed is to be issued anew under the keys of now; `documents` counts them."""

    TOPIC: ClassVar[str] = "issuer.reissue_ordered"

    key_id: str
    reason_code: str
    documents: int


class ReissueCompleted(Event, frozen=True, kw_only=True):
    """An order to issue anew is done: `reissued` documents are current no more, `left_out` could not be issued anew
    (revoked, suspended, ended or erased)."""

    TOPIC: ClassVar[str] = "issuer.reissue_completed"

    key_id: str
    reissued: int
    left_out: int


class KeysExported(Event, frozen=True, kw_only=True):
    """The operator took the institution's private signing keys out, sealed for one recipient (HPKE); `recipient` is
    SHA-256 of his public key, in hex."""

    TOPIC: ClassVar[str] = "issuer.keys_exported"

    key_ids: list[str]
    recipient: str


class KeysImported(Event, frozen=True, kw_only=True):
    """Private signing keys were put into this vault; each was proven to belong to the public key that is recorded."""

    TOPIC: ClassVar[str] = "issuer.keys_imported"

    key_ids: list[str]


EVENTS: tuple[type[Event], ...] = (
    InstitutionCreated,
    InstitutionUpdated,
    InstitutionDeactivated,
    InstitutionReactivated,
    IssuerKeyChanged,
    KeyScheduleSet,
    ReissueOrdered,
    ReissueCompleted,
    KeysExported,
    KeysImported,
)
