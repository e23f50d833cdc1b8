"""Verdicts on what this ledger issued, or is said to have issued: each attack fails by exactly its name."""

import base64
import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.registry.verification.badges import Json
from tests.registry.verification.facts import (
    AWARD,
    CAPABILITY,
    EMAIL,
    INDEX,
    JWT_SIGNER,
    LIST,
    NAME,
    NOW,
    OAK,
    SIGNER,
    Facts,
    key,
    signed,
    status_list,
    unsigned,
)

from ledger.credentials.baking import bake
from ledger.errors import Malformed, Refused
from ledger.proofs import vc_jwt
from ledger.proofs.jcs import canonical
from registry.verification.content import Recipient
from registry.verification.knowledge import RecordedAward
from registry.verification.verdict import NAMES, Check, Verdict
from registry.verification.verifier import Submission, Verifier

Make = Callable[..., Verifier]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'
COMPROMISE = {"compromised": NOW - timedelta(days=2), "compromised_position": 60}


def failures(verdict: Verdict) -> list[str]:
    """The names of the checks that failed, each once."""
    return list(dict.fromkeys(check.name for check in verdict.checks if check.status == "failed"))


def named(verdict: Verdict, name: str) -> Check:
    return next(check for check in verdict.checks if check.name == name)


async def test_an_award_of_an_active_institution_is_verified_and_recognised(verifier: Verifier) -> None:
    verdict = await verifier.verify(Submission(credential=signed()))

    assert (verdict.verified, verdict.issuer_recognised, verdict.test) == (True, True, True)
    assert [(check.name, check.status) for check in verdict.checks] == [
        ("structure", "passed"),
        ("contexts", "passed"),
        ("proofs", "passed"),
        ("proofs", "passed"),
        ("key_at_time", "passed"),
        ("validity", "passed"),
        ("status", "passed"),
        ("schema", "passed"),
        ("recorded", "passed"),
        ("issuer_recognised", "passed"),
        ("recipient", "skipped"),
    ]
    proofs = [check for check in verdict.checks if check.name == "proofs"]
    assert [(proof.proof, proof.cryptosuite) for proof in proofs] == [(0, "eddsa-rdfc-2022"), (1, "eddsa-jcs-2022")]
    assert "position 40" in named(verdict, "recorded").detail
    assert (verdict.credential.award_id, verdict.credential.position) == (AWARD.award_id, AWARD.position)
    assert verdict.credential.issuer_name == "Oak College"


@pytest.mark.parametrize(
    "submission",
    [
        Submission(jwt=vc_jwt.sign(unsigned(), JWT_SIGNER)),
        Submission(image=base64.b64encode(bake(SVG, canonical(signed()).decode())).decode()),
        Submission(image=base64.b64encode(bake(SVG, vc_jwt.sign(unsigned(), JWT_SIGNER))).decode()),
        Submission(url=f"http://localhost:8000/credentials/{CAPABILITY}"),
        Submission(url=f" http://LOCALHOST:8000/credentials/{CAPABILITY}.png "),
    ],
    ids=["jwt", "svg", "svg with jwt", "url", "url of the picture"],
)
async def test_the_same_award_is_verified_in_every_form(verifier: Verifier, submission: Submission) -> None:
    verdict = await verifier.verify(submission)

    assert (verdict.verified, verdict.issuer_recognised, failures(verdict)) == (True, True, [])
    assert named(verdict, "recorded").status == "passed"


async def test_a_jwt_names_its_algorithm(verifier: Verifier) -> None:
    verdict = await verifier.verify(Submission(jwt=vc_jwt.sign(unsigned(), JWT_SIGNER)))

    assert [(c.proof, c.cryptosuite) for c in verdict.checks if c.name == "proofs"] == [(0, "ES256")]


