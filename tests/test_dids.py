"""did:key, did:web, and the DID documents of our institutions."""

from typing import Any

import pytest
from openvc.did.did_key import DidKeyResolver
from openvc.did.did_web import DidWebResolver
from tests.proofs.samples import ED25519, ISSUER, P256

from ledger import dids
from ledger.proofs import CannotSay, ProofError, rdfc

OLD = dids.Method("key_old", ED25519.public_key, retired="2026-01-01T00:00:00Z")
STOLEN = dids.Method("key_bad", ED25519.public_key, compromised="2026-01-02T00:00:00Z")
METHODS = [OLD, STOLEN, dids.Method("key_one", ED25519.public_key), dids.Method("key_two", P256.public_key)]


def document() -> dict[str, Any]:
    return dids.did_document(ISSUER, METHODS)


@pytest.mark.parametrize("signer", [ED25519, P256], ids=lambda s: s.algorithm)
def test_a_did_key_gives_back_its_key(signer: Any) -> None:
    did = dids.did_key(signer.key)
    method = f"{did}#{signer.public_key}"

    assert dids.key_of_did_key(method) == signer.key
    assert dids.method_of(dids.did_key_document(method), method) == signer.key


def test_the_did_key_of_the_w3c_vectors_is_read() -> None:
    name = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"

    assert dids.did_key(dids.key_of_did_key(f"did:key:{name}#{name}")) == f"did:key:{name}"


@pytest.mark.parametrize("signer", [ED25519, P256], ids=lambda s: s.algorithm)
def test_another_library_reads_our_did_key_alike(signer: Any) -> None:
    found = DidKeyResolver().resolve(dids.did_key(signer.key))

    jwk = found.key_for_purpose(f"{dids.did_key(signer.key)}#{signer.public_key}", "assertionMethod").public_key_jwk
    assert {name: jwk[name] for name in signer.key.jwk()} == signer.key.jwk()


def test_a_did_key_with_another_fragment_or_base_is_refused() -> None:
    with pytest.raises(ProofError):
        dids.key_of_did_key(f"{dids.did_key(ED25519.key)}#key-1")
    with pytest.raises(CannotSay):
        dids.key_of_did_key("did:key:u7QEA")
    with pytest.raises(CannotSay):
        dids.key_of_did_key("did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme")  # secp256k1


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ("did:web:localhost%3A8000:issuers:north", "https://localhost:8000/issuers/north/did.json"),
    ],
)
def test_a_did_web_is_an_address(did: str, url: str) -> None:
    assert dids.did_web_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web:127.0.0.1",
        "did:web:%5B%3A%3A1%5D",
        "did:web:2130706433",
        "did:web:user%40evil.example",
        "did:web:evil.example%2Fpath",
        "did:web:evil.example:..:x",
        "did:web:evil.example:%2e%2e:x",
        "did:web:evil.example:a%2Fb",
        "did:web:evil.example::x",
        "did:web:evil.example%3Aport",
        "did:web:evil.example%3A99999999",
        "did:web:evil.example\n",
        "did:web:evil.example?x#y",
        "did:key:web",
        "xdid:web:evil.example",
    ],
)
def test_a_did_web_that_would_lead_elsewhere_is_refused(did: str) -> None:
    with pytest.raises(ValueError, match="did:web"):
        dids.did_web_url(did)


def test_our_document_lists_retired_and_compromised_keys_and_vouches_for_the_former_only() -> None:
    made = document()

    assert made["@context"][:2] == ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
    assert [method["id"] for method in made["verificationMethod"]] == [f"{ISSUER}#{m.id}" for m in METHODS]
    assert made["verificationMethod"][0]["expires"] == OLD.retired
    assert made["verificationMethod"][1]["revoked"] == STOLEN.compromised
    assert made["assertionMethod"] == [f"{ISSUER}#key_old", f"{ISSUER}#key_one", f"{ISSUER}#key_two"]
    assert {method["controller"] for method in made["verificationMethod"]} == {ISSUER}


def test_every_term_of_our_document_is_defined() -> None:
    quads = rdfc.canonical(document()).decode()

    assert "publicKeyJwk" in quads
    assert ED25519.public_key in quads


def test_keys_are_found_in_our_document() -> None:
    assert dids.method_of(document(), f"{ISSUER}#key_one") == ED25519.key
    assert dids.method_of(document(), f"{ISSUER}#key_two") == P256.key
    assert dids.described(document(), f"{ISSUER}#key_bad").revoked == STOLEN.compromised


def test_another_library_finds_the_same_keys_in_our_document() -> None:
    found = DidWebResolver(lambda url: document()).resolve(ISSUER)

    for name, signer in (("key_one", ED25519), ("key_two", P256)):
        jwk = found.key_for_purpose(f"{ISSUER}#{name}", "assertionMethod").public_key_jwk
        assert {part: jwk[part] for part in signer.key.jwk()} == signer.key.jwk()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(id="did:web:other.example"), "not of this DID document"),
        (lambda d: d.update(verificationMethod=[]), "does not list the verification method"),
        (lambda d: d.update(assertionMethod=[]), "for assertionMethod"),
        (lambda d: d["verificationMethod"][2].update(controller="did:web:other.example"), "somebody else"),
        (lambda d: d["verificationMethod"][2].pop("controller"), "no controller"),
        (lambda d: d["verificationMethod"][3].update(id=f"{ISSUER}#key_one"), "two methods"),
    ],
)
def test_a_method_that_the_document_does_not_vouch_for_is_refused(change: Any, reason: str) -> None:
    changed = document()
    change(changed)

    with pytest.raises(ProofError, match=reason):
        dids.method_of(changed, f"{ISSUER}#key_one")


def test_a_key_of_another_kind_is_one_that_cannot_be_judged() -> None:
    changed = document()
    changed["verificationMethod"][2]["publicKeyMultibase"] = "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"

    with pytest.raises(CannotSay):
        dids.method_of(changed, f"{ISSUER}#key_one")


def test_a_foreign_document_may_name_its_methods_by_fragment_and_put_them_under_the_purpose() -> None:
    method = {"id": "#a", "controller": ISSUER, "type": "Multikey", "publicKeyMultibase": ED25519.public_key}

    assert dids.method_of({"id": ISSUER, "assertionMethod": [method]}, f"{ISSUER}#a") == ED25519.key


def test_the_did_names_host_and_port_as_did_web_wants_it() -> None:
    assert dids.did_for("http://localhost:8000", "nova") == "did:web:localhost%3A8000:issuers:nova"
    assert dids.did_for("https://ledger.example", "nova") == "did:web:ledger.example:issuers:nova"


def test_the_keys_that_a_document_lists_for_assertions_are_read_by_their_methods() -> None:
    names = {f"{ISSUER}#key_old": ED25519, f"{ISSUER}#key_one": ED25519, f"{ISSUER}#key_two": P256}

    assert dids.assertion_keys(document()) == {name: signer.public_key for name, signer in names.items()}


def test_a_key_that_is_listed_and_not_described_makes_the_document_unreadable() -> None:
    changed = document()
    changed["assertionMethod"].append(f"{ISSUER}#key_none")

    with pytest.raises(ProofError):
        dids.assertion_keys(changed)
