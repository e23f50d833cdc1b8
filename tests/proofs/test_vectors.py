"""The published vectors, byte for byte: W3C vc-di-eddsa at every step, RDFC-1.0, RFC 8785."""

import hashlib
import json
from datetime import datetime
from typing import Any

import pyoxigraph as ox
import pytest
from tests.proofs.samples import vectors

from ledger.proofs import SUITES, LocalSigner, Outcome, base58, jcs, judge, keys, rdfc
from ledger.proofs.problems import ProofError

EDDSA = vectors("eddsa.json")
RDFC = vectors("rdfc10.json")["tests"]
PAIRS = vectors("jcs.json")["pairs"]


def signer(pair: dict[str, str]) -> LocalSigner:
    """The vector's key; its private part is multibase with the multicodec 0x8026."""
    private = base58.from_multibase(pair["privateKeyMultibase"])
    assert private[:2] == b"\x80\x26"
    public = pair["publicKeyMultibase"]
    return LocalSigner("Ed25519", private[2:], f"did:key:{public}#{public}")


def canonical(suite: str, value: dict[str, Any]) -> bytes:
    return jcs.canonical(value) if suite == "eddsa-jcs-2022" else rdfc.canonical(value)


@pytest.mark.parametrize("suite", SUITES)
def test_each_step_of_the_w3c_vector_has_its_bytes(suite: str) -> None:
    vector = EDDSA[suite]
    document, configuration = (
        canonical(suite, vector["document"]),
        canonical(suite, vector["configuration"]),
    )

    assert document.decode() == vector["canonical_document"].rstrip("\n") + "\n" * (suite == "eddsa-rdfc-2022")
    assert configuration.decode().rstrip("\n") == vector["canonical_configuration"].rstrip("\n")
    assert hashlib.sha256(document).hexdigest() == vector["document_hash"]
    assert hashlib.sha256(configuration).hexdigest() == vector["configuration_hash"]


@pytest.mark.parametrize("suite", SUITES)
def test_signing_the_w3c_document_gives_the_published_proof(suite: str) -> None:
    vector, by = EDDSA[suite], signer(EDDSA["key"])
    created = datetime.fromisoformat(vector["configuration"]["created"])

    proof = SUITES[suite].sign(vector["document"], by, created)

    assert proof == vector["signed"]["proof"]
    assert base58.from_multibase(proof["proofValue"]).hex() == vector["signature"]
    SUITES[suite].verify(vector["document"], proof, by.key)


def test_the_employment_vector_has_its_hashes_and_its_signature() -> None:
    vector, by = EDDSA["employment"], signer(EDDSA["key"])
    parts = [vector[name].encode() for name in ("canonical_configuration", "canonical_document")]

    data = b"".join(hashlib.sha256(part).digest() for part in parts)

    assert data.hex() == vector["combined_hash"]
    assert base58.to_multibase(by.sign(data)) == vector["proof_value"]


@pytest.mark.parametrize("name", ["proof_set", "proof_chain"])
def test_each_proof_of_the_w3c_set_and_chain_verifies(name: str) -> None:
    document = EDDSA[name]
    known = {proof["verificationMethod"]: None for proof in document["proof"]}
    found = {m: keys.from_multibase(m.partition("#")[2]) for m in known}

    verdicts = judge(document, found)

    assert [verdict.outcome for verdict in verdicts] == [Outcome.VERIFIED] * len(document["proof"])
    assert len(document["proof"]) == (2 if name == "proof_set" else 4)


def test_a_chain_falls_with_the_link_that_was_changed() -> None:
    document = json.loads(json.dumps(EDDSA["proof_chain"]))
    found = {m: keys.from_multibase(m.partition("#")[2]) for m in (p["verificationMethod"] for p in document["proof"])}
    document["proof"][1]["created"] = "2023-02-24T23:36:39Z"

    outcomes = [verdict.outcome for verdict in judge(document, found)]

    assert outcomes == [Outcome.VERIFIED, Outcome.WRONG, Outcome.WRONG, Outcome.WRONG]


def test_a_chain_whose_previous_proof_is_missing_or_itself_is_wrong() -> None:
    document = json.loads(json.dumps(EDDSA["proof_chain"]))
    found = {m: keys.from_multibase(m.partition("#")[2]) for m in (p["verificationMethod"] for p in document["proof"])}

    del document["proof"][2]
    assert judge(document, found)[2].outcome is Outcome.WRONG
    document["proof"][0]["previousProof"] = document["proof"][0]["id"]
    assert judge(document, found)[0].outcome is Outcome.WRONG


@pytest.mark.parametrize("name", RDFC)
def test_the_rdfc_evaluation_test_gives_the_published_lines(name: str) -> None:
    vector = RDFC[name]
    dataset = ox.Dataset(ox.parse(vector["input"].encode(), format=ox.RdfFormat.N_QUADS))

    if vector.get("hash") == "SHA384":
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0_SHA_384)
        found = b"".join(sorted((ox.serialize(dataset, format=ox.RdfFormat.N_QUADS) or b"").splitlines(keepends=True)))
    else:
        found = rdfc.canonical_quads(dataset)

    assert found.decode() == vector["canonical"]


@pytest.mark.parametrize("name", PAIRS)
def test_the_rfc_8785_pair_has_its_bytes(name: str) -> None:
    pair = PAIRS[name]

    assert jcs.canonical(json.loads(pair["input"])).hex() == pair["output_hex"]


def test_the_w3c_document_with_one_letter_changed_is_wrong() -> None:
    for suite, entry in SUITES.items():
        vector, by = EDDSA[suite], signer(EDDSA["key"])

        with pytest.raises(ProofError, match="changed"):
            entry.verify({**vector["document"], "name": "Alumni credential"}, vector["signed"]["proof"], by.key)
