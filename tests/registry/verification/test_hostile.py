"""Hostile JSON-LD: the check that it offends is named, nothing crashes, nothing is verified."""

import copy
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.registry.verification.badges import Json, badge
from tests.registry.verification.facts import ADDRESSES, NOW, Facts, signed
from tests.registry.verification.test_foreign import STRANGER_DID, STRANGER_SIGNER, by_key
from tests.registry.verification.test_own_awards import failures, named

from ledger.canonicaliser import Canonicaliser
from ledger.outbound import Outbound
from ledger.proofs import eddsa_jcs
from registry.verification.verifier import Submission, Verifier

DEADLINE_SECONDS = 0.3
CONTEXTS = signed()["@context"]


def with_proofs(**changed: Any) -> Json:
    """A badge with changed members, and proofs as they were before."""
    return {**badge(**changed), "proof": by_key()["proof"]}


def signed_as_json(document: Json) -> Json:
    """A document whose eddsa-jcs-2022 proof holds, whatever it means as JSON-LD."""
    return {**document, "proof": [eddsa_jcs.sign(document, STRANGER_SIGNER, NOW)]}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (badge(favourite="blue"), "/favourite"),
        (badge(**{"@context": [*CONTEXTS, "https://evil.example/context"]}), "/@context/3"),
        (badge(**{"@context": [*CONTEXTS, {"name": "https://evil.example/name"}]}), None),
        (badge(**{"@context": [*CONTEXTS, {"VerifiableCredential": "https://evil.example/x"}]}), None),
        (badge(**{"@context": [*CONTEXTS, {"@vocab": "https://evil.example/"}]}), "/@context/3/@vocab"),
        (badge(**{"@context": [*CONTEXTS, {"@base": "https://evil.example/"}]}), "/@context/3/@base"),
        (badge(**{"@context": [*CONTEXTS, {"@import": "https://evil.example/"}]}), "/@context/3/@import"),
        (badge(**{"@context": [*CONTEXTS, {"did": "https://evil.example/"}]}), "/@context/3/did"),
        (badge(**{"@nest": {"name": "x"}}), "/@nest"),
        (badge(**{"@graph": []}), "/@graph"),
        (badge(**{"@reverse": {}}), "/@reverse"),
        (badge(id="relative/id"), None),
        (badge(id="_:b0"), None),
        (badge(type=["VerifiableCredential", "OpenBadgeCredential", "Unheard"]), None),
        (badge(evidence=[]), "/evidence"),
        (badge(evidence=[{}]), "/evidence/0"),
        (badge(evidence=[[{"type": ["Evidence"]}]]), "/evidence/0"),
        (badge(description={"@value": "x", "@language": "es_ES"}), "/description/@language"),
        (badge(description={"@value": "x", "@direction": "up"}), "/description/@direction"),
    ],
)
async def test_what_rdf_would_drop_or_bend_fails_at_the_contexts_although_the_json_is_signed(
    verifier: Verifier, document: Json, pointer: str | None
) -> None:
    document = {**document, "issuer": {"id": STRANGER_DID, "type": ["Profile"]}}

    verdict = await verifier.verify(Submission(credential=signed_as_json(document)))

    check = named(verdict, "contexts")
    assert check.status == "failed"
    assert check.code is not None
    assert pointer is None or [error.pointer for error in check.errors] == [pointer]
    assert named(verdict, "proofs").status == "passed"
    assert not verdict.verified


async def test_an_unknown_context_is_named_and_not_fetched(verifier: Verifier) -> None:
    contexts = [*CONTEXTS, "https://evil.example/context"]

    verdict = await verifier.verify(Submission(credential=with_proofs(**{"@context": contexts})))

    assert failures(verdict)[:2] == ["contexts", "proofs"]
    assert "https://evil.example/context" in named(verdict, "contexts").detail


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\x7fb", "a\ufffeb", "a\u202eb", "a\u2066b", "a\ud800b"])
async def test_characters_that_nobody_may_sign_are_no_credential(verifier: Verifier, text: str) -> None:
    verdict = await verifier.verify(Submission(credential=with_proofs(name=text)))

    assert failures(verdict) == ["structure"]
    assert not verdict.verified