async def test_one_changed_letter_fails_at_the_proofs_and_at_what_was_recorded(verifier: Verifier) -> None:
    altered = signed()
    altered["credentialSubject"]["identifier"][1]["identityHash"] = "Ann Leh"

    verdict = await verifier.verify(Submission(credential=altered))

    assert failures(verdict) == ["proofs", "recorded"]
    assert not verdict.verified
    assert "altered" in named(verdict, "recorded").detail
    assert named(verdict, "issuer_recognised").status == "skipped"


async def test_a_changed_jwt_fails_at_the_proof_and_at_what_was_recorded(verifier: Verifier) -> None:
    head, _, signature = vc_jwt.sign(unsigned(), JWT_SIGNER).split(".")
    _, body, _ = vc_jwt.sign(unsigned(learner_name="Eve Moss"), JWT_SIGNER).split(".")

    verdict = await verifier.verify(Submission(jwt=f"{head}.{body}.{signature}"))

    assert failures(verdict) == ["proofs", "recorded"]


async def test_a_badge_signed_with_a_stolen_key_outside_the_ledger_fails_by_not_being_recorded(
    verifier: Verifier,
) -> None:
    forged = signed(unsigned(credential_url="http://localhost:8000/credentials/ZzZzZzZzZzZzZzZzZzZzZz"))

    verdict = await verifier.verify(Submission(credential=forged))

    assert failures(verdict) == ["recorded"]
    assert not verdict.verified


async def test_the_same_under_a_foreign_address_still_claims_to_be_of_our_issuer(verifier: Verifier) -> None:
    forged = signed(unsigned(credential_url="https://elsewhere.example/credentials/1", status=[]))

    verdict = await verifier.verify(Submission(credential=forged))

    assert failures(verdict) == ["recorded"]


async def test_a_badge_back_dated_before_the_compromise_fails_at_its_key(facts: Facts, verifier_over: Make) -> None:
    facts.with_key(**COMPROMISE)
    forged = signed(
        unsigned(credential_url="http://localhost:8000/credentials/ZzZzZzZzZzZzZzZzZzZzZz"),
        created=NOW - timedelta(days=20),
    )

    verdict = await verifier_over(facts).verify(Submission(credential=forged))

    assert failures(verdict) == ["key_at_time", "recorded"]
    assert named(verdict, "issuer_recognised").status == "skipped"


async def test_what_was_recorded_before_the_compromise_still_counts(facts: Facts, verifier_over: Make) -> None:
    verdict = await verifier_over(facts.with_key(**COMPROMISE)).verify(Submission(credential=signed()))

    assert (verdict.verified, verdict.issuer_recognised) == (True, True)
    assert "recorded before" in named(verdict, "key_at_time").detail


async def test_what_was_recorded_after_the_compromise_fails_at_its_key_alone(facts: Facts, verifier_over: Make) -> None:
    facts.with_key(**COMPROMISE).documents[CAPABILITY] = (signed(), RecordedAward(AWARD.award_id, 61))

    verdict = await verifier_over(facts).verify(Submission(credential=signed()))

    assert failures(verdict) == ["key_at_time"]


async def test_a_retired_key_keeps_verifying(facts: Facts, verifier_over: Make) -> None:
    facts.with_key(retired=NOW - timedelta(days=1), retired_position=70)

    verdict = await verifier_over(facts).verify(Submission(credential=signed()))

    assert (verdict.verified, verdict.issuer_recognised) == (True, True)
    assert "retired" in named(verdict, "key_at_time").detail


async def test_a_key_that_the_institution_never_had_proves_nothing(verifier: Verifier) -> None:
    stranger = type(SIGNER)("Ed25519", b"x" * 32, f"{OAK}#key_{'x' * 26}")

    verdict = await verifier.verify(Submission(credential=signed(signer=stranger)))

    assert failures(verdict) == ["proofs"]
    assert "never had a key" in named(verdict, "proofs").detail
    assert not verdict.issuer_recognised


async def test_somebody_else_s_signature_under_our_key_s_name_fails_at_the_proofs(verifier: Verifier) -> None:
    impostor = type(SIGNER)("Ed25519", b"x" * 32, SIGNER.verification_method)

    assert failures(await verifier.verify(Submission(credential=signed(signer=impostor)))) == ["proofs"]


