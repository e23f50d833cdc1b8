"""Securing and judging whole documents: both proofs, each judged alone, and the traps of proof configurations."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.proofs.samples import ED25519, HOSTILE_TEXTS, KEYS, NOON, P256, badge

from ledger.proofs import (
    LocalSigner,
    Outcome,
    ProofError,
    base58,
    data_integrity,
    eddsa_jcs,
    eddsa_rdfc,
    jcs,
    judge,
    methods_of,
    rdfc,
    secure,
)

VERIFIED, WRONG, CANNOT_SAY = Outcome.VERIFIED, Outcome.WRONG, Outcome.CANNOT_SAY


def signed(**changes: Any) -> dict[str, Any]:
    return secure(badge(**changes), ED25519, NOON)


def outcomes(document: dict[str, Any], keys: dict[str, Any] = KEYS, **options: Any) -> list[Outcome]:
    return [verdict.outcome for verdict in judge(document, keys, **options)]


def test_an_award_bears_both_proofs_in_an_array_and_both_verify() -> None:
    document = signed()

    assert [proof["cryptosuite"] for proof in document["proof"]] == ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
    assert {proof["created"] for proof in document["proof"]} == {"2026-01-31T12:00:00Z"}
    assert "@context" not in document["proof"][0]
    assert document["proof"][1]["@context"] == document["@context"]
    assert methods_of(document) == [ED25519.verification_method]
    assert outcomes(document, at=NOON) == [VERIFIED, VERIFIED]


def test_signing_again_gives_the_same_document() -> None:
    assert signed() == signed()
    assert secure(signed(), ED25519, NOON) == signed()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(HOSTILE_TEXTS) | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30),
    st.integers(1, 999_999),
)
def test_whatever_an_award_says_its_proofs_verify_and_fall_with_a_change(text: str, cents: int) -> None:
    text = text.replace("\ufffe", "").replace("\uffff", "")
    document = badge(name=text)
    document["credentialSubject"]["creditsEarned"] = cents // 100 if cents % 100 == 0 else cents / 100
    made = secure(document, ED25519, NOON)

    assert outcomes(made) == [VERIFIED, VERIFIED]
    assert outcomes({**made, "name": text + "."}) == [WRONG, WRONG]


CHANGES = {
    "text": lambda d: d.update(name="Data analysis"),
    "subject": lambda d: d["credentialSubject"].update(id="urn:uuid:0"),
    "boolean": lambda d: d["credentialSubject"]["identifier"][0].update(hashed=False),
    "number": lambda d: d["credentialSubject"].update(creditsEarned=4.25),
    "array": lambda d: d["credentialSubject"]["achievement"]["tag"].pop(),
    "type": lambda d: d["type"].pop(),
    "member": lambda d: d.pop("validUntil"),
    "another member": lambda d: d.update(description="more"),
    "created": lambda d: [proof.update(created="2026-01-31T12:00:01Z") for proof in d["proof"]],
    "purpose": lambda d: [proof.update(proofPurpose="authentication") for proof in d["proof"]],
    "expires": lambda d: [proof.update(expires="2036-01-31T12:00:01Z") for proof in d["proof"]],
    "nonce": lambda d: [proof.update(nonce="x") for proof in d["proof"]],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_both_proofs_fall_with_each_change(change: Any) -> None:
    document = copy.deepcopy(signed())
    change(document)

    assert outcomes(document) == [WRONG, WRONG]


def test_a_spoilt_proof_is_seen_beside_a_sound_one() -> None:
    for spoilt in (0, 1):
        document = copy.deepcopy(signed())
        document["proof"][spoilt]["proofValue"] = document["proof"][1 - spoilt]["proofValue"]

        found = outcomes(document)

        assert found[spoilt] is WRONG
        assert found[1 - spoilt] is VERIFIED


def test_the_configuration_is_hashed_before_the_document() -> None:
    body, proof = badge(), signed()["proof"][0]
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    hashes = rdfc.canonical(body), rdfc.canonical({**config, "@context": body["@context"]})
    swapped = {**proof, "proofValue": data_integrity.proof_value(ED25519, data_integrity.hash_data(*hashes))}

    assert outcomes({**body, "proof": [swapped]}) == [WRONG]


def test_the_directly_written_configuration_is_that_of_the_general_path() -> None:
    body, proof = badge(), signed()["proof"][0]
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    data = data_integrity.hash_data(rdfc.canonical({**config, "@context": body["@context"]}), rdfc.canonical(body))

    assert proof["proofValue"] == data_integrity.proof_value(ED25519, data)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_size_is_wrong(size: int) -> None:
    document = copy.deepcopy(signed())
    document["proof"][0]["proofValue"] = base58.to_multibase(b"\x07" * size)

    assert judge(document, KEYS)[0].detail == f"An Ed25519 signature has 64 bytes, not {size}."


@pytest.mark.parametrize("value", [None, 5, "", "uAAAA", "z0OIl", "z" + "1" * 1000])
def test_a_malformed_signature_is_wrong(value: Any) -> None:
    document = copy.deepcopy(signed())
    document["proof"][0]["proofValue"] = value

    assert outcomes(document)[0] is WRONG


def test_another_key_is_wrong_and_no_key_is_not_known() -> None:
    other = LocalSigner("Ed25519", b"o" * 32, ED25519.verification_method)
    method = ED25519.verification_method

    assert outcomes(signed(), {method: other.key}) == [WRONG, WRONG]
    assert outcomes(signed(), {}) == [CANNOT_SAY, CANNOT_SAY]
    assert outcomes(signed(), {method: P256.key}) == [CANNOT_SAY, CANNOT_SAY]
    assert {v.detail for v in judge(signed(), {method: "Its host is away."})} == {"Its host is away."}


def test_an_unknown_suite_is_neither_verified_nor_wrong() -> None:
    document = copy.deepcopy(signed())
    document["proof"][0]["cryptosuite"] = "bbs-2023"
    document["proof"].append({"type": "Ed25519Signature2018", "jws": "x"})

    assert outcomes(document) == [CANNOT_SAY, VERIFIED, CANNOT_SAY]


def test_a_document_without_proofs_has_no_verdicts_and_a_proof_that_is_no_object_is_wrong() -> None:
    assert judge(badge(), KEYS) == []
    assert outcomes(badge(proof="trust me")) == [WRONG]
    assert outcomes(badge(proof=[signed()["proof"]])) == [WRONG]


def test_one_proof_may_stand_without_an_array() -> None:
    assert outcomes({**signed(), "proof": signed()["proof"][0]}) == [VERIFIED]


def test_a_proof_of_the_future_and_an_expired_one_are_wrong() -> None:
    assert outcomes(signed(), at=NOON - timedelta(hours=1)) == [WRONG, WRONG]
    body = badge()
    config = {
        **data_integrity.configuration("eddsa-jcs-2022", ED25519, NOON, "assertionMethod"),
        "expires": "2026-02-01T00:00:00Z",
    }
    data = data_integrity.hash_data(jcs.canonical(config), jcs.canonical(body))
    document = {**body, "proof": [{**config, "proofValue": data_integrity.proof_value(ED25519, data)}]}

    assert outcomes(document, at=NOON) == [VERIFIED]
    assert outcomes(document, at=NOON + timedelta(days=1)) == [WRONG]


@pytest.mark.parametrize("created", ["yesterday", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", 5])
def test_a_time_without_zone_or_sense_is_wrong(created: Any) -> None:
    document = copy.deepcopy(signed())
    for proof in document["proof"]:
        proof["created"] = created

    assert outcomes(document) == [WRONG, WRONG]


def test_a_jcs_proof_whose_context_is_hashed_but_not_there_is_wrong() -> None:
    document = copy.deepcopy(signed())
    del document["proof"][1]["@context"]

    assert outcomes(document)[1] is WRONG


def test_a_jcs_proof_holds_where_contexts_were_appended_and_falls_where_they_were_put_before() -> None:
    document = copy.deepcopy(signed())
    document["@context"] = [*document["@context"], "https://w3id.org/security/data-integrity/v2"]
    assert outcomes(document)[1] is VERIFIED

    document["@context"].reverse()
    assert judge(document, KEYS)[1].detail == "The document's @context does not begin with the proof's."


@pytest.mark.parametrize("value", [None, 2**53, 0.125, float("nan"), "a\x00"])
def test_jcs_never_signs_what_readers_take_differently(value: Any) -> None:
    with pytest.raises(ProofError):
        eddsa_jcs.sign(badge(extra=value), ED25519, NOON)


def test_an_integer_too_large_or_a_null_makes_a_jcs_proof_wrong() -> None:
    for value in (None, 2**53):
        assert outcomes({**signed(), "extra": value})[1] is WRONG


def test_only_ed25519_keys_sign_embedded_proofs() -> None:
    for suite in (eddsa_rdfc, eddsa_jcs):
        with pytest.raises(ProofError, match="Ed25519"):
            suite.sign(badge(), P256, NOON)


def test_only_so_many_proofs_are_judged() -> None:
    document = signed()
    document["proof"] = [document["proof"][1]] * 40

    assert outcomes(document) == [VERIFIED] * 16 + [CANNOT_SAY] * 24


def test_rdf_signs_statements_and_jcs_signs_json() -> None:
    document = copy.deepcopy(signed())
    document["type"].reverse()

    assert outcomes(document) == [VERIFIED, WRONG]
