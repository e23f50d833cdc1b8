"""API keys as facts: made, rotated with an overlap, revoked. Pure rules over the stream `access/<key id>`.

The secret is known to its holder alone; the event holds a peppered hash. Every service follows these facts, so a
revoked key dies everywhere.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from issuance.institutions import ReasonCode
from ledger import errors
from ledger.access.callers import ROLES
from ledger.codec import Fact, Recorded, format_time, parse_time
from ledger.errors import FieldError
from ledger.events import KeyCreated, KeyExpirySet, KeyRevoked, KeyScopesSet

OVERLAP_LIMIT_SECONDS = 30 * 24 * 3600
KeyName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
HOLDER = "holder"  # the sealed value: what the holder is called
# `institution` is what `owner` was called at first.
Role = Literal["operator", "owner", "issuer", "reviewer", "reader", "auditor", "institution"]
ROLE_TABLE = "What each role is for: " + " ".join(f"`{role}`: {text}." for role, text in ROLES.items())


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who holds a key: a person or a system, and what the institution calls it. The label is sealed, and shown to the
    institution alone."""

    kind: Literal["person", "system"]
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class CreateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key with a name for people, its role, the scopes it opens, who holds it and when it ends. By default it is an
    owner's and opens what its role can and the key that makes it does; one that the operator makes for an institution,
    everything of its role."""

    name: KeyName
    scopes: Annotated[list[str], msgspec.Meta(min_length=1, max_length=50)] | None = None
    expires_at: datetime | None = None
    role: Annotated[Role, msgspec.Meta(description=ROLE_TABLE)] | None = None
    institution_id: str | None = None
    holder: Holder | None = None


class RotateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the old key works beside the new one."""

    overlap_seconds: Annotated[int, msgspec.Meta(ge=0, le=OVERLAP_LIMIT_SECONDS)] = 24 * 3600


class RevokeKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the key dies, as a code."""

    reason_code: ReasonCode = "retired"


class KeyState(msgspec.Struct, frozen=True):
    """A key as its stream tells it."""

    created: KeyCreated
    expires_at: str | None
    revoked: bool


def key_of(history: Sequence[Recorded]) -> KeyState | None:
    """The key behind a history, or None before it was made."""
    state: KeyState | None = None
    for recorded in history:
        match recorded.event:
            case KeyCreated() as created:
                state = KeyState(created, created.expires_at, False)
            case KeyExpirySet(expires_at=expires_at) if state:
                state = msgspec.structs.replace(state, expires_at=expires_at)
            case KeyScopesSet(scopes=scopes) if state:
                state = msgspec.structs.replace(state, created=msgspec.structs.replace(state.created, scopes=scopes))
            case KeyRevoked() if state:
                state = msgspec.structs.replace(state, revoked=True)
    return state


def create(wish: KeyCreated, history: Sequence[Recorded], *, at: datetime, holder: str | None = None) -> list[Fact]:
    """The key; nothing when it is there already. `holder` is what its holder is called. Raises Malformed for an end
    that has passed."""
    if history:
        return []
    if wish.expires_at is not None and parse_time(wish.expires_at) <= at:
        where = [FieldError("/expires_at", "this moment has passed")]
        raise errors.Malformed("The key would already be dead.", errors=where)
    return [Fact(event=wish, at=at, personal={} if holder is None else {HOLDER: holder})]


def set_scopes(scopes: Sequence[str], history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The key opens exactly this from now on; nothing when it does already, or is dead."""
    state = key_of(history)
    if state is None or state.revoked or sorted(state.created.scopes) == sorted(scopes):
        return []
    return [Fact(event=KeyScopesSet(key_id=state.created.key_id, scopes=sorted(scopes)), at=at)]


def end(overlap: timedelta, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The old key's end after a rotation: `overlap` from now, never later than it already was."""
    state = living(history, at=at)
    ends = at + overlap
    if state.expires_at is not None and parse_time(state.expires_at) <= ends:
        return []
    return [Fact(event=KeyExpirySet(key_id=state.created.key_id, expires_at=format_time(ends)), at=at)]


def revoke(wish: RevokeKey, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The key is dead from now on; nothing when it already is. Raises NotFound."""
    state = key_of(history)
    if state is None:
        raise errors.NotFound("There is no such key.")
    if state.revoked:
        return []
    return [Fact(event=KeyRevoked(key_id=state.created.key_id, reason_code=wish.reason_code), at=at)]


def living(history: Sequence[Recorded], *, at: datetime) -> KeyState:
    """The key, if it still opens something. Raises NotFound or Refused."""
    state = key_of(history)
    if state is None:
        raise errors.NotFound("There is no such key.")
    if state.revoked or (state.expires_at is not None and parse_time(state.expires_at) <= at):
        raise errors.Refused("This key is dead already; make a new one.")
    return state
