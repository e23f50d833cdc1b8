"""Institutions (tenants): the issuer profile and its keys, as pure rules over the institution's stream.

Rules. The id comes from the slug, so a slug can be taken once and never changes. An institution has at any time one
active key of each algorithm: Ed25519 for embedded proofs and status lists, P-256 for `vc+jwt`. A retired key keeps
verifying what it signed; a compromised one counts only for documents that this log recorded before. What becomes of an
institution, from suspension to a new DID, is decided in `issuance.institution_life`.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.errors import FieldError
from ledger.events import (
    InstitutionCreated,
    InstitutionMoved,
    InstitutionPolicySet,
    InstitutionRenamed,
    InstitutionUpdated,
    IssuerKeyChanged,
    state_after,
    successor_named,
)

ALGORITHMS = ("Ed25519", "P-256")
SANDBOX_SUFFIX = "-sandbox"
SLUG = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"

Slug = Annotated[str, msgspec.Meta(pattern=SLUG, description="Lower-case letters, digits and hyphens; for ever.")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
WebUrl = Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+$", max_length=500)]
Email = Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
ReasonCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{1,63}$")]


class CreateInstitution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new institution. `status_profile`: `certified` puts the revocation entry alone into its credentials, as Open
    Badges certification wants, so suspending shows in this registry only; `full` puts both entries."""

    slug: Slug
    name: Name
    url: WebUrl
    email: Email | None = None
    description: Annotated[str, msgspec.Meta(max_length=5000)] | None = None
    country: Country | None = None
    status_profile: Literal["certified", "full"] = "certified"
    demo: bool = False


class UpdateInstitution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The issuer profile as it shall read in credentials from now on, whole."""

    name: Name
    url: WebUrl
    email: Email | None = None
    description: Annotated[str, msgspec.Meta(max_length=5000)] | None = None
    country: Country | None = None


class CompromiseKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on (RFC 3339) the key may have been in other hands; the default is now."""

    compromised_since: datetime | None = None


class Key(msgspec.Struct, frozen=True):
    """A verification method of an institution: its multibase public key and what became of it when (RFC 3339)."""

    id: str
    algorithm: str
    public_key: str
    added: str
    retired: str | None = None
    compromised: str | None = None

    @property
    def is_active(self) -> bool:
        return self.retired is None and self.compromised is None


class Institution(msgspec.Struct, frozen=True):
    """What a history comes to: the profile as of its version, every key, and what became of the institution.

    `state` is active, suspended or closed; `successor` the id of who took over; `four_eyes` what takes a second key's
    approval.
    """

    id: str
    version: int
    slug: str
    did: str
    name: str
    url: str
    email: str | None
    description: str | None
    country: str | None
    status_profile: str
    demo: bool
    active: bool
    keys: tuple[Key, ...]
    state: str = "active"
    successor: str | None = None
    former_names: tuple[str, ...] = ()
    former_dids: tuple[str, ...] = ()
    four_eyes: tuple[str, ...] = ()
    sandbox_of: str | None = None

    def key(self, algorithm: str) -> Key:
        """The active key of an algorithm. Raises Refused where there is none."""
        for key in reversed(self.keys):
            if key.algorithm == algorithm and key.is_active:
                return key
        raise errors.Refused(f"This institution has no active {algorithm} key.")


class NewKey(msgspec.Struct, frozen=True):
    """A key that the vault holds already and that no event names yet."""

    id: str
    algorithm: str
    public_key: str


def institution_of(history: Sequence[Recorded], version: int | None = None) -> Institution | None:
    """The institution as of a version of its stream (default: all of it), or None before it was created."""
    state: Institution | None = None
    for recorded in history:
        if version is not None and recorded.version > version:
            break
        state = _apply(state, recorded)
    return state


def active_institution(history: Sequence[Recorded]) -> Institution:
    """The institution, which must be there and active. Raises NotFound or Refused."""
    institution = existing(history)
    if not institution.active:
        raise errors.Refused(f"This institution is {institution.state}; it can be read, not written.")
    return institution


def existing(history: Sequence[Recorded]) -> Institution:
    """The institution, active or not. Raises NotFound."""
    institution = institution_of(history)
    if institution is None:
        raise errors.NotFound("There is no such institution.")
    return institution


