"""`vc+jwt` (VC-JOSE-COSE §3.1, Open Badges 3.0 §8): the credential as the payload of a compact JWS, signed with ES256.

Open Badges wants the registered claims `iss`, `sub`, `jti`, `nbf` and `exp` in the payload, equal to the credential's
own values, and nothing but `alg`, `kid`, `jwk` and `typ` in the header. The algorithm is fixed by the key, never by the
token. Nothing else is accepted: no `vc` claim, no critical extensions, no padding.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from ledger.proofs import data_integrity
from ledger.proofs.data_integrity import Json
from ledger.proofs.keys import ED25519, P256, PublicKey, Signer, from_base64url
from ledger.proofs.problems import GENERATION, MALFORMED, PARSING, VERIFICATION, CannotSay, ProofError
from ledger.proofs.screen import decode, screen_json

TYPE: Final = "vc+jwt"
CLAIMS: Final = ("iss", "sub", "jti", "nbf", "exp")
REGISTERED: Final = frozenset({*CLAIMS, "iat", "aud", "cnf"})  # none of them is a member of a credential

_ALGORITHMS: Final = {P256: ("ES256",), ED25519: ("EdDSA", "Ed25519")}
_TYPES: Final = (None, "JWT", TYPE)
_encode: Final = msgspec.json.Encoder().encode


def sign(document: Json, signer: Signer) -> str:
    """The compact JWS of an unsecured document. Raises ProofError for a key that is not P-256, a document without
    issuer, id or validFrom, and JSON that others would read apart."""
    if signer.algorithm != P256:
        raise ProofError(GENERATION, f"A {TYPE} is signed with ES256: it takes a P-256 key, not {signer.algorithm}.")
    body = data_integrity.unsecured(document)
    screen_json(body, own=True)
    claims = _claims(body)
    if claims.keys() & body.keys() or not claims.keys() >= {"iss", "sub", "jti", "nbf"}:
        raise ProofError(
            GENERATION, "The credential needs issuer, subject id, id and validFrom, and no claims of its own."
        )
    header = {"alg": "ES256", "kid": signer.verification_method, "typ": TYPE}
    signed = f"{_base64url(_encode(header))}.{_base64url(_encode({**body, **claims}))}"
    return f"{signed}.{_base64url(signer.sign(signed.encode()))}"


def header_of(jwt: str) -> Json:
    """The header of a compact JWS, checked: no critical extensions, a type that fits. Raises ProofError."""
    header = _part(jwt, 0)
    if header.get("typ") not in _TYPES:
        raise ProofError(VERIFICATION, f"The JWT's typ is not {TYPE}.")
    if "crit" in header or not isinstance(header.get("alg"), str):
        raise ProofError(VERIFICATION, "The JWT's header has critical extensions or no alg.")
    return header


def method_of(jwt: str) -> str:
    """The key that a JWT names: `kid`, made absolute with `iss` where it is only a fragment. Raises ProofError."""
    kid = header_of(jwt).get("kid")
    if not isinstance(kid, str) or not kid:
        raise CannotSay("The JWT names no key (kid).")
    issuer = _part(jwt, 1).get("iss")
    return f"{issuer}{kid}" if kid.startswith("#") and isinstance(issuer, str) else kid


def verify(jwt: str, resolve: Callable[[str], PublicKey]) -> Json:
    """The unsecured document behind a JWT whose signature holds.

    `resolve` gives the key of a method (a DID URL) and may raise CannotSay. Raises ProofError for a signature, header
    or claim that does not hold.
    """
    header, key = header_of(jwt), resolve(method_of(jwt))
    if header["alg"] not in _ALGORITHMS[key.algorithm]:
        raise ProofError(VERIFICATION, "The JWT's alg is not the one of the key.")
    signed, _, signature = jwt.rpartition(".")
    if not key.verifies(_bytes(signature), signed.encode()):
        raise ProofError(VERIFICATION, "The signature is not this key's over this JWT: one of them was changed.")
    payload = _part(jwt, 1)
    document = document_of_jwt(payload)
    expected = _claims(document)
    for name in CLAIMS:
        if name in payload and not _agree(payload[name], expected.get(name)):
            raise ProofError(MALFORMED, f"The claim {name} is not what the credential says.", f"/{name}")
    return document


def unverified(jwt: str) -> Json:
    """The document that a JWT holds, whoever signed it. Raises ProofError where it holds none that can be read."""
    header_of(jwt)
    return document_of_jwt(_part(jwt, 1))


def document_of_jwt(payload: Json) -> Json:
    """The unsecured document in a payload: without the registered claims. Raises ProofError for a `vc` or `vp` claim
    (VC Data Model 1.1) and for an embedded null or control character."""
    if "vc" in payload or "vp" in payload:
        raise ProofError(MALFORMED, "The JWT wraps its credential in a vc or vp claim, which version 2.0 forbids.")
    document = {name: member for name, member in payload.items() if name not in REGISTERED}
    screen_json(document)
    return document


def _claims(document: Json) -> Json:
    """The registered claims that say what the credential says (Open Badges 3.0 §8.2.4.1); times in whole seconds."""
    issuer, subject = document.get("issuer"), document.get("credentialSubject")
    claims = {
        "iss": issuer.get("id") if isinstance(issuer, dict) else issuer,
        "sub": subject.get("id") if isinstance(subject, dict) else None,
        "jti": document.get("id"),
        "nbf": _seconds(document.get("validFrom", document.get("issuanceDate"))),
        "exp": _seconds(document.get("validUntil", document.get("expirationDate"))),
    }
    return {name: value for name, value in claims.items() if value is not None}


def _agree(claim: Any, expected: Any) -> bool:
    """Equal, or two numbers within the second to which a time may have been rounded."""
    if isinstance(claim, (int, float)) and isinstance(expected, int) and not isinstance(claim, bool):
        return abs(claim - expected) <= 1
    return bool(claim == expected)


def _seconds(text: Any) -> int | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if at is None or at.tzinfo is None else int(at.timestamp())


def _part(jwt: str, index: int) -> Json:
    parts = jwt.split(".")
    if len(parts) != 3:
        raise ProofError(PARSING, "A JWT has three parts with dots between.")
    value = decode(_bytes(parts[index]))
    if not isinstance(value, dict):
        raise ProofError(PARSING, "The header and the payload of a JWT are JSON objects.")
    return value


def _bytes(part: str) -> bytes:
    try:
        return from_base64url(part)
    except ValueError as error:
        raise ProofError(PARSING, "The parts of a JWT are base64url without padding.") from error


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
