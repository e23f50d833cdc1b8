"""Verdicts on what others issued: by did:key and did:web, with their own status lists, and with published vectors."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.registry.verification.badges import Json, issued_by
from tests.registry.verification.facts import NOW, SIGNER, Facts, signed, status_list
from tests.registry.verification.places import KEY, Place, place
from tests.registry.verification.test_own_awards import failures, named

from ledger.bitstring import status_entry
from ledger.credentials.lexical import time_text
from ledger.dids import did_key
from ledger.outbound import Outbound
from ledger.proofs import LocalSigner, secure, vc_jwt
from registry.verification.verifier import Submission, Verifier

Make = Callable[..., Verifier]
STRANGER = LocalSigner("Ed25519", b"s" * 32, "")
STRANGER_DID = did_key(STRANGER.key)
STRANGER_SIGNER = LocalSigner("Ed25519", b"s" * 32, f"{STRANGER_DID}#{STRANGER.public_key}")


def by_key(document: Json | None = None, name: str = "Issuer of Examples") -> Json:
    """A badge of a stranger who has a did:key and nothing else."""
    badge = issued_by(STRANGER_DID, name) if document is None else document
    return secure(badge, STRANGER_SIGNER, NOW - timedelta(days=1))


@pytest.fixture
async def elm() -> AsyncIterator[Place]:
    """A foreign issuer with a did:web on a server of its own."""
    async with place() as opened:
        yield opened


def by_web(elm: Place, **changed: Any) -> Json:
    """A badge of Elm, signed by its key."""
    signer = LocalSigner("Ed25519", b"w" * 32, f"{elm.did}#{KEY}")
    return secure(issued_by(elm.did, **changed), signer, NOW - timedelta(days=1))


WEB_KEY = LocalSigner("Ed25519", b"w" * 32, "")


async def test_a_badge_by_did_key_is_verified_without_any_fetch_and_amber(verifier: Verifier) -> None:
    verdict = await verifier.verify(Submission(credential=by_key()))

    assert (verdict.verified, verdict.issuer_recognised, failures(verdict)) == (True, False, [])
    assert named(verdict, "recorded").status == "skipped"
    assert named(verdict, "status").status == "skipped"
    assert named(verdict, "issuer_recognised").status == "skipped"


async def test_a_did_key_badge_with_the_name_of_an_institution_here_is_never_green(verifier: Verifier) -> None:
    verdict = await verifier.verify(Submission(credential=by_key(name=" OAK college")))

    check = named(verdict, "issuer_recognised")
    assert (verdict.verified, verdict.issuer_recognised, check.status) == (True, False, "skipped")
    assert "bears the name of Oak College" in check.detail
    assert "nobody here vouches" in check.detail


async def test_a_stranger_s_signature_under_our_institution_s_did_fails_at_its_key(verifier: Verifier) -> None:
    forged = issued_by(SIGNER.verification_method.partition("#")[0], "Oak College")

    verdict = await verifier.verify(Submission(credential=by_key(forged)))

    assert failures(verdict) == ["key_at_time", "recorded"]
    assert not verdict.issuer_recognised


async def test_a_badge_by_did_web_is_verified_with_the_key_that_its_issuer_publishes(
    facts: Facts, verifier_over: Make, elm: Place
) -> None:
    elm.publishes(WEB_KEY)

    verdict = await verifier_over(facts, elm.outbound).verify(Submission(credential=by_web(elm)))

    assert (verdict.verified, verdict.issuer_recognised, failures(verdict)) == (True, False, [])
    assert elm.asked == ["/elm/did.json"]


async def test_a_jwt_by_did_web_is_verified_with_the_algorithm_of_its_key(
    facts: Facts, verifier_over: Make, elm: Place
) -> None:
    signer = LocalSigner("P-256", b"w" * 32, f"{elm.did}#{KEY}")
    elm.publishes(signer)

    verdict = await verifier_over(facts, elm.outbound).verify(Submission(jwt=vc_jwt.sign(issued_by(elm.did), signer)))

    assert (verdict.verified, failures(verdict)) == (True, [])


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ({"revoked": time_text(NOW - timedelta(seconds=1))}, ["key_at_time"]),
        ({"expires": time_text(NOW - timedelta(days=9))}, ["key_at_time"]),
        ({"expires": time_text(NOW + timedelta(days=9))}, []),
        ({"revoked": "soon"}, ["proofs"]),
        ({"controller": "did:web:elsewhere.example"}, ["key_at_time"]),
        ({"publicKeyMultibase": "z6Mk"}, ["proofs"]),
    ],
)
async def test_what_the_issuer_s_document_says_of_the_key_counts(
    facts: Facts, verifier_over: Make, elm: Place, ended: dict[str, str], expected: list[str]
) -> None:
    elm.publishes(WEB_KEY, **ended)

    assert failures(await verifier_over(facts, elm.outbound).verify(Submission(credential=by_web(elm)))) == expected


async def test_a_key_that_its_issuer_does_not_list_for_assertions_fails_at_the_key(
    facts: Facts, verifier_over: Make, elm: Place
) -> None:
    elm.put("/elm/did.json", {**elm.publishes(WEB_KEY), "assertionMethod": []})

    assert failures(await verifier_over(facts, elm.outbound).verify(Submission(credential=by_web(elm)))) == [
        "key_at_time"
    ]


async def test_keys_that_cannot_be_had_leave_the_proofs_unjudged_and_the_badge_unverified(
    facts: Facts, verifier_over: Make, elm: Place
) -> None:
    verdict = await verifier_over(facts, elm.outbound).verify(Submission(credential=by_web(elm)))

    assert failures(verdict) == ["proofs"]
    assert "could not be judged" in named(verdict, "proofs").detail
    assert "status 404" in named(verdict, "proofs").detail
    assert not verdict.verified


async def test_a_did_web_on_a_private_address_is_not_asked(facts: Facts, verifier_over: Make, elm: Place) -> None:
    verdict = await verifier_over(facts, Outbound()).verify(Submission(credential=by_web(elm)))

    assert failures(verdict) == ["proofs"]
    assert elm.asked == []


async def test_a_document_that_is_of_another_did_gives_no_key(facts: Facts, verifier_over: Make, elm: Place) -> None:
    elm.put("/elm/did.json", {**elm.publishes(WEB_KEY), "id": "did:web:elsewhere.example"})

    assert failures(await verifier_over(facts, elm.outbound).verify(Submission(credential=by_web(elm)))) == ["proofs"]


async def test_keys_of_many_places_are_not_all_asked_for(facts: Facts, verifier_over: Make, elm: Place) -> None:
    document = by_web(elm)
    (first, *_) = document["proof"]
    others = [{**first, "verificationMethod": f"{elm.did}:{n}#{KEY}"} for n in range(9)]

    verdict = await verifier_over(facts, elm.outbound).verify(Submission(credential={**document, "proof": others}))

    assert not verdict.verified
    assert len(elm.asked) == 3


async def test_a_foreign_badge_is_read_from_its_address(facts: Facts, verifier_over: Make, elm: Place) -> None:
    elm.publishes(WEB_KEY)
    url = elm.put("/badges/1", by_web(elm))

    verdict = await verifier_over(facts, elm.outbound).verify(Submission(url=url))

    assert (verdict.verified, failures(verdict)) == (True, [])


# Status lists of others


def listed(elm: Place, *revoked: int, index: int = 7, purpose: str = "revocation", **of: Any) -> Json:
    """A badge of Elm with an entry in its list, which is published with these places set."""
    url = elm.url("/lists/1")
    signer = of.get("signer", LocalSigner("Ed25519", b"w" * 32, f"{elm.did}#{KEY}"))
    credential = status_list(*revoked, purpose=of.get("serves", purpose), url=url, issuer=elm.did)
    elm.publishes(WEB_KEY)
    elm.put("/lists/1", secure({**credential, **of.get("changed", {})}, signer, NOW - timedelta(days=1)))
    return by_web(elm, credentialStatus=[status_entry(url, purpose, index)])


async def verdict_on(verifier: Verifier, document: Json) -> tuple[list[str], str, str | None]:
    verdict = await verifier.verify(Submission(credential=document))
    status = named(verdict, "status")
    assert verdict.verified == (not failures(verdict))
    return failures(verdict), status.detail, status.code


async def test_a_clear_bit_in_a_foreign_list_passes(facts: Facts, verifier_over: Make, elm: Place) -> None:
    failed, said, _ = await verdict_on(verifier_over(facts, elm.outbound), listed(elm, 6, 8))

    assert failed == []
    assert "neither revoked nor suspended" in said


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
@pytest.mark.parametrize("index", [0, 7, 131_071])
async def test_a_set_bit_in_a_foreign_list_fails(
    facts: Facts, verifier_over: Make, elm: Place, purpose: str, index: int
) -> None:
    document = listed(elm, index, index=index, purpose=purpose)

    failed, said, code = await verdict_on(verifier_over(facts, elm.outbound), document)

    assert (failed, code) == (["status"], None)
    assert "its bit in the status list is set" in said


async def test_a_set_bit_of_a_purpose_that_is_no_withdrawal_does_not_count(
    facts: Facts, verifier_over: Make, elm: Place
) -> None:
    failed, _, _ = await verdict_on(verifier_over(facts, elm.outbound), listed(elm, 7, purpose="refresh"))

    assert failed == []
    assert "/lists/1" not in elm.asked


@pytest.mark.parametrize(
    ("of", "code"),
    [
        ({"index": 131_072}, "RANGE_ERROR"),
        ({"serves": "suspension"}, "MALFORMED_VALUE_ERROR"),
        (
            {"signer": LocalSigner("Ed25519", b"s" * 32, f"{STRANGER_DID}#{STRANGER.public_key}")},
            "STATUS_VERIFICATION_ERROR",
        ),
        ({"changed": {"validUntil": time_text(NOW - timedelta(minutes=1))}}, "STATUS_VERIFICATION_ERROR"),
        ({"changed": {"type": ["VerifiableCredential"]}}, "STATUS_VERIFICATION_ERROR"),
        ({"changed": {"id": "https://elsewhere.example/list"}}, "STATUS_VERIFICATION_ERROR"),
    ],
    ids=["index past the end", "other purpose", "not its issuer's key", "expired", "no list", "another list"],
)
async def test_a_foreign_list_that_does_not_hold_fails_with_its_code(
    facts: Facts, verifier_over: Make, elm: Place, of: dict[str, Any], code: str
) -> None:
    failed, _, found = await verdict_on(verifier_over(facts, elm.outbound), listed(elm, **of))

    assert (failed, found) == (["status"], code)


async def test_a_list_without_proofs_does_not_hold(facts: Facts, verifier_over: Make, elm: Place) -> None:
    document = listed(elm)
    elm.put("/lists/1", status_list(url=elm.url("/lists/1"), issuer=elm.did))

    failed, said, code = await verdict_on(verifier_over(facts, elm.outbound), document)

    assert (failed, code) == (["status"], "STATUS_VERIFICATION_ERROR")
    assert "no proof" in said


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\x00" * 300_000, b"<svg/>"])
async def test_a_list_that_cannot_be_read_leaves_the_status_unjudged(
    facts: Facts, verifier_over: Make, elm: Place, content: bytes
) -> None:
    document = listed(elm)
    elm.put("/lists/1", content)

    failed, said, code = await verdict_on(verifier_over(facts, elm.outbound), document)

    assert (failed, code) == (["status"], "STATUS_RETRIEVAL_ERROR")
    assert "could not be judged" in said


async def test_a_declared_status_that_cannot_be_had_makes_the_badge_unverified_and_says_so(
    facts: Facts, verifier_over: Make, elm: Place
) -> None:
    document = listed(elm)
    elm.take("/lists/1")

    failed, said, code = await verdict_on(verifier_over(facts, elm.outbound), document)

    assert (failed, code) == (["status"], "STATUS_RETRIEVAL_ERROR")
    assert "could not be judged" in said


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "https://issuer.example/s#1", "type": "1EdTechRevocationList"},
        {**status_entry("https://issuer.example/s", "revocation", 1), "statusListIndex": 1},
        {**status_entry("https://issuer.example/s", "revocation", 1), "statusListIndex": "-1"},
        {**status_entry("https://issuer.example/s", "revocation", 1), "statusListIndex": "٧"},
        {**status_entry("https://issuer.example/s", "revocation", 1), "statusSize": 0},
        {"id": "https://issuer.example/s#1", "type": "BitstringStatusListEntry"},
        status_entry("http://169.254.169.254/latest", "revocation", 1),
        status_entry("http://localhost:8002/status-lists/sl_x", "revocation", 1),
        status_entry(f"http://localhost:8002/status-lists/sl_{'z' * 26}", "revocation", 1),
    ],
)
async def test_an_entry_that_cannot_be_read_or_asked_for_fails_at_the_status(verifier: Verifier, entry: Json) -> None:
    verdict = await verifier.verify(Submission(credential=by_key(issued_by(STRANGER_DID, credentialStatus=entry))))

    assert "status" in failures(verdict)
    assert named(verdict, "status").code is not None


# Published by others


ALUMNI = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
W3C_KEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
W3C_PROOF = {
    "type": "DataIntegrityProof",
    "created": "2023-02-24T23:36:38Z",
    "verificationMethod": f"did:key:{W3C_KEY}#{W3C_KEY}",
    "proofPurpose": "assertionMethod",
}
W3C_PROOFS = [
    {
        **W3C_PROOF,
        "cryptosuite": "eddsa-rdfc-2022",
        "proofValue": "z2YwC8z3ap7yx1nZYCg4L3j3ApHsF8kgPdSb5xoS1VR7vPG3F561B52hYnQF9iseabecm3ijx4K1FBTQsCZahKZme",
    },
    {
        **W3C_PROOF,
        "cryptosuite": "eddsa-jcs-2022",
        "@context": ALUMNI["@context"],
        "proofValue": "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX",
    },
]


@pytest.mark.parametrize("proof", W3C_PROOFS, ids=["rdfc", "jcs"])
async def test_the_signatures_of_the_w3c_vectors_hold_and_their_key_is_not_their_issuer_s(
    verifier: Verifier, proof: Json
) -> None:
    """The vectors name an https issuer and sign with a did:key, so nothing ties the key to the issuer."""
    verdict = await verifier.verify(Submission(credential={**ALUMNI, "proof": proof}))

    assert named(verdict, "proofs").status == "passed"
    assert named(verdict, "contexts").status == "passed"
    assert named(verdict, "schema").status == "skipped"
    assert failures(verdict) == ["key_at_time"]


@pytest.mark.parametrize("suite", ["ecdsa-rdfc-2019", "bbs-2023", "", "Ed25519Signature2020"])
async def test_a_suite_that_is_not_known_here_is_unjudged_and_the_badge_unverified(
    verifier: Verifier, suite: str
) -> None:
    document = by_key()
    document["proof"][1] |= {"cryptosuite": suite}

    verdict = await verifier.verify(Submission(credential=document))

    assert failures(verdict) == ["proofs"]
    assert [check.status for check in verdict.checks if check.name == "proofs"] == ["passed", "failed"]
    assert not verdict.verified


async def test_a_badge_of_the_older_data_model_is_verified(verifier: Verifier) -> None:
    document = issued_by(STRANGER_DID, validFrom=None, validUntil=None, issuanceDate="2026-01-01T00:00:00Z")
    document["@context"] = [
        "https://www.w3.org/2018/credentials/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://w3id.org/security/data-integrity/v2",
    ]

    verdict = await verifier.verify(Submission(credential=by_key(document)))

    assert failures(verdict) == []
    assert "1.1" in named(verdict, "structure").detail


async def test_a_foreign_issuer_cannot_use_our_status_list_to_look_recorded(verifier: Verifier) -> None:
    entry = signed()["credentialStatus"]

    verdict = await verifier.verify(Submission(credential=by_key(issued_by(STRANGER_DID, credentialStatus=entry))))

    assert named(verdict, "recorded").status == "skipped"
    assert not verdict.issuer_recognised
