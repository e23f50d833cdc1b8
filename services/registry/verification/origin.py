"""The checks that ask who made a credential: key_at_time, recorded, issuer_recognised. ● Pure: facts in, checks out.

Rules. A key must be its issuer's: a sound signature by anybody else's key says nothing about the issuer. A compromised
key proves nothing by itself, and `proof.created` is the thief's to choose: its signatures count only for what this
ledger recorded at an earlier position than the compromise. Retired keys keep verifying what they signed. A foreign
issuer's key counts until the time from which its own document says that it is revoked or has expired.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from registry.verification.content import day
from registry.verification.knowledge import KnownInstitution, KnownKey, RecordedAward
from registry.verification.verdict import Check, failed, passed, skipped

SANDBOX: Final = "SANDBOX"


class Signatory(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key a verification method is. `institution` and `key` are set for a key of this registry; `ended` is when
    a foreign issuer's document says that the key stopped counting."""

    method: str
    controller: str
    may_assert: bool = True
    ended: datetime | None = None
    institution: KnownInstitution | None = None
    key: KnownKey | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What this ledger knows of a document: whether it claims to be ours, the award it is exactly, and whether another
    text lies at its address."""

    claims_ours: bool
    award: RecordedAward | None = None
    other_text: bool = False


def key_check(
    signatories: Sequence[Signatory], issuer: str | None, award: RecordedAward | None, now: datetime
) -> Check:
    """Whether each key was the issuer's, and good when it signed."""
    if not signatories:
        return skipped("key_at_time", "No key could be found, so there is none to judge.")
    for signatory in signatories:
        fault = _key_fault(signatory, issuer, award, now)
        if fault is not None:
            return failed("key_at_time", fault)
    return passed("key_at_time", _key_sentence(signatories[0], award))


def _key_fault(by: Signatory, issuer: str | None, award: RecordedAward | None, now: datetime) -> str | None:
    if by.controller != issuer:
        return f"The key belongs to {by.controller}, not to the issuer {issuer}: anybody could sign like that."
    if not by.may_assert:
        return f"{by.controller} does not list the key {by.method} for making assertions."
    if by.ended is not None and by.ended <= now:
        return f"The issuer ended the key {by.method} on {day(by.ended)}."
    if by.key is None or by.key.compromised_position is None:
        return None
    since = f" since {day(by.key.compromised)}" if by.key.compromised else ""
    if award is None:
        return (
            f"The key {by.key.id} was in other hands{since}, and this ledger did not record the document before that."
        )
    if award.position >= by.key.compromised_position:
        return (
            f"The key {_short(by)} was in other hands{since} (position {by.key.compromised_position}); the document was"
            f" recorded only later, at position {award.position}."
        )
    return None


def _key_sentence(by: Signatory, award: RecordedAward | None) -> str:
    if by.key is None:
        return f"The key is one of {by.controller}, the issuer."
    if by.key.compromised_position is not None and award is not None:
        return (
            f"The key was compromised later (position {by.key.compromised_position}); the document was recorded before,"
            f" at position {award.position}, so it counts."
        )
    if by.key.retired is not None:
        return f"The key was the issuer's; it was retired on {day(by.key.retired)} and keeps verifying what it signed."
    return "The key is the issuer's, in use and not compromised."


def _short(by: Signatory) -> str:
    return by.method.rpartition("#")[2]


def recorded_check(record: Record) -> Check:
    """Whether this document, proofs aside, is the one of an event of this log."""
    if record.award is not None:
        return passed("recorded", f"This ledger recorded exactly this document, at position {record.award.position}.")
    if not record.claims_ours:
        return skipped("recorded", "It does not claim to be of this ledger, which records its own awards only.")
    if record.other_text:
        return failed("recorded", "This ledger recorded another text under this address: the document was altered.")
    return failed(
        "recorded",
        "It claims to be of this ledger, which holds no such document: it was never awarded here, or was erased.",
    )


def recognised_check(
    signatories: Sequence[Signatory], *, sound: bool, name: str | None, namesake: KnownInstitution | None
) -> Check:
    """Whether an active institution of this registry made it; skipped with the reason otherwise, never failed. What a
    sandbox made is never recognised.

    `sound` says that the proofs and their keys hold; `name` is what the issuer calls itself, `namesake` an active
    institution here that is called so.
    """
    institutions = [by.institution for by in signatories]
    known = institutions[0] if institutions else None
    if any(one is not None and one.is_sandbox for one in institutions):
        return skipped("issuer_recognised", "It is signed in a sandbox: it proves nothing.", code=SANDBOX)
    if known is not None and sound and all(one is not None and one.id == known.id for one in institutions):
        if known.active:
            return passed("issuer_recognised", f"{known.name} is an active institution of this registry.")
        return skipped("issuer_recognised", _gone(known))
    if known is not None or (namesake is not None and not signatories):
        return skipped(
            "issuer_recognised", "Its signatures or keys do not hold, so nobody here vouches for its issuer."
        )
    if namesake is not None:
        return skipped(
            "issuer_recognised",
            f"It bears the name of {namesake.name}, an institution of this registry, but is not signed by it: nobody"
            " here vouches for the name.",
        )
    named = f" for the name “{name}”" if name else " for its issuer"
    return skipped("issuer_recognised", f"Its issuer is not in this registry; nobody here vouches{named}.")


def _gone(known: KnownInstitution) -> str:
    """Why nobody vouches for an institution of this registry at the moment."""
    if known.state != "closed":
        return f"{known.name} is suspended here: nobody vouches for it until it is reinstated."
    heir = f", and {known.successor} decides about its awards" if known.successor else ""
    return f"{known.name} was closed: what it awarded stays verifiable{heir}, but nobody vouches for it any more."
