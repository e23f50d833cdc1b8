"""Who endorses an achievement, in what words, and whether the signature was checked. ● Pure.

What was found out when the version was published stands in its details (`endorsement_signatures`), in the order of the
endorsements: those inside the document first, then the JWTs beside it. Whatever is odd in one is left out.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from ledger.proofs import ProofError, vc_jwt
from registry.prose import moment_of


class Endorsement(msgspec.Struct, frozen=True, kw_only=True):
    """One endorsement as a page shows it. `about` is None where it is the achievement, else what it names instead;
    `embedded` says that it is part of every credential of the version."""

    by: str
    issuer: str
    url: str | None
    name: str
    comment: str | None
    about: str | None
    since: datetime | None
    until: datetime | None
    checked: bool
    embedded: bool


def endorsements_of(document: Mapping[str, Any], details: Mapping[str, Any]) -> list[Endorsement]:
    """The endorsements of a version of an achievement, in its order."""
    found = list(_written(document, details))
    signatures = [one.get("signature") for one in details.get("endorsement_signatures", [])]
    signatures += [None] * (len(found) - len(signatures))
    names = _names(document)
    return [
        _shown(endorsement, embedded, names, checked=signature == "checked")
        for (endorsement, embedded), signature in zip(found, signatures, strict=False)
    ]


def _written(document: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    for endorsement in document.get("endorsement", []):
        yield endorsement, True
    for jwt in details.get("endorsement_jwts", []):
        try:
            yield vc_jwt.unverified(jwt), False
        except ProofError:
            yield {}, False


def _names(document: Mapping[str, Any]) -> set[str]:
    """Every id under which the achievement may be endorsed."""
    return {str(one.get("id")) for one in [document, *document.get("related", [])]}


def _shown(endorsement: Mapping[str, Any], embedded: bool, names: set[str], *, checked: bool) -> Endorsement:
    issuer, subject = _object(endorsement.get("issuer")), _object(endorsement.get("credentialSubject"))
    issuer_id, about = _text(issuer.get("id")) or "", _text(subject.get("id"))
    url = _text(issuer.get("url"))
    return Endorsement(
        by=_label(issuer.get("name")) or issuer_id,
        issuer=issuer_id,
        url=url if url and url.startswith(("https://", "http://")) else None,
        name=_label(endorsement.get("name")) or "Endorsement",
        comment=_text(subject.get("endorsementComment")),
        about=None if about in names or _is_version(about, names) else about,
        since=moment_of(_text(endorsement.get("validFrom"))),
        until=moment_of(_text(endorsement.get("validUntil"))),
        checked=checked,
        embedded=embedded,
    )


def _is_version(about: str | None, names: set[str]) -> bool:
    """Whether this is another version of the achievement, or the achievement without one."""
    if about is None:
        return False
    roots = {name.rpartition("/versions/")[0] for name in names if "/versions/" in name}
    return any(about == root or about.startswith(f"{root}/versions/") for root in roots)


def _label(value: Any) -> str | None:
    """The text of a string or a language value object, or of the first of several."""
    if isinstance(value, list):
        value = value[0] if value else None
    return _text(value.get("@value") if isinstance(value, Mapping) else value)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"id": value}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