def create(
    wish: CreateInstitution,
    history: Sequence[Recorded],
    *,
    did: str,
    keys: Sequence[NewKey],
    at: datetime,
    sandbox_of: str | None = None,
) -> list[Fact]:
    """The institution, or the sandbox of one, and its first keys, in one command.

    Raises Conflict when the slug is taken, Malformed for one that only a sandbox may have.
    """
    if sandbox_of is None and wish.slug.endswith(SANDBOX_SUFFIX):
        where = [FieldError("/slug", f"ends in {SANDBOX_SUFFIX}, as only an institution's sandbox does")]
        raise errors.Malformed("This slug cannot be wished for.", errors=where)
    if history:
        raise errors.Conflict(f"The slug {wish.slug!r} is taken; slugs are given once, for ever.")
    created = InstitutionCreated(
        slug=wish.slug,
        did=did,
        name=wish.name,
        url=wish.url,
        email=wish.email,
        description=wish.description,
        country=wish.country,
        status_profile=wish.status_profile,
        demo=wish.demo,
        sandbox_of=sandbox_of,
    )
    return [Fact(event=created, at=at), *(_key_fact(did, key, "added", at, at) for key in keys)]


def update(wish: UpdateInstitution, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The profile from now on; nothing when it already reads so."""
    now = active_institution(history)
    same = (now.name, now.url, now.email, now.description, now.country)
    if same == (wish.name, wish.url, wish.email, wish.description, wish.country):
        return []
    event = InstitutionUpdated(
        name=wish.name, url=wish.url, email=wish.email, description=wish.description, country=wish.country
    )
    return [Fact(event=event, at=at)]


def rotate(history: Sequence[Recorded], *, new: Sequence[NewKey], at: datetime) -> list[Fact]:
    """Fresh keys from now on; the ones they replace retire and keep verifying what they signed."""
    institution = active_institution(history)
    facts = []
    for key in new:
        old = institution.key(key.algorithm)
        facts.append(_key_fact(institution.did, NewKey(old.id, old.algorithm, old.public_key), "retired", at, at))
        facts.append(_key_fact(institution.did, key, "added", at, at))
    return facts


def compromise(key_id: str, history: Sequence[Recorded], *, since: datetime, new: NewKey, at: datetime) -> list[Fact]:
    """A key was in other hands since a time; where it was the active one, a fresh key takes its place.

    Raises NotFound for a key that is not this institution's and Refused for a time that has not come.
    """
    institution = existing(history)
    key = next((k for k in institution.keys if k.id == key_id), None)
    if key is None:
        raise errors.NotFound("This institution has no such key.")
    if since > at:
        raise errors.Refused("A compromise lies in the past or begins now.")
    if key.compromised is not None and key.compromised <= format_time(since):
        return []
    facts = [_key_fact(institution.did, NewKey(key.id, key.algorithm, key.public_key), "compromised", since, at)]
    if key.is_active:
        facts.append(_key_fact(institution.did, new, "added", at, at))
    return facts


def is_slug(text: str) -> bool:
    """Whether a text could be a slug."""
    return re.fullmatch(SLUG, text) is not None


def _key_fact(did: str, key: NewKey, change: str, effective: datetime, at: datetime) -> Fact:
    event = IssuerKeyChanged(
        issuer=did,
        key_id=key.id,
        change=change,
        algorithm=key.algorithm,
        public_key=key.public_key,
        effective=format_time(effective),
    )
    return Fact(event=event, at=at)


def _apply(state: Institution | None, recorded: Recorded) -> Institution | None:
    event = recorded.event
    if isinstance(event, InstitutionCreated):
        fields = msgspec.structs.asdict(event)
        return Institution(id=recorded.tenant, version=recorded.version, active=True, keys=(), **fields)
    if state is None:
        return None
    changes: dict[str, object] = {"version": recorded.version}
    match event:
        case InstitutionUpdated():
            changes |= msgspec.structs.asdict(event)
        case InstitutionRenamed(name=name):
            changes["name"] = name
        case InstitutionMoved(did=did, previous_did=previous):
            changes |= {"did": did, "former_dids": (*(d for d in state.former_dids if d != did), previous)}
        case InstitutionPolicySet(four_eyes=four_eyes):
            changes["four_eyes"] = tuple(four_eyes)
        case IssuerKeyChanged():
            changes["keys"] = _changed(state.keys, event)
    if changes.get("name", state.name) != state.name:
        changes["former_names"] = (*state.former_names, state.name)
    if (became := state_after(event)) is not None:
        changes |= {"state": became, "active": became == "active", "successor": successor_named(event)}
    return msgspec.structs.replace(state, **changes)


def _changed(keys: tuple[Key, ...], event: IssuerKeyChanged) -> tuple[Key, ...]:
    if event.change == "added":
        return (*keys, Key(event.key_id, event.algorithm, event.public_key, event.effective))
    return tuple(
        msgspec.structs.replace(key, **{event.change: event.effective}) if key.id == event.key_id else key
        for key in keys
    )