@pytest.mark.parametrize("depth", [40, 400, 4000])
async def test_deep_nesting_is_no_credential(verifier: Verifier, depth: int) -> None:
    deep: Any = {"type": ["Evidence"]}
    for _ in range(depth):
        deep = {"type": ["Evidence"], "evidence": [deep]}

    verdict = await verifier.verify(Submission(credential=with_proofs(evidence=[deep])))

    assert failures(verdict) == ["structure"]


async def test_a_document_without_end_is_no_credential(verifier: Verifier) -> None:
    verdict = await verifier.verify(Submission(credential=with_proofs(description="x" * 300_000)))

    assert failures(verdict) == ["structure"]


@pytest.mark.parametrize(
    "text", ["מדעי הנתונים", "تحليل البيانات", "数据分析", "🎓 דּ", "a\u2028b", "_:c14n1", "%s {{x}} \\u0041"]
)
async def test_texts_of_every_script_are_signed_as_they_stand(verifier: Verifier, text: str) -> None:
    document = badge(name=text, issuer={"id": STRANGER_DID, "type": ["Profile"], "name": text})

    verdict = await verifier.verify(Submission(credential=by_key(document)))

    assert failures(verdict) == []
    assert verdict.credential.name == text


async def test_right_to_left_text_with_its_direction_is_verified(verifier: Verifier) -> None:
    title = {"@value": "תעודה", "@language": "he", "@direction": "rtl"}
    document = badge(
        type=["VerifiableCredential"],
        name=title,
        issuer={"id": STRANGER_DID},
        credentialSubject={"id": "did:example:a"},
    )

    verdict = await verifier.verify(Submission(credential=signed_as_json(document)))

    assert failures(verdict) == []
    assert verdict.credential.name == "תעודה"


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1.5, "", "x", [], {}, [None], [[]], {"@id": "x"}, {"@value": None}, {"id": None}, ["x", {"id": 7}]],
)
async def test_no_value_anywhere_breaks_the_verification(verifier: Verifier, value: Any) -> None:
    whole = signed()
    for name in [*whole, "evidence", "termsOfUse", "relatedResource", "refreshService", "@graph"]:
        verdict = await verifier.verify(Submission(credential={**whole, name: value}))

        assert not verdict.verified, name
        assert "" not in [check.detail for check in verdict.checks]


@pytest.fixture
async def hasty() -> AsyncIterator[Verifier]:
    """A verifier whose worker has little patience."""
    async with Canonicaliser(deadline_seconds=DEADLINE_SECONDS) as canonicaliser:
        await canonicaliser.canonicalise(badge())
        yield Verifier(Facts(), Outbound(), canonicaliser, ADDRESSES, test=True, clock=lambda: NOW)


def poison() -> Json:
    """Two equal results, each with ten equal alignments: nothing tells these blank nodes apart."""
    alignment = {"type": ["Alignment"], "targetName": "x", "targetUrl": "https://x.example/"}
    result = {"type": ["Result"], "value": "1", "alignment": [alignment] * 10}
    subject = badge()["credentialSubject"]
    return badge(credentialSubject={**subject, "result": [result, copy.deepcopy(result)]})


async def test_a_poison_graph_costs_one_deadline_and_is_unjudged(hasty: Verifier) -> None:
    document = {**poison(), "proof": by_key()["proof"]}
    began = time.monotonic()

    verdict = await hasty.verify(Submission(credential=document))

    assert time.monotonic() - began < 2.5 * DEADLINE_SECONDS
    assert failures(verdict)[:2] == ["contexts", "proofs"]
    assert named(verdict, "contexts").code == "CANONICALISATION_DEADLINE"
    proofs = {check.cryptosuite: check.detail for check in verdict.checks if check.name == "proofs"}
    assert "could not be judged" in proofs["eddsa-rdfc-2022"]


async def test_after_a_poison_graph_the_next_credential_is_judged_as_ever(hasty: Verifier) -> None:
    await hasty.verify(Submission(credential={**poison(), "proof": by_key()["proof"]}))

    assert (await hasty.verify(Submission(credential=by_key()))).verified
