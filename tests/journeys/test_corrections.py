"""A corrected credential: the award stays, the old copy says what replaced it, and every race has one outcome."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import pytest
from tests.conftest import run_apart
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger import bitstring
from ledger.codec import parse_time

Json = dict[str, Any]
NAME = {"changes": {"learner": {"name": "Ada King"}}, "reason_code": "name_changed"}


def correct(
    ledger: Running, institution: Institution, award_id: str, body: Any = NAME, **headers: str
) -> httpx.Response:
    return ledger.post("issuance", f"/v1/awards/{award_id}/correction", body, key=institution.api_key, **headers)


def corrected(ledger: Running, institution: Institution, award_id: str, body: Any = NAME) -> Json:
    answer = correct(ledger, institution, award_id, body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def change(
    ledger: Running, institution: Institution, award_id: str, what: str, reason: str = "other"
) -> httpx.Response:
    path = f"/v1/awards/{award_id}/{what}"
    return ledger.post("revocation", path, {"reason_code": reason}, key=institution.api_key)


def status_of(ledger: Running, credential: Json) -> Json:
    verdict = ledger.verify(credential=credential)
    (check,) = [check for check in verdict["checks"] if check["name"] == "status"]
    return {
        **check,
        "verified": verdict["verified"],
        "failed": {n for n, s in verdict["by_name"].items() if s == "failed"},
    }


def facts_of(ledger: Running, award_id: str, events: int) -> Json:
    """The award's public facts, once the registry has seen so many events about it."""
    path = f"/v1/awards/{award_id}"
    wait_until(lambda: len(ledger.get("registry", path).json()["history"]) >= events, 1.0, "the registry follows")
    found: Json = ledger.get("registry", path).json()
    return found


def bit_of(credential: Json, purpose: str = "revocation") -> bool:
    """The credential's bit, in the signed list as any verifier gets it."""
    entries = credential["credentialStatus"]
    (entry,) = [e for e in (entries if isinstance(entries, list) else [entries]) if e["statusPurpose"] == purpose]
    listed = httpx.get(entry["statusListCredential"]).json()
    return bool(bitstring.bit(bitstring.bits_of(listed, purpose), int(entry["statusListIndex"])))


def made(ledger: Running, slug: str, **more: Any) -> tuple[Institution, Json]:
    """An institution and its first award."""
    institution = ledger.institution(slug, **more)
    return institution, ledger.award(institution, ledger.achievement(institution), term="Spring")


def test_a_corrected_award_keeps_its_history_and_the_old_copy_says_what_replaced_it(ledger: Running) -> None:
    institution, old = made(ledger, "correcting")

    new = corrected(ledger, institution, old["id"])

    kept = ("id", "learner_id", "achievement_id", "achievement_version", "awarded_date", "award_url")
    assert {name: new[name] for name in kept} == {name: old[name] for name in kept}
    assert new["credential"]["awardedDate"] == old["credential"]["awardedDate"]
    assert new["credential"]["validFrom"] > old["credential"]["validFrom"]
    assert new["credential_url"] != old["credential_url"]
    assert new["credential"]["credentialStatus"] != old["credential"]["credentialStatus"]
    assert new["credential"]["credentialSubject"]["term"] == "Spring"
    assert "Ada King" in str(new["credential"])
    assert new["superseded"] == [
        {"position": old["position"], "valid_from": old["valid_from"], "replaced_at": new["position"],
         "reason_code": "name_changed"}
    ]  # fmt: skip
    assert ledger.get("issuance", f"/v1/awards/{old['id']}", key=institution.api_key).json() == new

    wait_until(lambda: bit_of(old["credential"]), 1.0, "the old entry is revoked for everybody")
    told = status_of(ledger, old["credential"])
    assert (told["verified"], told["failed"], told["code"]) == (False, {"status"}, "SUPERSEDED")
    assert "replaced by a corrected credential on 20" in told["detail"]
    assert f"(position {new['position']}, reason name_changed); the award itself is valid" in told["detail"]
    assert new["credential_id"] not in str(ledger.verify(credential=old["credential"]))
    fresh = ledger.verify(credential=new["credential"])
    assert fresh["verified"], fresh
    assert fresh["credential"]["position"] == new["position"]
    assert not bit_of(new["credential"])


def test_the_old_address_still_serves_the_old_credential_and_its_page_says_that_it_was_replaced(
    ledger: Running,
) -> None:
    institution, old = made(ledger, "correcting-pages")
    new = corrected(ledger, institution, old["id"])

    assert httpx.get(old["credential_url"]).json() == old["credential"]
    assert httpx.get(new["credential_url"]).json() == new["credential"]
    page = httpx.get(old["credential_url"], headers={"accept": "text/html"}).text
    assert "This credential was replaced by a corrected one on" in page
    assert f"position {new['position']}" in page
    assert new["credential_id"] not in page
    assert "replaced by a corrected one" not in httpx.get(new["credential_url"], headers={"accept": "text/html"}).text


