"""vc+jwt: what we sign, what other libraries make of it, and the traps of JWTs."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from tests.proofs.samples import ED25519, ISSUER, P256, badge

from ledger.proofs import CannotSay, ProofError, PublicKey, document_of_jwt, vc_jwt


def resolve(method: str) -> PublicKey:
    return {P256.verification_method: P256.key, ED25519.verification_method: ED25519.key}[method]


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token(header: dict[str, Any] | None = None, payload: dict[str, Any] | None = None, signer: Any = P256) -> str:
    """A JWT with changes, signed well."""
    parts = vc_jwt.sign(badge(), P256).split(".")
    old_header, old_payload = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in parts[:2])
    signed = f"{part(old_header | (header or {}))}.{part(old_payload | (payload or {}))}"
    return f"{signed}.{base64.urlsafe_b64encode(signer.sign(signed.encode())).decode().rstrip('=')}"


def test_header_and_claims_are_those_of_open_badges() -> None:
    compact = vc_jwt.sign(badge(), P256)
    header, payload = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in compact.split(".")[:2])

    assert header == {"alg": "ES256", "kid": P256.verification_method, "typ": "vc+jwt"}
    assert {name: payload[name] for name in vc_jwt.CLAIMS} == {
        "iss": ISSUER,
        "sub": badge()["credentialSubject"]["id"],
        "jti": badge()["id"],
        "nbf": 1769860800,
        "exp": 1927627200,
    }
    assert document_of_jwt(payload) == badge()


def test_it_verifies_and_gives_back_the_document() -> None:
    compact = vc_jwt.sign(badge(), P256)

    assert compact == vc_jwt.sign(badge(), P256)
    assert vc_jwt.method_of(compact) == P256.verification_method
    assert vc_jwt.verify(compact, resolve) == badge()


def test_without_validity_end_there_is_no_exp() -> None:
    document = badge()
    del document["validUntil"]

    assert vc_jwt.verify(vc_jwt.sign(document, P256), resolve) == document
    assert "exp" not in pyjwt.decode(vc_jwt.sign(document, P256), options={"verify_signature": False})


def test_pyjwt_and_joserfc_accept_ours() -> None:
    compact = vc_jwt.sign(badge(), P256)
    key = ECKey.import_key(P256.key.jwk())

    found = pyjwt.decode(compact, pyjwt.PyJWK(P256.key.jwk(), "ES256").key, ["ES256"], options={"verify_nbf": False})
    assert document_of_jwt(found) == badge()
    assert document_of_jwt(json.loads(jws.deserialize_compact(compact, key, ["ES256"]).payload)) == badge()


def test_we_accept_what_joserfc_and_pyjwt_sign() -> None:
    payload = pyjwt.decode(vc_jwt.sign(badge(), P256), options={"verify_signature": False})
    header = {"alg": "ES256", "kid": P256.verification_method, "typ": "JWT"}
    key = ECKey.import_key({**P256.key.jwk(), "d": base64.urlsafe_b64encode(bytes(range(1, 33))).decode().rstrip("=")})

    compact = jws.serialize_compact(header, json.dumps(payload), key, ["ES256"])

    assert vc_jwt.verify(compact, resolve) == badge()
    again = pyjwt.encode(payload, key.private_key, "ES256", headers={"kid": P256.verification_method})
    assert vc_jwt.verify(again, resolve) == badge()


def test_eddsa_is_accepted_for_an_ed25519_key_alone() -> None:
    header = {"alg": "EdDSA", "kid": ED25519.verification_method}

    assert vc_jwt.verify(token(header, signer=ED25519), resolve) == badge()
    for wrong in (token({"alg": "EdDSA"}), token({"alg": "ES256", "kid": ED25519.verification_method}, signer=ED25519)):
        with pytest.raises(ProofError, match="alg"):
            vc_jwt.verify(wrong, resolve)


def test_none_and_hs256_with_the_public_key_are_wrong() -> None:
    signed = token({"alg": "none"}).rpartition(".")[0]
    mac = f"{part({'alg': 'HS256', 'kid': P256.verification_method})}.{signed.split('.')[1]}"
    tag = hmac.digest(P256.key.raw, mac.encode(), hashlib.sha256)

    for wrong in (signed + ".", token({"alg": "none"}), f"{mac}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"):
        with pytest.raises(ProofError):
            vc_jwt.verify(wrong, resolve)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t + "=",
        lambda t: t + "AAAA",
        lambda t: t + ".x",
        lambda t: t.replace(".", ".=", 1),
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: t.rpartition(".")[0],
        lambda t: t[:-10] + t[-9:],
        lambda t: t[:-1] + chr(ord(t[-1]) + 1),
        lambda t: "",
    ],
)
def test_another_form_of_the_same_bytes_is_wrong(spoil: Any) -> None:
    with pytest.raises(ProofError):
        vc_jwt.verify(spoil(vc_jwt.sign(badge(), P256)), resolve)


def test_a_changed_payload_is_wrong() -> None:
    head, body, signature = vc_jwt.sign(badge(), P256).split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "==")) | {"name": "More"}

    with pytest.raises(ProofError, match="changed"):
        vc_jwt.verify(f"{head}.{part(changed)}.{signature}", resolve)


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        ({"typ": "vp+jwt"}, {}),
        ({"typ": "kb+jwt"}, {}),
        ({"crit": ["b64"], "b64": False}, {}),
        ({}, {"vc": {}}),
        ({}, {"vp": {}}),
        ({}, {"iss": "did:web:other.example"}),
        ({}, {"sub": "urn:other"}),
        ({}, {"jti": "urn:other"}),
        ({}, {"nbf": 0}),
        ({}, {"exp": True}),
        ({}, {"name": None}),
    ],
)
def test_a_header_or_claim_that_does_not_fit_is_wrong(header: dict[str, Any], payload: dict[str, Any]) -> None:
    with pytest.raises(ProofError):
        vc_jwt.verify(token(header, payload), resolve)


def test_a_member_twice_is_wrong_even_when_signed() -> None:
    head, body, _ = vc_jwt.sign(badge(), P256).split(".")
    text = base64.urlsafe_b64decode(body + "==")[:-1] + b',"name":"twice"}'
    signed = f"{head}.{base64.urlsafe_b64encode(text).decode().rstrip('=')}"

    with pytest.raises(ProofError, match="twice"):
        vc_jwt.verify(f"{signed}.{base64.urlsafe_b64encode(P256.sign(signed.encode())).decode().rstrip('=')}", resolve)


def test_a_kid_that_is_a_fragment_is_taken_with_the_issuer_and_none_cannot_be_judged() -> None:
    assert vc_jwt.method_of(token({"kid": "#key_two"})) == f"{ISSUER}#key_two"
    with pytest.raises(CannotSay):
        vc_jwt.verify(token({"kid": None}), resolve)


def test_what_has_no_claims_or_another_key_is_not_signed() -> None:
    with pytest.raises(ProofError, match="P-256"):
        vc_jwt.sign(badge(), ED25519)
    for broken in (badge(id=None), badge(issuer=None), badge(sub="x")):
        with pytest.raises(ProofError):
            vc_jwt.sign(broken, P256)
