"""The main job, end to end, over HTTP against the three running services."""

import json
from typing import Any

import httpx
import msgspec
import pytest
from tests.running import Running
from tests.servers import wait_until

EVERY_CHECK = ["structure", "contexts", "proofs", "key_at_time", "validity", "status", "schema", "recorded",
               "issuer_recognised", "recipient"]  # fmt: skip


def changed_name(credential: dict[str, Any]) -> dict[str, Any]:
    """The credential with one letter of the learner's name changed."""
    copy: dict[str, Any] = json.loads(json.dumps(credential))
    for identifier in copy["credentialSubject"]["identifier"]:
        if identifier["identityType"] == "name":
            identifier["identityHash"] = identifier["identityHash"].replace("A", "E", 1)
    return copy


def test_define_award_fetch_verify_revoke_and_replay(ledger: Running) -> None:
    institution = ledger.institution("main-job", email="badges@main-job.example")
    award = ledger.award(institution, ledger.achievement(institution))

    fetched = httpx.get(award["credential_url"])
    assert fetched.headers["content-type"].startswith("application/vc")
    assert fetched.json() == award["credential"]

    verdict = ledger.verify(credential=award["credential"])
    assert verdict["verified"], verdict
    assert verdict["issuer_recognised"]
    assert {name: status for name, status in verdict["by_name"].items() if name != "recipient"} == dict.fromkeys(
        (name for name in EVERY_CHECK if name != "recipient"), "passed"
    )
    assert len([c for c in verdict["checks"] if c["name"] == "proofs"]) == 2

    revoked = ledger.post("revocation", f"/v1/awards/{award['id']}/revocation", {"reason_code": "issued_in_error"},
                          key=institution.api_key)  # fmt: skip
    assert revoked.status_code == 200, revoked.text

    wait_until(lambda: not ledger.verify(credential=award["credential"])["verified"], 1.0, "the revocation shows")
    after = ledger.verify(credential=award["credential"])
    assert {name for name, status in after["by_name"].items() if status == "failed"} == {"status"}

    history = ledger.get("registry", "/v1/events?limit=100000", key=ledger.operator)
    events = [msgspec.json.decode(line) for line in history.text.splitlines()]
    assert [e["position"] for e in events] == list(range(1, len(events) + 1))
    assert [e["type"] for e in events if award["id"] in e["stream"]] == ["award.awarded", "award.revoked"]


def test_the_same_request_gives_the_same_answer_byte_for_byte_and_another_body_is_refused(ledger: Running) -> None:
    institution = ledger.institution("idempotent")
    achievement = ledger.achievement(institution)
    body = {"achievement_id": achievement, "learner": {"email": "ada@learner.example", "name": "Ada Example"}}

    first = ledger.post("issuance", "/v1/awards", body, key=institution.api_key, idempotency_key="same")
    again = ledger.post("issuance", "/v1/awards", body, key=institution.api_key, idempotency_key='"same"')
    other = ledger.post("issuance", "/v1/awards", {**body, "term": "Spring"}, key=institution.api_key,
                        idempotency_key="same")  # fmt: skip

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert other.json()["code"] == "idempotency_key_reused"


def test_one_changed_letter_fails_the_proofs_and_recorded_and_nothing_else(ledger: Running) -> None:
    institution = ledger.institution("altered")
    award = ledger.award(institution, ledger.achievement(institution))

    verdict = ledger.verify(credential=changed_name(award["credential"]))

    assert not verdict["verified"]
    assert {name for name, status in verdict["by_name"].items() if status == "failed"} == {"proofs", "recorded"}


def test_a_badge_of_another_person_fails_by_exactly_its_name(ledger: Running) -> None:
    institution = ledger.institution("recipient")
    award = ledger.award(institution, ledger.achievement(institution), "ada@learner.example")

    own = ledger.verify(credential=award["credential"], recipient={"email": "ada@learner.example"})
    other = ledger.verify(credential=award["credential"], recipient={"email": "eve@learner.example"})

    assert own["verified"]
    assert own["by_name"]["recipient"] == "passed"
    assert {name for name, status in other["by_name"].items() if status == "failed"} == {"recipient"}


