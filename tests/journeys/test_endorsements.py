"""An achievement that others endorse, over HTTP: published, awarded, verified, shown; and what is refused."""

import copy
import json
from typing import Any

import httpx
import pytest
from tests.endorsements import by_did_key, endorsed, endorsed_jwt, endorsement
from tests.journeys.problems import checked_problem
from tests.journeys.test_compromise import Place
from tests.proofs.samples import ED25519, NOON
from tests.running import Institution, Running

from ledger.proofs import Outcome, judge, secure, vc_jwt

BODY = {"name": "Data", "description": "Data.", "criteria": {"narrative": "Exam."}}
JSON_LD = {"accept": "application/ld+json"}


@pytest.fixture(scope="module")
def school(ledger: Running) -> Institution:
    return ledger.institution("endorsed-school")


def publish(ledger: Running, school: Institution, **more: Any) -> httpx.Response:
    return ledger.post("issuance", "/v1/achievements", BODY | more, key=school.api_key)


def test_a_credential_carries_the_endorsement_and_all_proofs_hold(ledger: Running, school: Institution) -> None:
    given, by = endorsed(), by_did_key()
    made = publish(ledger, school, endorsements=[given])
    assert made.status_code == 201, made.text

    award = ledger.award(school, made.json()["id"], "endorsed@learner.example")
    verdict = ledger.verify(url=award["credential_url"])

    inner = award["credential"]["credentialSubject"]["achievement"]["endorsement"][0]
    assert inner == given
    assert verdict["verified"], verdict
    assert [check["status"] for check in verdict["checks"] if check["name"] == "proofs"] == ["passed", "passed"]
    assert [one.outcome for one in judge(inner, {by.verification_method: by.key})] == [Outcome.VERIFIED] * 2
    jwt = ledger.verify(jwt=httpx.get(award["credential_url"] + ".jwt").text)
    assert jwt["verified"], jwt
    page = httpx.get(award["credential_url"], headers={"accept": "text/html"}).text
    assert "The achievement is endorsed by" in page
    assert "Guild of Data Workers (DEMO)" in page
    assert "signature checked" in page


def test_a_posted_document_is_shown_with_both_forms_and_only_one_of_them_stands_in_credentials(
    ledger: Running, school: Institution
) -> None:
    given, jwt = endorsed(), endorsed_jwt(id="https://guild.example/endorsements/2")
    document = {
        "@context": given["@context"], "id": "https://guild.example/achievements/data", "type": ["Achievement"],
        **BODY, "endorsement": [given], "endorsementJwt": [jwt],
    }  # fmt: skip

    made = ledger.post("issuance", "/v1/achievements", document, key=school.api_key)

    assert made.status_code == 201, made.text
    achievement = made.json()
    assert achievement["details"]["endorsement_jwts"] == [jwt]
    assert [one["signature"] for one in achievement["details"]["endorsement_signatures"]] == ["checked", "checked"]
    shown = httpx.get(achievement["url"], headers=JSON_LD).json()
    assert (shown["endorsement"], shown["endorsementJwt"]) == ([given], [jwt])
    award = ledger.award(school, achievement["id"], "posted@learner.example")
    assert "endorsementJwt" not in json.dumps(award["credential"])
    page = httpx.get(achievement["url"], headers={"accept": "text/html"}).text
    assert page.count("Our members hire by <strong>this</strong> badge.") == 2
    assert "rather than about this achievement" not in page


def test_a_key_that_lies_elsewhere_is_not_asked_and_the_page_says_so(ledger: Running, school: Institution) -> None:
    issuer = ED25519.verification_method.partition("#")[0]
    given = secure(endorsement(issuer, "https://guild.example/other"), ED25519, NOON)

    made = publish(ledger, school, endorsements=[given])

    assert made.status_code == 201, made.text
    assert made.json()["details"]["endorsement_signatures"][0]["signature"] == "not_checked"
    page = httpx.get(made.json()["url"], headers={"accept": "text/html"}).text
    assert "signature not checked" in page
    assert "about <code>https://guild.example/other</code> rather than about this achievement" in page


