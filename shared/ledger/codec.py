"""Event ↔ stored row: the envelope, its commitments and the transparency-log leaf (DESIGN §6, transparency-log §2).

The vocabulary is that of the `eventsourcing` library (StoredEvent, IntegrityError, topics, upcasting); the bytes are
ours and permanent:

    state = r1 (32 bytes) ‖ c_pub (32 bytes) ‖ E
    E     = JCS{v, id, stream, ver, type, at, inst, actor, subj?, data, pd: [{n, c}]}
    c_env = HMAC-SHA256(r1, "credledger/env/v1\\0" ‖ E)
    c_pub = HMAC-SHA256(r2, "credledger/cred/v1\\0" ‖ SHA-256(JCS(credential without proof))), or 32 random bytes
    leaf  = 0x01 ‖ SHA-256("credledger/leaf/v1\\0" ‖ c_env ‖ c_pub), or 0x02 ‖ JCS(statement) for a public statement

`v` is the version of the event type, `id` the command id and ordinal. E is hashed and kept as the bytes that were
written; it holds neither position nor `recorded_at`, which the tree index and the checkpoints bind. Randomness is an
argument: `draw(n)` gives n random bytes.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.utils import register_topic

from ledger import ids
from ledger.events import EVENTS, Data, Event, UnknownTopic, UnknownVersion, from_data, public_form, to_data
from ledger.proofs.jcs import canonical

Draw = Callable[[int], bytes]
NONCE_BYTES = 32
DOCUMENT_NONCE = "r2"  # the sealed value that opens c_pub


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did it: the API key or client, its role, and the request; a person is named only by a sealed value."""

    key: str
    role: str
    request: str | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule decided, before it has a place: the event, when it holds, whom it is about, what is personal.

    `at` is aware UTC. `personal` maps a name to a JSON value that is sealed beside the event. `document_digest` is
    SHA-256 of the JCS form of the credential without proofs, where there is one.
    """

    event: Event
    at: datetime
    subject: str | None = None
    personal: Mapping[str, Any] = {}
    document_digest: bytes | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fact goes: tenant, stream, version there, command and ordinal within it, and the actor."""

    tenant: str
    stream: str
    version: int
    command: UUID
    ordinal: int
    actor: Actor


class Encoded(msgspec.Struct, frozen=True):
    """The row of an event but for position and time, and what is to be sealed: name → salt ‖ JCS(value)."""

    event_id: str
    topic: str
    leaf: bytes
    state: bytes
    openings: dict[str, bytes]


