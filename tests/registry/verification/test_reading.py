"""What somebody hands in becomes one credential, or a sentence that says why not."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.registry.verification.badges import badge

from ledger.credentials.baking import bake_svg
from registry.verification.reading import Unreadable, from_bytes, from_document, from_image, from_jwt

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'


def jwt_of(payload: Any) -> str:
    parts = [json.dumps({"alg": "ES256", "typ": "vc+jwt"}).encode(), json.dumps(payload).encode(), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_a_document_is_taken_as_it_is() -> None:
    presented = from_document(badge(proof=[{"type": "DataIntegrityProof"}]))

    assert presented.jwt is None
    assert presented.document == badge(proof=[{"type": "DataIntegrityProof"}])
    assert presented.unsecured == badge()


def test_the_payload_of_a_jwt_is_the_credential_without_its_registered_claims() -> None:
    text = jwt_of({**badge(), "iss": "did:web:issuer.example", "nbf": 1767225600})

    presented = from_jwt(f"  {text}\n")

    assert presented.document == badge()
    assert presented.claims == {"iss": "did:web:issuer.example", "nbf": 1767225600}
    assert presented.jwt == text


def test_an_enveloped_credential_is_taken_out_of_its_envelope() -> None:
    envelope = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{jwt_of(badge())}",
    }

    assert from_document(envelope).document == badge()


def test_a_credential_is_taken_out_of_its_picture_in_every_form() -> None:
    baked = bake_svg(SVG, json.dumps(badge()))
    coded = base64.b64encode(baked).decode()

    assert from_image(coded).document == badge()
    assert from_image(f"data:image/svg+xml;base64,{coded}").document == badge()
    assert from_image(f"data:image/svg+xml,{quote(baked)}").document == badge()
    assert from_bytes(baked).document == badge()


def test_a_jwt_may_be_baked_too() -> None:
    assert from_bytes(bake_svg(SVG, jwt_of(badge()))).document == badge()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe", "neither"),
        (b"[]", "JSON object"),
        (b'"text"', "JSON object"),
        (b'{"id": "a", "id": "b"}', "may not"),
        (b'{"a": 1e999}', "may not"),
        (b'{"a": "\\u0001"}', "may not"),
        (b'{"a": "\\u202e"}', "may not"),
        (b'{"a": "\\ud800"}', "may not"),
        (b"[" * 40 + b"]" * 40, "deeper"),
        (b'{"a": "' + b"x" * 300_000 + b'"}', "256 KiB"),
        (SVG, "holds no Open Badges 3.0 credential"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>", "doctype"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
    ],
)
def test_what_holds_no_credential_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        from_bytes(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "a..c",
        jwt_of([1]),
        jwt_of({"vc": badge()}),
        jwt_of({"vp": {}}),
        "e30.e30=.e30",
        "e30.!!!.e30",
        "e30.bm90IGpzb24.e30",
        "e30." + "e" * 300_000 + ".e30",
    ],
)
def test_what_is_no_jwt_of_a_credential_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        from_jwt(text)


@pytest.mark.parametrize("text", ["", "not base64!", "data:image/png;base64,***", "data:text/plain,hello"])
def test_what_is_no_picture_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        from_image(text)


def test_an_envelope_without_a_jwt_is_refused_at_its_id() -> None:
    with pytest.raises(Unreadable) as caught:
        from_document({"type": ["EnvelopedVerifiableCredential"], "id": "https://elsewhere.example/"})

    assert [error.pointer for error in caught.value.errors] == ["/id"]


def test_a_control_character_is_pointed_at() -> None:
    with pytest.raises(Unreadable) as caught:
        from_document(badge(name="a\x07b"))

    assert [error.pointer for error in caught.value.errors] == ["/name"]


@pytest.mark.parametrize("value", ["\ud800", 2**60])
def test_a_value_that_json_cannot_carry_exactly_is_no_credential(value: Any) -> None:
    with pytest.raises(Unreadable):
        from_document(badge(name=value))


def test_a_document_that_nests_without_end_is_no_credential() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]

    with pytest.raises(Unreadable):
        from_document(badge(name=deep))