def altered() -> dict[str, Any]:
    given = copy.deepcopy(endorsed())
    given["credentialSubject"]["endorsementComment"] = "Our members hire anybody."
    return given


def by_somebody_else() -> dict[str, Any]:
    return secure(endorsement("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"), by_did_key(), NOON)


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        (altered(), {"/endorsements/0/proof/0", "/endorsements/0/proof/1"}),
        ({**endorsed(), "proof": altered()["proof"][0], "name": "More"}, {"/endorsements/0/proof"}),
        (by_somebody_else(), {"/endorsements/0/proof"}),
        ({**endorsed(), "@context": [*endorsed()["@context"], "https://unknown.example/v1"]},
         {"/endorsements/0/@context/2"}),
    ],
    ids=["changed words", "a changed name", "signed by somebody else", "an unknown context"],
)  # fmt: skip
def test_what_does_not_hold_is_refused_where_it_stands_and_nothing_is_recorded(
    ledger: Running, school: Institution, given: dict[str, Any], pointers: set[str]
) -> None:
    before = ledger.get("registry", "/v1/events?limit=1000", key=school.api_key).text

    refused = checked_problem(publish(ledger, school, endorsements=[given]), 400, "malformed")

    assert {error["pointer"].removeprefix("#") for error in refused["errors"]} == pointers
    assert ledger.get("registry", "/v1/events?limit=1000", key=school.api_key).text == before


def test_a_broken_proof_and_a_changed_jwt_in_a_posted_document_are_named_as_they_stand_there(
    ledger: Running, school: Institution
) -> None:
    jwt = endorsed_jwt()
    document = {"id": "https://guild.example/achievements/data", "type": ["Achievement"], **BODY,
                "endorsement": [altered()], "endorsementJwt": [jwt[:-8] + "AAAAAAAA"]}  # fmt: skip

    refused = checked_problem(
        ledger.post("issuance", "/v1/achievements", document, key=school.api_key), 400, "malformed"
    )

    pointers = {error["pointer"].removeprefix("#") for error in refused["errors"]}
    assert pointers == {"/endorsement/0/proof/0", "/endorsement/0/proof/1", "/endorsementJwt/0"}


def test_nobody_borrows_the_did_of_an_institution_here(ledger: Running, school: Institution) -> None:
    forged = secure(endorsement(school.did), ED25519, NOON)
    for proof in forged["proof"]:
        proof["verificationMethod"] = f"{school.did}#key_{'a' * 26}"

    refused = checked_problem(publish(ledger, school, endorsements=[forged]), 400, "malformed")

    assert "ever had, the key" in refused["errors"][0]["detail"]


def test_a_retry_gets_the_same_answer(ledger: Running, school: Institution) -> None:
    body = BODY | {"endorsements": [endorsed()]}
    key = f"endorsed-{school.id}"

    first, again = (ledger.post("issuance", "/v1/achievements", body, key=school.api_key, idempotency_key=key)
                    for _ in range(2))  # fmt: skip

    assert (first.status_code, first.content) == (201, again.content)
    assert again.headers["idempotent-replayed"] == "true"


def test_an_institution_here_endorses_until_its_key_is_reported_stolen(ledger: Running, school: Institution) -> None:
    guild = Place(ledger, ledger.institution("endorsing-guild"), "", {})
    ed25519, p256 = guild.stolen("Ed25519"), guild.stolen("P-256")
    given = secure(endorsement(guild.institution.did), ed25519, NOON)
    jwt = vc_jwt.sign(endorsement(guild.institution.did, id="https://guild.example/endorsements/2"), p256)

    made = publish(ledger, school, endorsements=[given], endorsement_jwts=[jwt])

    assert made.status_code == 201, made.text
    assert [one["signature"] for one in made.json()["details"]["endorsement_signatures"]] == ["checked", "checked"]
    guild.compromise(guild.key("Ed25519")["id"])
    refused = checked_problem(publish(ledger, school, endorsements=[given]), 400, "malformed")
    assert "reported stolen" in refused["errors"][0]["detail"]