def test_the_public_award_shows_its_corrections_and_newest_dates_and_nothing_happens_to_its_standing(
    ledger: Running,
) -> None:
    institution, old = made(ledger, "correcting-facts")
    later = {"changes": {"valid_until": "2040-01-01T00:00:00Z", "term": None}, "reason_code": "content_error"}
    new = corrected(ledger, institution, old["id"], later)

    facts = facts_of(ledger, old["id"], 2)
    standing = ledger.get("revocation", f"/v1/awards/{old['id']}/standing", key=institution.api_key).json()

    assert (facts["position"], facts["standing"], facts["standing_position"]) == (
        old["position"],
        "valid",
        old["position"],
    )
    dates = [parse_time(facts[name]) for name in ("valid_from", "valid_until", "awarded_date")]
    assert dates == [parse_time(text) for text in (new["valid_from"], "2040-01-01T00:00:00Z", old["awarded_date"])]
    assert [(c["position"], c["reason_code"]) for c in facts["corrections"]] == [(new["position"], "content_error")]
    assert [entry["type"] for entry in facts["history"]] == ["award.awarded", "award.corrected"]
    assert standing["history"] == []
    assert "term" not in new["credential"]["credentialSubject"]
    assert "Corrected" in httpx.get(new["award_url"], headers={"accept": "text/html"}).text


def test_a_second_correction_replaces_the_first_and_a_retry_of_the_first_answers_as_it_did(ledger: Running) -> None:
    institution, old = made(ledger, "correcting-twice")
    first = correct(ledger, institution, old["id"], idempotency_key="first")
    second = corrected(ledger, institution, old["id"], {"changes": {"term": "Autumn"}, "reason_code": "content_error"})
    again = correct(ledger, institution, old["id"], idempotency_key="first")
    other = correct(ledger, institution, old["id"], {**NAME, "reason_code": "other"}, idempotency_key="first")

    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    checked_problem(other, 422, "idempotency_key_reused")
    assert "Ada King" in str(second["credential"])  # the second builds on the first
    assert [one["replaced_at"] for one in second["superseded"]] == [first.json()["position"], second["position"]]
    wait_until(lambda: bit_of(first.json()["credential"]), 1.0, "the first correction is replaced")
    assert f"position {first.json()['position']}" in status_of(ledger, old["credential"])["detail"]
    assert f"position {second['position']}" in status_of(ledger, first.json()["credential"])["detail"]


def test_a_superseded_entry_is_never_cleared_whatever_becomes_of_the_award(ledger: Running) -> None:
    institution, old = made(ledger, "correcting-full", status_profile="full")
    new = corrected(ledger, institution, old["id"])

    assert change(ledger, institution, old["id"], "suspension", "under_review").status_code == 200
    wait_until(lambda: bit_of(new["credential"], "suspension"), 1.0, "suspended")
    assert (bit_of(old["credential"]), bit_of(old["credential"], "suspension")) == (True, False)
    told = status_of(ledger, old["credential"])["detail"]
    assert "the award itself is suspended since" in told

    refused = checked_problem(
        correct(ledger, institution, old["id"], {**NAME, "changes": {"term": "X"}}), 422, "refused"
    )
    assert "reinstate it first" in refused["detail"]

    assert change(ledger, institution, old["id"], "reinstatement", "review_cleared").status_code == 200
    wait_until(lambda: not bit_of(new["credential"], "suspension"), 1.0, "reinstated")
    assert ledger.verify(credential=new["credential"])["verified"]
    assert bit_of(old["credential"])

    assert change(ledger, institution, old["id"], "revocation").status_code == 200
    wait_until(lambda: bit_of(new["credential"]), 1.0, "revoked")
    assert "the award itself is revoked since" in status_of(ledger, old["credential"])["detail"]
    refused = checked_problem(
        correct(ledger, institution, old["id"], {**NAME, "changes": {"term": "X"}}), 422, "refused"
    )
    assert "revoked" in refused["detail"]


@pytest.mark.parametrize(("changes", "status", "pointer"), [
    ({}, 400, "/changes"),
    ({"learner": {}}, 400, "/changes"),
    ({"learner": {"name": "Ada Example"}}, 422, "/changes"),
    ({"term": "Spring"}, 422, "/changes"),
    ({"narrative": None}, 422, "/changes"),
    ({"awarded_date": "2026-01-01T00:00:00Z"}, 400, "/changes/awarded_date"),
    ({"valid_until": "2020-01-01T00:00:00Z"}, 400, "/changes/valid_until"),
    ({"valid_until": "2040-01-01T00:00:00"}, 400, "/changes/valid_until"),
    ({"renew_by": "2020-01-01T00:00:00Z"}, 400, "/changes/renew_by"),
    ({"credits_earned": -1}, 400, "/changes/credits_earned"),
    ({"evidence": [{"name": "Thesis"}]}, 400, "/changes/evidence/0"),
    ({"results": [{"result_description": "https://x.example/none"}]}, 422, "/changes/results/0/result_description"),
    ({"learner": {"email": "new@learner.example"}}, 422, "/changes/learner/email"),
    ({"learner": {"email": "a@learner.example", "did": "did:key:z6Mk"}}, 400, "/changes/learner/email"),
    ({"learner": {"name": ""}}, 400, "/changes/learner/name"),
])  # fmt: skip
def test_what_cannot_be_corrected_is_named(ledger: Running, changes: Json, status: int, pointer: str) -> None:
    if not hasattr(ledger, "uncorrected"):
        ledger.uncorrected = made(ledger, "uncorrected")  # type: ignore[attr-defined]
    institution, award = ledger.uncorrected  # type: ignore[attr-defined]

    answer = correct(ledger, institution, award["id"], {**NAME, "changes": changes})

    problem = checked_problem(answer, status, {400: "malformed", 422: "refused"}[status])

    assert pointer in [error["pointer"] for error in problem["errors"]], problem
    facts = ledger.get("registry", f"/v1/awards/{award['id']}").json()
    assert facts["corrections"] == []