@pytest.mark.parametrize(("accept", "media_type"), [
    ("*/*", "application/vc"),
    ("application/vc", "application/vc"),
    ("application/ld+json", "application/ld+json"),
    ("application/vc+jwt", "application/vc+jwt"),
    ("text/html", "text/html"),
])  # fmt: skip
def test_one_address_gives_every_form_by_accept(ledger: Running, accept: str, media_type: str) -> None:
    award = _shared_award(ledger)

    answer = httpx.get(award["credential_url"], headers={"accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_baked_image_verifies_like_the_document_in_it(ledger: Running, suffix: str) -> None:
    import base64  # noqa: PLC0415

    award = _shared_award(ledger)
    image = httpx.get(award["credential_url"] + suffix)

    assert image.status_code == 200, image.text
    assert ledger.verify(image=base64.b64encode(image.content).decode())["verified"]


def test_the_jwt_of_an_award_verifies_too(ledger: Running) -> None:
    award = _shared_award(ledger)
    jwt = httpx.get(award["credential_url"], headers={"accept": "application/vc+jwt"}).text

    verdict = ledger.verify(jwt=jwt)

    assert verdict["verified"], verdict
    assert verdict["by_name"]["recorded"] == "passed"


def test_a_suspended_award_fails_until_it_is_reinstated(ledger: Running) -> None:
    institution = ledger.institution("suspending")
    award = ledger.award(institution, ledger.achievement(institution))
    change = {"reason_code": "under_review", "reason": "A complaint about Ada."}

    suspended = ledger.post("revocation", f"/v1/awards/{award['id']}/suspension", change, key=institution.api_key)
    assert suspended.status_code == 200, suspended.text
    wait_until(lambda: ledger.verify(credential=award["credential"])["by_name"]["status"] == "failed", 1.0, "suspended")

    reinstated = ledger.post("revocation", f"/v1/awards/{award['id']}/reinstatement", {"reason_code": "review_cleared"},
                             key=institution.api_key)  # fmt: skip
    assert reinstated.status_code == 200, reinstated.text
    wait_until(lambda: bool(ledger.verify(credential=award["credential"])["verified"]), 1.0, "reinstated")


def test_erasure_takes_the_documents_and_leaves_the_history(ledger: Running) -> None:
    institution = ledger.institution("erasing")
    other = ledger.institution("erasing-other")
    achievement = ledger.achievement(institution)
    award = ledger.award(institution, achievement, "gone@learner.example", external_id="sis-1")
    kept = ledger.award(other, ledger.achievement(other))

    foreign = ledger.post("issuance", f"/v1/learners/{award['learner_id']}/erasure", {}, key=other.api_key)
    assert foreign.status_code == 404
    erased = ledger.post("issuance", f"/v1/learners/{award['learner_id']}/erasure", {}, key=institution.api_key)
    assert erased.status_code == 200, erased.text

    assert httpx.get(award["credential_url"]).status_code in (404, 410)
    assert ledger.get("issuance", f"/v1/awards/{award['id']}", key=institution.api_key).status_code == 410
    assert httpx.get(kept["credential_url"]).status_code == 200
    facts = ledger.get("registry", f"/v1/awards/{award['id']}")
    assert facts.status_code == 200

    again = ledger.award(institution, achievement, "gone@learner.example", external_id="sis-1")
    assert again["learner_id"] != award["learner_id"]


def _shared_award(ledger: Running) -> Any:
    if not hasattr(ledger, "shared_award"):
        institution = ledger.institution("shared-award")
        ledger.shared_award = ledger.award(institution, ledger.achievement(institution))  # type: ignore[attr-defined]
    return ledger.shared_award  # type: ignore[attr-defined]