async def test_one_spoilt_proof_of_a_set_is_named_and_spoils_the_verdict(verifier: Verifier) -> None:
    spoilt = signed()
    spoilt["proof"][1]["proofValue"] = spoilt["proof"][0]["proofValue"]

    verdict = await verifier.verify(Submission(credential=spoilt))

    assert [check.status for check in verdict.checks if check.name == "proofs"] == ["passed", "failed"]
    assert failures(verdict) == ["proofs"]
    assert not verdict.verified


@pytest.mark.parametrize("proof", [None, []])
async def test_a_document_without_a_proof_is_not_verified(verifier: Verifier, proof: Any) -> None:
    bare = unsigned() if proof is None else {**unsigned(), "proof": proof}

    verdict = await verifier.verify(Submission(credential=bare))

    assert "proofs" in failures(verdict)
    assert "no proof" in named(verdict, "proofs").detail
    assert not verdict.verified


async def test_a_suspended_institution_is_not_vouched_for(facts: Facts, verifier_over: Make) -> None:
    facts.oak = type(facts.oak)(
        id=facts.oak.id, did=OAK, slug="oak", name="Oak College", active=False, state="suspended", keys=(key(SIGNER),)
    )

    verdict = await verifier_over(facts).verify(Submission(credential=signed()))

    assert (verdict.verified, verdict.issuer_recognised) == (True, False)
    assert named(verdict, "issuer_recognised").detail == (
        "Oak College is suspended here: nobody vouches for it until it is reinstated."
    )


@pytest.mark.parametrize("state", ["revoked", "suspended"])
async def test_a_withdrawn_award_fails_at_its_status_only(facts: Facts, verifier_over: Make, state: Any) -> None:
    verdict = await verifier_over(facts.stands(state)).verify(Submission(credential=signed()))

    assert failures(verdict) == ["status"]
    assert f"was {state} by its issuer" in named(verdict, "status").detail
    assert "position 77" in named(verdict, "status").detail
    assert verdict.issuer_recognised


async def test_a_bit_in_the_list_is_enough(facts: Facts, verifier_over: Make) -> None:
    facts.lists[LIST] = status_list(INDEX)

    verdict = await verifier_over(facts).verify(Submission(credential=signed()))

    assert failures(verdict) == ["status"]


async def test_an_award_is_judged_by_the_log_while_revocation_is_away(facts: Facts, verifier_over: Make) -> None:
    facts.lists[LIST] = None

    good = await verifier_over(facts).verify(Submission(credential=signed()))
    bad = await verifier_over(facts.stands("revoked")).verify(Submission(credential=signed()))

    assert good.verified
    assert "the log alone was asked" in named(good, "status").detail
    assert failures(bad) == ["status"]


async def test_what_the_log_does_not_hold_is_not_judged_without_its_list(facts: Facts, verifier_over: Make) -> None:
    facts.lists[LIST] = None
    forged = signed(unsigned(credential_url="http://localhost:8000/credentials/ZzZzZzZzZzZzZzZzZzZzZz"))

    verdict = await verifier_over(facts).verify(Submission(credential=forged))

    assert failures(verdict) == ["status", "recorded"]
    assert named(verdict, "status").code == "STATUS_RETRIEVAL_ERROR"


async def test_an_expired_award_fails_at_its_validity_only(facts: Facts, verifier_over: Make) -> None:
    expired = signed(unsigned(valid_until=NOW - timedelta(days=1)))
    facts.documents[CAPABILITY] = (expired, AWARD)

    assert failures(await verifier_over(facts).verify(Submission(credential=expired))) == ["validity"]


@pytest.mark.parametrize(
    "recipient", [Recipient(email=EMAIL), Recipient(name="  ann  LEE"), Recipient(email=EMAIL, name=NAME)]
)
async def test_the_person_it_was_awarded_to_passes(verifier: Verifier, recipient: Recipient) -> None:
    verdict = await verifier.verify(Submission(credential=signed(), recipient=recipient))

    assert verdict.verified
    assert named(verdict, "recipient").status == "passed"


