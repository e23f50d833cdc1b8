"""Facts about institutions (tenants), their issuer profile and their keys. Category `institution` (issuance)."""

from typing import ClassVar

from ledger.events.base import Event


class InstitutionCreated(Event, frozen=True, kw_only=True):
    """An institution joined. Its id is the tenant everywhere; the slug never changes, nor does this DID stop working.

    `status_profile`: `certified` puts the revocation entry alone into credentials, `full` both entries (DESIGN §8).
    `sandbox_of` is the institution whose sandbox this is: what a sandbox does certifies nothing.
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
    sandbox_of: str | None = None


class InstitutionUpdated(Event, frozen=True, kw_only=True):
    """The issuer profile as it reads from now on, whole; documents already issued keep the profile they pinned."""

    TOPIC: ClassVar[str] = "institution.updated"

    name: str
    url: str
    email: str | None = None
    description: str | None = None
    country: str | None = None


class InstitutionDeactivated(Event, frozen=True, kw_only=True):
    """What `institution.suspended` was called at first; it means the same and is no longer written."""

    TOPIC: ClassVar[str] = "institution.deactivated"

    reason_code: str


class InstitutionReactivated(Event, frozen=True, kw_only=True):
    """What `institution.reinstated` was called at first; it means the same and is no longer written."""

    TOPIC: ClassVar[str] = "institution.reactivated"

    reason_code: str


class InstitutionChanged(Event, frozen=True, kw_only=True):
    """What every turn in an institution's life says: a coded reason, and the body or rule that decided, which is public
    and never a person."""

    reason_code: str
    authority: str


class InstitutionSuspended(InstitutionChanged, frozen=True, kw_only=True):
    """The institution may read and not write, until it is reinstated; nobody here vouches for it meanwhile."""

    TOPIC: ClassVar[str] = "institution.suspended"


class InstitutionReinstated(InstitutionChanged, frozen=True, kw_only=True):
    """The institution may write again."""

    TOPIC: ClassVar[str] = "institution.reinstated"


class InstitutionClosed(InstitutionChanged, frozen=True, kw_only=True):
    """The institution ended, for good. Its awards stay verifiable; `successor`, an institution's id, decides about
    their standing from now on. Said a second time only to name the successor that was missing."""

    TOPIC: ClassVar[str] = "institution.closed"

    successor: str | None = None


class InstitutionMerged(InstitutionChanged, frozen=True, kw_only=True):
    """The institution went into another one (`into`, its id): closed, with that one as its successor."""

    TOPIC: ClassVar[str] = "institution.merged"

    into: str


class InstitutionRenamed(InstitutionChanged, frozen=True, kw_only=True):
    """The institution bears another name from now on; documents already issued keep the name they pinned."""

    TOPIC: ClassVar[str] = "institution.renamed"

    name: str
    previous_name: str


class InstitutionMoved(InstitutionChanged, frozen=True, kw_only=True):
    """The institution issues under another DID from now on, whose document was seen to list its keys. What it issued
    under the previous one stays as it is, and both DIDs name each other."""

    TOPIC: ClassVar[str] = "institution.moved"

    did: str
    previous_did: str


class InstitutionPolicySet(Event, frozen=True, kw_only=True):
    """What the institution asks of itself from now on. `four_eyes` names what takes a second key's approval: `awards`,
    `revocations`."""

    TOPIC: ClassVar[str] = "institution.policy_set"

    four_eyes: list[str] = []


STATES: dict[type[Event], str] = {
    InstitutionCreated: "active",
    InstitutionDeactivated: "suspended",
    InstitutionReactivated: "active",
    InstitutionSuspended: "suspended",
    InstitutionReinstated: "active",
    InstitutionClosed: "closed",
    InstitutionMerged: "closed",
}


def state_after(event: Event) -> str | None:
    """`active`, `suspended` or `closed`, where an event makes an institution so; None where it leaves that alone."""
    return STATES.get(type(event))


def successor_named(event: Event) -> str | None:
    """The institution that takes over, where an event names one."""
    match event:
        case InstitutionClosed(successor=successor):
            return successor
        case InstitutionMerged(into=into):
            return into
    return None


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
    InstitutionSuspended,
    InstitutionReinstated,
    InstitutionClosed,
    InstitutionMerged,
    InstitutionRenamed,
    InstitutionMoved,
    InstitutionPolicySet,
    IssuerKeyChanged,
    KeyScheduleSet,
    ReissueOrdered,
    ReissueCompleted,
    KeysExported,
    KeysImported,
)