class Recorded(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An event as it lies in the log."""

    log_id: int
    position: int
    stream: str
    version: int
    command_id: UUID
    topic: str
    recorded_at: datetime
    leaf: bytes
    state: bytes

    @cached_property
    def envelope(self) -> Data:
        """E, parsed."""
        envelope: Data = msgspec.json.decode(self.state[64:])
        return envelope

    @cached_property
    def event(self) -> Event:
        """The typed event, upcast to today's version."""
        envelope = self.envelope
        return from_data(EVENTS, envelope["type"], envelope["v"], envelope["data"])

    @property
    def id(self) -> str:
        return str(self.envelope["id"])

    @property
    def tenant(self) -> str:
        return str(self.envelope["inst"])

    @property
    def subject(self) -> str | None:
        subject: str | None = self.envelope.get("subj")
        return subject

    @property
    def actor(self) -> Data:
        actor: Data = self.envelope["actor"]
        return actor

    @property
    def at(self) -> datetime:
        return parse_time(self.envelope["at"])


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An event as a projection sees it, the same from the bus and from the store. Private fields are at their defaults
    and the subject is None unless the projection asked for them (then it reads the store)."""

    position: int
    stream: str
    version: int
    topic: str
    recorded_at: datetime
    at: datetime
    tenant: str
    leaf: bytes
    event: Event
    subject: str | None = None


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, with as many fractional digits as the moment has (0, 3 or 6), and `Z`."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    moment = moment.astimezone(UTC)
    detail = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=detail).removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """The aware UTC moment of an RFC 3339 text. Raises ValueError, also where the zone is missing."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def encode(fact: Fact, place: Place, draw: Draw) -> Encoded:
    """The row of `fact` at `place`, with fresh nonces from `draw`."""
    r1, event_type = draw(NONCE_BYTES), type(fact.event)
    personal = dict(fact.personal)
    if fact.document_digest is None:
        c_pub = draw(NONCE_BYTES)
    else:
        r2 = draw(NONCE_BYTES)
        c_pub = document_commitment(r2, fact.document_digest)
        personal[DOCUMENT_NONCE] = r2.hex()
    openings = {name: draw(NONCE_BYTES) + canonical(value) for name, value in sorted(personal.items())}
    event_id = ids.event_id(place.command, place.ordinal)
    envelope: Data = {
        "v": event_type.VERSION,
        "id": event_id,
        "stream": place.stream,
        "ver": place.version,
        "type": event_type.TOPIC,
        "at": format_time(fact.at),
        "inst": place.tenant,
        "actor": msgspec.to_builtins(place.actor),
        "data": to_data(fact.event),
        "pd": [{"n": name, "c": _base64(value_commitment(name, opening))} for name, opening in openings.items()],
    }
    if fact.subject is not None:
        envelope["subj"] = fact.subject
    state = r1 + c_pub + canonical(envelope)
    return Encoded(event_id, event_type.TOPIC, leaf_of(state, fact.event), state, openings)


def value_commitment(name: str, opening: bytes) -> bytes:
    """c_i: what the envelope says of a sealed value; `opening` is its salt ‖ JCS(value)."""
    salt, value = opening[:NONCE_BYTES], opening[NONCE_BYTES:]
    return hmac.digest(salt, b"credledger/pd/v1\0" + name.encode() + b"\0" + value, "sha256")


def document_commitment(r2: bytes, digest: bytes) -> bytes:
    """c_pub of a credential whose form without proofs has this SHA-256 (over JCS)."""
    return hmac.digest(r2, b"credledger/cred/v1\0" + digest, "sha256")


def leaf_of(state: bytes, event: Event) -> bytes:
    """The log entry that these stored bytes must have."""
    c_env = hmac.digest(state[:32], b"credledger/env/v1\0" + state[64:], "sha256")
    if type(event).STATEMENT:
        statement = {**event.statement(), "type": type(event).TOPIC, "v": type(event).VERSION, "env": _base64(c_env)}
        return b"\x02" + canonical(statement)
    return b"\x01" + hashlib.sha256(b"credledger/leaf/v1\0" + c_env + state[32:64]).digest()


def check(recorded: Recorded) -> None:
    """Raise IntegrityError unless leaf and columns agree with the envelope, also where it cannot be read at all."""
    try:
        envelope, leaf = recorded.envelope, leaf_of(recorded.state, recorded.event)
        command, _, _ = str(envelope["id"]).rpartition(".")
        said = (envelope["stream"], envelope["ver"], envelope["type"], command)
    except (UnknownTopic, UnknownVersion, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"position {recorded.position}: the stored event cannot be read") from error
    if leaf != recorded.leaf:
        raise IntegrityError(f"position {recorded.position}: the leaf is not that of the stored event")
    if said != (recorded.stream, recorded.version, recorded.topic, str(recorded.command_id)):
        raise IntegrityError(f"position {recorded.position}: the columns are not those of the envelope")


def seen(recorded: Recorded, *, private: bool) -> Seen:
    """The event for a projection, read from the store."""
    event = recorded.event
    if not private and type(event).PRIVATE:
        event = msgspec.convert(public_form(event), type(event))
    return Seen(
        position=recorded.position,
        stream=recorded.stream,
        version=recorded.version,
        topic=recorded.topic,
        recorded_at=recorded.recorded_at,
        at=recorded.at,
        tenant=recorded.tenant,
        leaf=recorded.leaf,
        event=event,
        subject=recorded.subject if private else None,
    )


class _PublicBody(msgspec.Struct, omit_defaults=True):
    at: str
    tenant: str
    version: int  # of the event type
    data: Data
    test: bool = False  # whether the tenant is a sandbox


def public_body(recorded: Recorded) -> bytes:
    """The message body on the bus: `{"at", "tenant", "version", "data"}`, without private fields or a learner; for a
    sandbox's event also `"test": true`."""
    event, tenant = recorded.event, recorded.tenant
    test = ids.is_sandbox(tenant)
    body = _PublicBody(recorded.envelope["at"], tenant, type(event).VERSION, public_form(event), test)
    return msgspec.json.encode(body)


class Headers(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of an event beside its body."""

    position: int
    stream: str
    version: int
    topic: str
    recorded_at: datetime
    leaf: bytes


def seen_from_public(headers: Headers, body: bytes) -> Seen:
    """The event for a projection, read from the bus. Raises msgspec.DecodeError or UnknownTopic."""
    public = msgspec.json.decode(body, type=_PublicBody)
    return Seen(
        position=headers.position,
        stream=headers.stream,
        version=headers.version,
        topic=headers.topic,
        recorded_at=headers.recorded_at,
        at=parse_time(public.at),
        tenant=public.tenant,
        leaf=headers.leaf,
        event=from_data(EVENTS, headers.topic, public.version, public.data),
    )


def to_stored_event(recorded: Recorded) -> StoredEvent:
    """The event in the library's vocabulary."""
    return StoredEvent(recorded.stream, recorded.version, recorded.topic, recorded.state)


def to_domain_event(stored: StoredEvent) -> Event:
    """The typed event behind a StoredEvent of this log, as the library's recorders read it."""
    envelope: Data = msgspec.json.decode(stored.state[64:])
    if envelope["type"] != stored.topic:
        raise IntegrityError(f"{stored.originator_id}: topic {stored.topic!r} is not that of the envelope")
    return from_data(EVENTS, envelope["type"], envelope["v"], envelope["data"])


def register_topics() -> None:
    """Tell the library which class each topic names, so that nothing is ever imported by a stored name."""
    for topic, event_type in EVENTS.items():
        register_topic(topic, event_type)


def events_of(history: Sequence[Recorded]) -> list[Event]:
    """The typed events of a history, in order."""
    return [recorded.event for recorded in history]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
