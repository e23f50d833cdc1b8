"""Decentralised identifiers: did:key and did:web, and the DID documents of our institutions. ● Pure.

Rules. A did:key is its own document and needs no fetch. A did:web is an address (did:web method specification): the
caller resolves it, our own ones inside. Our documents name did/v1 first, since common libraries short-cut on the first
context only, then multikey/v1; the JWK terms stand inline. Ed25519 is a Multikey, P-256 a JsonWebKey, because the Open
Badges validator reads the JWK. Retired keys stay listed for assertions, with `expires`. A compromised key stays listed
with `revoked` and is taken off the assertions: outsiders cannot see positions in a log, so for them it proves nothing.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import msgspec

from ledger import contexts
from ledger.proofs.keys import ED25519, PublicKey, from_jwk, from_multibase
from ledger.proofs.problems import VERIFICATION, CannotSay, ProofError

ASSERTION: Final = "assertionMethod"

Json = dict[str, Any]

_SEGMENT: Final = re.compile(r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+")
_HOST: Final = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_SEC: Final = "https://w3id.org/security#"
_TIME: Final = "http://www.w3.org/2001/XMLSchema#dateTime"

JWK_TERMS: Final[Json] = {
    "JsonWebKey": {
        "@id": _SEC + "JsonWebKey",
        "@context": {
            "@protected": True,
            "id": "@id",
            "type": "@type",
            "controller": {"@id": _SEC + "controller", "@type": "@id"},
            "revoked": {"@id": _SEC + "revoked", "@type": _TIME},
            "expires": {"@id": _SEC + "expiration", "@type": _TIME},
            "publicKeyJwk": {"@id": _SEC + "publicKeyJwk", "@type": "@json"},
        },
    }
}


class Method(msgspec.Struct, frozen=True):
    """A key to list: the fragment of its method (the key id), the public key as multibase, and what became of it when
    (RFC 3339)."""

    id: str
    public_key: str
    retired: str | None = None
    compromised: str | None = None


class Described(msgspec.Struct, frozen=True):
    """What a DID document says of one verification method. `key` is None for a kind of key that is not known here;
    `expires` and `revoked` are texts as they stand there."""

    id: str
    controller: str
    key: PublicKey | None
    purposes: frozenset[str]
    expires: str | None = None
    revoked: str | None = None


def did_key(key: PublicKey) -> str:
    """`did:key:z…`."""
    return f"did:key:{key.multibase}"


def key_of_did_key(did: str) -> PublicKey:
    """The key that a did:key is, also given as the DID URL of its one method. Raises CannotSay or ProofError."""
    name, _, fragment = did.partition("#")
    value = name.removeprefix("did:key:")
    if value == name or (fragment and fragment != value):
        raise ProofError(VERIFICATION, "That is no did:key, or not its method: the fragment repeats the key.")
    try:
        return from_multibase(value)
    except ValueError as error:
        raise CannotSay(f"The did:key cannot be read: {error}.") from error


def did_key_document(did: str) -> Json:
    """The DID document that follows from a did:key. Raises CannotSay or ProofError."""
    key = key_of_did_key(did.partition("#")[0])
    did = did_key(key)
    method = {
        "id": f"{did}#{key.multibase}",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": key.multibase,
    }
    return {
        "@context": list(contexts.DID),
        "id": did,
        "verificationMethod": [method],
        "authentication": [method["id"]],
        ASSERTION: [method["id"]],
    }


def did_for(public_url: str, slug: str) -> str:
    """`did:web:<host%3Aport>:issuers:<slug>` under the registry's address (did:web, method-specific identifier)."""
    return f"did:web:{quote(urlsplit(public_url).netloc, safe='')}:issuers:{slug}"


def did_web_url(did: str, *, scheme: str = "https") -> str:
    """Where the document of a did:web lies: `did:web:host%3A8443:path` → `https://host:8443/path/did.json`.

    Raises ValueError for an IP address, a port that is not percent-encoded, and segments that would leave the path.
    """
    method, _, rest = did.partition("did:web:")
    host, *segments = rest.split(":") if not method and rest else [""]
    if not all(_SEGMENT.fullmatch(part) for part in (host, *segments)):
        raise ValueError("not a did:web: a host and a path, with colons between")
    name, _, port = unquote(host).partition(":")
    if (
        not _HOST.fullmatch(name)
        or name.rpartition(".")[2].isdigit()
        or (port and not port.isdecimal())
        or len(port) > 5
    ):
        raise ValueError("not a did:web: it names a host, with %3A before a port, and no IP address")
    if any(re.search(r"[/\\\x00-\x20]", unquote(part)) or set(unquote(part)) <= {"."} for part in segments):
        raise ValueError("not a did:web: a part of its path would lead elsewhere")
    path = "/".join(segments) or ".well-known"
    return f"{scheme}://{name}{':' + port if port else ''}/{path}/did.json"


