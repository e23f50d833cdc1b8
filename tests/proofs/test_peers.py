"""What other libraries make of our proofs, and we of theirs: PyLD, openbadgeslib, openvc-core. No network."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib.ob3 import ldp
from openbadgeslib.ob3.verifier import OB3VerificationError
from openvc.keys import Ed25519SigningKey
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_jcs import EddsaJcsProofSuite
from openvc.proof.errors import ProofError as OpenvcProofError
from tests.endorsements import by_did_key, endorsed
from tests.proofs.peers import by_pyld
from tests.proofs.samples import ED25519, KEYS, NOON, badge

from ledger import contexts
from ledger.proofs import Outcome, judge, rdfc, secure
from ledger.proofs.shapes import shape_of
from ledger.proofs.skeleton import taken_apart

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PINNED = {url: contexts.context(url) for url in contexts.AWARD}
EXTRA = {url: PINNED[url] for url in contexts.AWARD[1:]}
LATER = NOON + timedelta(days=1)

# Text without control characters: PyLD leaves those raw that canonical N-Quads escape.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)


def with_proof(index: int) -> dict[str, Any]:
    """The award with one of its two proofs alone, as libraries take it that know no sets."""
    document = secure(badge(), ED25519, NOON)
    return {**document, "proof": document["proof"][index]}


@st.composite
def awards(draw: st.DrawFn) -> dict[str, Any]:
    """Badges of many shapes: members present or not, arrays of any length, ids or none, all kinds of numbers."""
    document = badge(name=draw(TEXTS))
    for name in draw(st.sets(st.sampled_from(["validUntil", "credentialStatus", "credentialSchema"]))):
        del document[name]
    subject = document["credentialSubject"]
    subject["creditsEarned"] = draw(st.integers(0, 10**6) | st.floats(0.01, 9999).map(lambda f: round(f, 2)))
    subject["result"] = [
        {"type": ["Result"], "value": value} for value in draw(st.lists(TEXTS, min_size=1, max_size=4, unique=True))
    ]
    subject["achievement"]["tag"] = draw(st.lists(TEXTS, min_size=1, max_size=4))
    if draw(st.booleans()):
        language, direction = draw(st.sampled_from(["ar", "he-IL", "EN-gb"])), draw(st.sampled_from(["ltr", "rtl"]))
        document["description"] = {"@value": draw(TEXTS), "@language": language, "@direction": direction}
    if draw(st.booleans()):
        document["evidence"] = [{"id": f"https://e.example/{n}", "type": ["Evidence"], "name": "e"} for n in range(3)]
    return document


@settings(max_examples=60, deadline=None)
@given(awards())
def test_pyld_reads_the_same_statements_in_documents_of_any_shape(document: dict[str, Any]) -> None:
    assert rdfc.canonical(document) == by_pyld(document)


@pytest.mark.parametrize(
    "number", [0.07, 0.56, 8.03, 8.2, 8.3, 8.7, 36.0, 4.5, 0.25, 6, 0, 1234.56, 1e-7, 123456.789, -2.5]
)
def test_numbers_are_written_as_pyld_writes_them(number: float) -> None:
    document = badge()
    document["credentialSubject"]["creditsEarned"] = number

    assert rdfc.canonical(document) == by_pyld(document)


def test_the_pruned_contexts_serve_and_give_what_the_whole_ones_give() -> None:
    shape = shape_of(taken_apart(badge())[0])

    assert sum(map(len, shape.pruned)) * 2 < sum(map(len, shape.whole))
    assert rdfc.canonical(badge()) == by_pyld(badge())


def test_openbadgeslib_accepts_our_rdfc_proof_and_refuses_a_changed_document() -> None:
    document = with_proof(0)

    ldp.verify_data_integrity_proof(document, PUBLIC_PEM)
    with pytest.raises(OB3VerificationError):
        ldp.verify_data_integrity_proof({**document, "name": "More"}, PUBLIC_PEM)


def test_openvc_accepts_our_rdfc_proof_and_refuses_a_changed_document() -> None:
    suite, document = DataIntegrityProofSuite(), with_proof(0)
    options = {"public_key_jwk": ED25519.key.jwk(), "now": LATER, "extra_contexts": EXTRA}

    suite.verify(document, **options)
    with pytest.raises(OpenvcProofError):
        suite.verify({**document, "name": "More"}, **options)


def test_openvc_accepts_our_jcs_proof_and_refuses_a_changed_document() -> None:
    suite, document = EddsaJcsProofSuite(), with_proof(1)

    suite.verify(document, public_key_jwk=ED25519.key.jwk(), now=LATER)
    with pytest.raises(OpenvcProofError):
        suite.verify({**document, "name": "More"}, public_key_jwk=ED25519.key.jwk(), now=LATER)


def with_endorsement() -> dict[str, Any]:
    """An award of an achievement that a guild endorses, unsigned; the endorsement has both proofs of its own."""
    document = badge()
    document["credentialSubject"]["achievement"]["endorsement"] = [endorsed()]
    return document


def test_pyld_reads_the_same_statements_in_a_badge_with_an_endorsement() -> None:
    assert rdfc.canonical(with_endorsement(), own=True) == by_pyld(with_endorsement())


def test_both_proofs_of_a_badge_with_an_endorsement_hold_and_cover_its_words() -> None:
    document = secure(with_endorsement(), ED25519, NOON)
    one_by_one = [{**document, "proof": proof} for proof in document["proof"]]

    assert [verdict.outcome for verdict in judge(document, KEYS)] == [Outcome.VERIFIED] * 2
    ldp.verify_data_integrity_proof(one_by_one[0], PUBLIC_PEM)
    EddsaJcsProofSuite().verify(one_by_one[1], public_key_jwk=ED25519.key.jwk(), now=LATER)

    for changed in (document, *one_by_one):
        inner = changed["credentialSubject"]["achievement"]["endorsement"][0]
        inner["credentialSubject"]["endorsementComment"] = "Our members hire anybody."
    assert [verdict.outcome for verdict in judge(document, KEYS)] == [Outcome.WRONG] * 2
    with pytest.raises(OB3VerificationError):
        ldp.verify_data_integrity_proof(one_by_one[0], PUBLIC_PEM)
    with pytest.raises(OpenvcProofError):
        EddsaJcsProofSuite().verify(one_by_one[1], public_key_jwk=ED25519.key.jwk(), now=LATER)


def test_an_endorsement_taken_out_of_a_badge_is_good_by_itself_for_everybody() -> None:
    by, document = by_did_key(), secure(with_endorsement(), ED25519, NOON)
    inner = document["credentialSubject"]["achievement"]["endorsement"][0]
    rdfc_proof, jcs_proof = ({**inner, "proof": proof} for proof in inner["proof"])

    assert [verdict.outcome for verdict in judge(inner, {by.verification_method: by.key})] == [Outcome.VERIFIED] * 2
    options = {"public_key_jwk": by.key.jwk(), "now": LATER}
    DataIntegrityProofSuite().verify(rdfc_proof, extra_contexts=EXTRA, **options)
    EddsaJcsProofSuite().verify(jcs_proof, **options)


def test_openvc_takes_no_rdfc_proof_over_a_context_inside_the_document_whatever_it_signs() -> None:
    document = {**secure(with_endorsement(), ED25519, NOON)}
    document["proof"] = document["proof"][0]

    with pytest.raises(OpenvcProofError, match="endorsement/@context"):
        DataIntegrityProofSuite().verify(document, public_key_jwk=ED25519.key.jwk(), now=LATER, extra_contexts=EXTRA)


def test_openvc_and_openbadgeslib_sign_rdfc_with_our_very_bytes() -> None:
    ours = with_proof(0)["proof"]["proofValue"]
    method = ED25519.verification_method

    theirs = ldp.add_data_integrity_proof(badge(), PRIVATE_PEM, method, created=NOON)
    assert _one(theirs)["proofValue"] == ours
    also = DataIntegrityProofSuite().add_proof(
        badge(),
        signing_key=Ed25519SigningKey(PRIVATE, method),
        verification_method=method,
        created=NOON,
        extra_contexts=EXTRA,
    )
    assert _one(also)["proofValue"] == ours
    assert [verdict.outcome for verdict in judge(theirs, KEYS)] == [Outcome.VERIFIED]


def test_a_jcs_proof_of_openvc_leaves_out_the_context_that_it_hashes_and_is_wrong() -> None:
    method = ED25519.verification_method
    theirs = EddsaJcsProofSuite().add_proof(
        badge(), signing_key=Ed25519SigningKey(PRIVATE, method), verification_method=method, created=NOON
    )

    assert [verdict.outcome for verdict in judge(theirs, KEYS)] == [Outcome.WRONG]
    completed = copy.deepcopy(theirs)
    _one(completed)["@context"] = completed["@context"]
    assert [verdict.outcome for verdict in judge(completed, KEYS)] == [Outcome.VERIFIED]


def test_lines_that_javascript_would_sort_otherwise_are_noticed() -> None:
    document = badge()
    document["credentialSubject"]["achievement"]["tag"] = ["😀", "\ufb33"]

    assert not rdfc.sorts_alike(rdfc.canonical(document))
    assert rdfc.sorts_alike(rdfc.canonical(badge(name="😀")))


def _one(document: dict[str, Any]) -> Any:
    proof = document["proof"]
    return proof[0] if isinstance(proof, list) else proof
