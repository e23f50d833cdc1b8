"""The structure check of W3C's Verifiable Credentials Data Model 2.0, and of 1.1 for reading.

What a verifier must refuse before it looks at proofs (VCDM 2.0 §4). Terms that no context defines, and contexts that
redefine a protected term, are found where documents are expanded (`ledger.proofs`), not here.
"""

from collections.abc import Iterator
from typing import Any, Final

from ledger.credentials.lexical import is_label, is_uri, read_time
from ledger.errors import FieldError

VC_2_0: Final = "https://www.w3.org/ns/credentials/v2"
VC_1_1: Final = "https://www.w3.org/2018/credentials/v1"

Faults = Iterator[FieldError]


def structure_errors(document: Any) -> list[FieldError]:
    """Every structural fault of one credential, each with its JSON pointer; empty when it is well-formed."""
    if not isinstance(document, dict):
        return [FieldError("", "must be a JSON object")]
    return [
        *_context(document.get("@context")),
        *_type(document.get("type")),
        *_id(document, ""),
        *_issuer(document.get("issuer")),
        *_subjects(document.get("credentialSubject")),
        *_validity(document),
        *_typed_members(document),
        *_schemas(document.get("credentialSchema")),
        *_labels(document, ""),
        *_related(document.get("relatedResource")),
        *_proofs(document),
    ]


def _context(contexts: Any) -> Faults:
    if not isinstance(contexts, list) or not contexts:
        yield FieldError("/@context", "must be an array of contexts")
        return
    if contexts[0] not in (VC_2_0, VC_1_1):
        yield FieldError("/@context/0", f"must be {VC_2_0}")
    for index, context in enumerate(contexts):
        if not isinstance(context, dict) and not is_uri(context):
            yield FieldError(f"/@context/{index}", "must be a URL or an object")


def _type(kinds: Any) -> Faults:
    members = kinds if isinstance(kinds, list) else [kinds]
    if not members or not all(isinstance(kind, str) and kind.strip() for kind in members):
        yield FieldError("/type", "must be a type name or an array of type names")
    elif "VerifiableCredential" not in members:
        yield FieldError("/type", "must include VerifiableCredential")


def _id(value: dict[str, Any], at: str) -> Faults:
    if "id" in value and not is_uri(value["id"]):
        yield FieldError(f"{at}/id", "must be one URL")


def _issuer(issuer: Any) -> Faults:
    if isinstance(issuer, dict):
        if not is_uri(issuer.get("id")):
            yield FieldError("/issuer/id", "must be one URL")
        yield from _labels(issuer, "/issuer")
    elif not is_uri(issuer):
        yield FieldError("/issuer", "must be a URL or an object with an id")


def _subjects(subjects: Any) -> Faults:
    many = isinstance(subjects, list)
    if many and not subjects:
        yield FieldError("/credentialSubject", "must have at least one member")
    for index, subject in enumerate(subjects if many else [subjects]):
        at = f"/credentialSubject/{index}" if many else "/credentialSubject"
        if not isinstance(subject, dict) or not subject:
            yield FieldError(at, "must be an object with claims")
        else:
            yield from _id(subject, at)


def _validity(document: dict[str, Any]) -> Faults:
    contexts = document.get("@context")
    old = isinstance(contexts, list) and contexts[:1] == [VC_1_1]
    start, end = ("issuanceDate", "expirationDate") if old else ("validFrom", "validUntil")
    if old and start not in document:
        yield FieldError(f"/{start}", "is required by VC Data Model 1.1")
    times = {}
    for name in (start, end):
        if name in document:
            times[name] = read_time(document[name])
            if times[name] is None:
                yield FieldError(f"/{name}", "must be a date and time with its zone")
    first, last = times.get(start), times.get(end)
    if first is not None and last is not None and last < first:
        yield FieldError(f"/{end}", f"lies before {start}")


def _typed_members(document: dict[str, Any]) -> Faults:
    """Members that must say their type, and a status entry's id, which is optional but one URL."""
    for name in ("credentialStatus", "termsOfUse", "evidence", "refreshService"):
        if name not in document:
            continue
        value = document[name]
        many = isinstance(value, list)
        for index, member in enumerate(value if many else [value]):
            at = f"/{name}/{index}" if many else f"/{name}"
            if not isinstance(member, dict):
                yield FieldError(at, "must be an object")
                continue
            if not _has_type(member):
                yield FieldError(f"{at}/type", "is required")
            if name == "credentialStatus":
                yield from _id(member, at)


def _has_type(member: dict[str, Any]) -> bool:
    kinds = member.get("type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return bool(names) and all(isinstance(kind, str) and kind.strip() for kind in names)


def _schemas(value: Any) -> Faults:
    if value is None:
        return
    many = isinstance(value, list)
    for index, schema in enumerate(value if many else [value]):
        at = f"/credentialSchema/{index}" if many else "/credentialSchema"
        if not isinstance(schema, dict):
            yield FieldError(at, "must be an object")
            continue
        if not _has_type(schema):
            yield FieldError(f"{at}/type", "is required")
        if not is_uri(schema.get("id")):
            yield FieldError(f"{at}/id", "must be one URL")


def _labels(value: dict[str, Any], at: str) -> Faults:
    for name in ("name", "description"):
        if name in value and not is_label(value[name]):
            yield FieldError(f"{at}/{name}", "must be a string or a language value object")


def _related(value: Any) -> Faults:
    if value is None:
        return
    seen: set[str] = set()
    for index, resource in enumerate(value if isinstance(value, list) else [value]):
        at = f"/relatedResource/{index}" if isinstance(value, list) else "/relatedResource"
        if not isinstance(resource, dict):
            yield FieldError(at, "must be an object")
            continue
        url = resource.get("id")
        if not is_uri(url):
            yield FieldError(f"{at}/id", "must be one URL")
        elif url in seen:
            yield FieldError(f"{at}/id", "stands there twice")
        else:
            seen.add(url)
        if not any(isinstance(resource.get(name), str) for name in ("digestSRI", "digestMultibase")):
            yield FieldError(at, "must have digestSRI or digestMultibase")


def _proofs(document: dict[str, Any]) -> Faults:
    if "proof" not in document:
        return  # an enveloped credential (VC-JWT) carries none
    value = document["proof"]
    many = isinstance(value, list)
    if many and not value:
        yield FieldError("/proof", "must have at least one member")
    for index, proof in enumerate(value if many else [value]):
        at = f"/proof/{index}" if many else "/proof"
        if not isinstance(proof, dict):
            yield FieldError(at, "must be an object")
        elif not _has_type(proof):
            yield FieldError(f"{at}/type", "is required")