def did_document(did: str, methods: Sequence[Method], *, also_known_as: Sequence[str] = ()) -> Json:
    """The DID document of one of our institutions, equal for equal keys.

    The controller of each method is the DID; `assertionMethod` names methods by their full DID URLs.
    """
    listed = [_written(did, method) for method in methods]
    document: Json = {"@context": [*contexts.DID, JWK_TERMS], "id": did, "controller": did}
    if also_known_as:
        document["alsoKnownAs"] = list(also_known_as)
    document["verificationMethod"] = listed
    document[ASSERTION] = [f"{did}#{method.id}" for method in methods if method.compromised is None]
    return document


def described(document: Json, method_id: str) -> Described:
    """What a DID document says of a method. Raises ProofError when it does not list it, or lists it in a broken way."""
    did = document.get("id")
    if not isinstance(did, str) or method_id.partition("#")[0] != did:
        raise ProofError(VERIFICATION, "The verification method is not of this DID document.")
    found = [entry for entry in _entries(document) if _absolute(entry.get("id"), did) == method_id]
    if not found:
        raise ProofError(VERIFICATION, "The DID document does not list the verification method.")
    entry = found[0]
    if any(other != entry for other in found):
        raise ProofError(VERIFICATION, "The DID document lists two methods under one id.")
    controller = entry.get("controller")
    if not isinstance(controller, str):
        raise ProofError(VERIFICATION, "The verification method names no controller.")
    ends = [entry[name] if isinstance(entry.get(name), str) else None for name in ("expires", "revoked")]
    return Described(method_id, controller, _key(entry), _purposes(document, did, method_id), *ends)


def method_of(document: Json, method_id: str, purpose: str = ASSERTION) -> PublicKey:
    """The key of a method that the DID document lists for a purpose and that it controls itself.

    Raises ProofError when it does not, CannotSay for a kind of key that is not known here. Says nothing about times:
    `described` has `expires` and `revoked`.
    """
    method = described(document, method_id)
    if purpose not in method.purposes:
        raise ProofError(VERIFICATION, f"The DID document does not list the verification method for {purpose}.")
    if method.controller != document["id"]:
        raise ProofError(VERIFICATION, "The verification method is controlled by somebody else.")
    if method.key is None:
        raise CannotSay("The verification method holds a key of a kind that is not known here, or a broken one.")
    return method.key


def assertion_keys(document: Mapping[str, Any]) -> dict[str, str]:
    """The keys that a DID document lists for assertions, as multibase by their full DID URLs.

    Raises ProofError where one of them is not described, or of a kind that is not known here.
    """
    did, group = document.get("id"), document.get(ASSERTION)
    if not isinstance(did, str):
        raise ProofError(VERIFICATION, "The DID document does not say whose it is.")
    found = {}
    for entry in group if isinstance(group, list) else []:
        method = _absolute(entry.get("id") if isinstance(entry, dict) else entry, did)
        if method is None:
            raise ProofError(VERIFICATION, "The DID document lists a verification method without a name.")
        found[method] = method_of(dict(document), method).multibase
    return found


def _written(did: str, method: Method) -> Json:
    key = from_multibase(method.public_key)
    entry: Json = {"id": f"{did}#{method.id}"}
    if key.algorithm == ED25519:
        entry |= {"type": "Multikey", "controller": did, "publicKeyMultibase": key.multibase}
    else:
        entry |= {"type": "JsonWebKey", "controller": did, "publicKeyJwk": {**key.jwk(), "alg": "ES256", "use": "sig"}}
    if method.retired is not None:
        entry["expires"] = method.retired
    if method.compromised is not None:
        entry["revoked"] = method.compromised
    return entry


def _entries(document: Json) -> list[Json]:
    """All methods, the ones that stand only under a purpose too."""
    listed = [document.get(name) for name in ("verificationMethod", ASSERTION, "authentication")]
    return [entry for group in listed if isinstance(group, list) for entry in group if isinstance(entry, dict)]


def _purposes(document: Json, did: str, method_id: str) -> frozenset[str]:
    found = set()
    for purpose in (ASSERTION, "authentication"):
        group = document.get(purpose)
        for entry in group if isinstance(group, list) else [group]:
            named = entry.get("id") if isinstance(entry, dict) else entry
            if _absolute(named, did) == method_id:
                found.add(purpose)
    return frozenset(found)


def _absolute(name: Any, did: str) -> str | None:
    """A method's id as a full DID URL; foreign documents shorten it to the fragment."""
    if not isinstance(name, str):
        return None
    return did + name if name.startswith("#") else name


def _key(entry: Json) -> PublicKey | None:
    try:
        if isinstance(multibase := entry.get("publicKeyMultibase"), str):
            return from_multibase(multibase)
        return from_jwk(entry.get("publicKeyJwk"))
    except ValueError:
        return None