def test_neither_a_stranger_nor_anybody_after_the_erasure_corrects(ledger: Running) -> None:
    institution, award = made(ledger, "correcting-erased")
    stranger = ledger.institution("correcting-stranger")
    new = corrected(ledger, institution, award["id"])

    assert correct(ledger, stranger, award["id"]).status_code == 404
    assert correct(ledger, institution, "awd_" + "a" * 26).status_code == 404
    erased = ledger.post("issuance", f"/v1/learners/{award['learner_id']}/erasure", {}, key=institution.api_key)
    assert erased.status_code == 200, erased.text

    checked_problem(correct(ledger, institution, award["id"], {**NAME, "changes": {"term": "X"}}), 410, "erased")
    assert [httpx.get(url).status_code for url in (award["credential_url"], new["credential_url"])] == [404, 404]
    assert facts_of(ledger, award["id"], 2)["corrections"][0]["position"] == new["position"]


def test_a_correction_and_a_revocation_at_once_have_one_outcome_and_the_bits_agree(ledger: Running) -> None:
    institution = ledger.institution("correcting-race")
    achievement = ledger.achievement(institution)
    awards = [ledger.award(institution, achievement, f"race{n}@learner.example") for n in range(6)]

    def race(award: Json) -> tuple[httpx.Response, httpx.Response]:
        with ThreadPoolExecutor(2) as both:
            one = both.submit(correct, ledger, institution, award["id"])
            other = both.submit(change, ledger, institution, award["id"], "revocation")
            return one.result(), other.result()

    def topics(award: Json, events: int) -> list[str]:
        return [entry["type"] for entry in facts_of(ledger, award["id"], events)["history"]]

    for award in awards:
        correction, revocation = race(award)
        assert revocation.status_code == 200, revocation.text  # it holds for whichever document is the newest
        assert correction.status_code in (200, 422), correction.text
        wait_until(lambda a=award: bit_of(a["credential"]), 1.0, "the first document counts no longer")  # type: ignore[misc]
        if correction.status_code == 200:
            new = correction.json()["credential"]
            wait_until(lambda n=new: bit_of(n), 1.0, "the corrected document is revoked")  # type: ignore[misc]
            assert topics(award, 3) == ["award.awarded", "award.corrected", "award.revoked"]
        else:
            assert "revoked" in correction.json()["detail"]
            assert topics(award, 2) == ["award.awarded", "award.revoked"]


def test_two_corrections_at_once_both_stand_one_after_the_other(ledger: Running) -> None:
    institution, award = made(ledger, "correcting-both")
    bodies = [{**NAME, "changes": {"term": "Autumn"}}, {**NAME, "changes": {"license_number": "L-1"}}]

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda body: correct(ledger, institution, award["id"], body), bodies))

    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    last = max((answer.json() for answer in answers), key=lambda answer: answer["position"])
    subject = last["credential"]["credentialSubject"]
    assert (subject["term"], subject["licenseNumber"], len(last["superseded"])) == ("Autumn", "L-1", 2)


def test_a_correction_that_a_kill_left_unsigned_is_signed_after_the_start(ledger: Running) -> None:
    institution, award = made(ledger, "correcting-killed")
    new = corrected(ledger, institution, award["id"])
    told = ledger.environment("issuance")["CREDLEDGER_DATABASE_URL"]

    async def unsign() -> str:  # what kill -9 between COMMIT and signing leaves: the event without its document
        connection = await asyncpg.connect(told)
        done: str = await connection.execute("DELETE FROM vault.documents WHERE position = $1", new["position"])
        await connection.close()
        return done

    ledger.kill("issuance")
    assert run_apart(unsign()) == "DELETE 1"
    ledger.start("issuance")

    wait_until(lambda: httpx.get(new["credential_url"]).status_code == 200, 20, "the sweep has signed it")
    assert httpx.get(new["credential_url"]).json() == new["credential"]
    assert httpx.get(award["credential_url"]).json() == award["credential"]
