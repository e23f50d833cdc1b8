"""Endorsements of an achievement (Open Badges 3.0, EndorsementCredential): what must hold of each before its signature
is looked at. ● Pure.

An endorsement is a whole credential of somebody else. It is kept as it came, never written anew: `endorsements` stand
in the achievement and so in every credential; `endorsement_jwts` beside it (decision 0013). What an event holds stays
for ever, so an issuer's profile that names a private person is refused. Pointers begin with the name of the member as
it was sent: ours, or Open Badges'.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from ledger.credentials.data_model import structure_errors
from ledger.credentials.open_badges import schema_errors
from ledger.errors import FieldError
from ledger.proofs import ProofError, proofs_of, vc_jwt

TYPE: Final = "EndorsementCredential"
MOST: Final = 10
LARGEST_BYTES: Final = 64 * 1024  # all of one form together: every credential of the version carries them
OWN_NAMES: Final = ("endorsements", "endorsement_jwts")
OPEN_BADGES_NAMES: Final = ("endorsement", "endorsementJwt")
# Members of a Profile that only a natural person has (Open Badges 3.0 §B.1.21).
PERSONAL: Final = (
    "familyName",
    "givenName",
    "additionalName",
    "patronymicName",
    "honorificPrefix",
    "honorificSuffix",
    "familyNamePrefix",
    "dateOfBirth",
    "phone",
)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing found out about one endorsement: its form, its id, who issued it, and whether the signature was
    checked, or could not be since the issuer's key lies elsewhere."""

    form: Literal["embedded", "jwt"]
    id: str
    issuer: str
    signature: Literal["checked", "not_checked"]


def endorsement_faults(
    endorsements: Sequence[Mapping[str, Any]], jwts: Sequence[str], names: tuple[str, str] = OWN_NAMES
) -> list[FieldError]:
    """Everything that keeps these from being endorsements which can be published; empty where nothing does."""
    embedded, compact = names
    return [
        *_sizes(endorsements, f"/{embedded}"),
        *_sizes(jwts, f"/{compact}"),
        *(fault for index, one in enumerate(endorsements) for fault in _of_embedded(one, f"/{embedded}/{index}")),
        *(fault for index, one in enumerate(jwts) for fault in _of_jwt(one, f"/{compact}/{index}")),
        *_twice([one.get("id") for one in endorsements], f"/{embedded}", "/id"),
        *_twice(list(jwts), f"/{compact}", ""),
    ]


def issuer_of(document: Mapping[str, Any]) -> str:
    """Who issued an endorsement that passed."""
    issuer = document["issuer"]
    return str(issuer["id"] if isinstance(issuer, Mapping) else issuer)


def _of_embedded(document: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    yield from _of_document(document, at)
    if not proofs_of(dict(document)):
        yield FieldError(f"{at}/proof", "is required: what nobody signed endorses nothing")


def _of_jwt(jwt: str, at: str) -> Iterator[FieldError]:
    try:
        document = vc_jwt.unverified(jwt)
    except ProofError as error:
        yield FieldError(at, f"is no credential secured by a JWT. {error.detail}")
        return
    yield from (FieldError(at, f"holds a credential whose {fault.pointer or 'document'} {fault.detail}")
                for fault in _of_document(document, ""))  # fmt: skip


def _of_document(document: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    kinds = document.get("type")
    if TYPE not in (kinds if isinstance(kinds, list) else [kinds]):
        yield FieldError(f"{at}/type", f"must include {TYPE}")
        return
    found = {fault.pointer: fault for fault in [*schema_errors(dict(document)), *structure_errors(dict(document))]}
    yield from (FieldError(at + fault.pointer, fault.detail) for fault in found.values())
    yield from _persons(document.get("issuer"), f"{at}/issuer")


def _persons(profile: Any, at: str) -> Iterator[FieldError]:
    if not isinstance(profile, Mapping):
        return
    for name in PERSONAL:
        if name in profile:
            yield FieldError(f"{at}/{name}", "belongs to a private person; what is published here can never be erased")
    yield from _persons(profile.get("parentOrg"), f"{at}/parentOrg")


def _sizes(members: Sequence[Any], at: str) -> Iterator[FieldError]:
    if len(members) > MOST:
        yield FieldError(at, f"has more than {MOST} members")
    if len(msgspec.json.encode(members)) > LARGEST_BYTES:
        yield FieldError(at, f"has more than {LARGEST_BYTES // 1024} KiB, and every credential would carry it")


def _twice(names: Sequence[Any], at: str, member: str) -> Iterator[FieldError]:
    for index, name in enumerate(names):
        if isinstance(name, str) and name in names[:index]:
            yield FieldError(f"{at}/{index}{member}", "stands there twice")