@pytest.mark.parametrize(
    "recipient",
    [Recipient(email="bob@learner.example"), Recipient(name="Bob Ray"), Recipient(email=EMAIL, name="Bob Ray")],
)
async def test_a_valid_badge_of_another_person_fails_at_the_recipient_only(
    verifier: Verifier, recipient: Recipient
) -> None:
    verdict = await verifier.verify(Submission(credential=signed(), recipient=recipient))

    assert failures(verdict) == ["recipient"]
    assert not verdict.verified
    assert verdict.issuer_recognised


async def test_an_erased_award_is_no_longer_recorded_under_its_address(facts: Facts, verifier_over: Make) -> None:
    facts.documents.clear()

    verdict = await verifier_over(facts).verify(Submission(credential=signed()))

    assert failures(verdict) == ["recorded"]
    assert "erased" in named(verdict, "recorded").detail


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/credentials/ZzZzZzZzZzZzZzZzZzZzZz",
        "http://localhost:8000/v1/awards/awd_1",
        "http://localhost:8002/status-lists/x",
        "http://localhost:9/",
        "https://127.0.0.1/",
        "ftp://issuer.example/",
        "nonsense",
    ],
)
async def test_an_address_that_holds_nothing_or_must_not_be_asked_is_refused(verifier: Verifier, url: str) -> None:
    with pytest.raises(Refused) as caught:
        await verifier.verify(Submission(url=url))

    assert [error.pointer for error in caught.value.errors] == ["/url"]


@pytest.mark.parametrize("submission", [Submission(), Submission(credential={}, jwt="a.b.c")])
async def test_exactly_one_thing_is_handed_in(verifier: Verifier, submission: Submission) -> None:
    with pytest.raises(Malformed):
        await verifier.verify(submission)


@pytest.mark.parametrize("submission", [Submission(credential={}), Submission(jwt="x"), Submission(image="x")])
async def test_what_is_no_credential_gets_every_check_and_a_verdict(verifier: Verifier, submission: Submission) -> None:
    verdict = await verifier.verify(submission)

    assert "structure" in failures(verdict)
    assert list(dict.fromkeys(check.name for check in verdict.checks)) == list(NAMES)
    assert not verdict.verified


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where each text, number and boolean of a document stands, proofs included."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        return [path]
    return [place for name, member in members for place in leaves(member, (*path, name))]


def changed(document: Json, path: tuple[Any, ...], *, remove: bool) -> Json:
    """The document with the leaf at this place changed by one character, or removed."""
    copied = copy.deepcopy(document)
    *parents, last = path
    node: Any = copied
    for step in parents:
        node = node[step]
    if remove:
        del node[last]
    elif isinstance(node[last], str):
        text = node[last]
        node[last] = text[:-1] + ("x" if text[-1:] != "x" else "y")
    else:
        node[last] = not node[last]
    return copied


def objects(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where each object of a document stands."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inside = [place for name, member in members for place in objects(member, (*path, name))]
    return [path, *inside] if isinstance(value, dict) else inside


async def test_nothing_can_be_added_unseen(verifier: Verifier) -> None:
    unseen = []
    for path in objects(signed()):
        document = signed()
        node: Any = document
        for step in path:
            node = node[step]
        node["nickname"] = "Annie"
        if (await verifier.verify(Submission(credential=document))).verified:
            unseen.append(path)

    assert unseen == []


@pytest.mark.parametrize("remove", [False, True], ids=["changed", "removed"])
async def test_no_leaf_can_be_changed_or_removed_unseen(verifier: Verifier, remove: bool) -> None:
    whole = signed()
    places = leaves(whole)

    unseen = [
        path
        for path in places
        if (await verifier.verify(Submission(credential=changed(whole, path, remove=remove)))).verified
    ]

    assert len(places) > 50
    assert unseen == []
