"""Four-eyes approval over HTTP: what one key proposes another decides, once, whoever else tries and whatever breaks."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running
from tests.servers import wait_until

CHANGE = {"reason_code": "issued_in_error", "reason": "The grades of another class were taken."}
VISIBLE_SECONDS = 2.0


class School:
    """An institution that lets a second key approve, with a key that proposes and keys that decide."""

    def __init__(self, ledger: Running, slug: str, *four_eyes: str) -> None:
        self.ledger = ledger
        self.institution: Institution = ledger.institution(slug)
        self.achievement = ledger.achievement(self.institution)
        self.proposer = self.key("issuer")
        self.reviewers = [self.key("reviewer") for _ in range(3)]
        self.policy(*four_eyes)

    def key(self, role: str) -> Any:
        answer = self.ledger.post("issuance", "/v1/keys", {"name": role, "role": role}, key=self.institution.api_key)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def policy(self, *four_eyes: str) -> None:
        path, etag = "/v1/profile/policy", self.ledger.get("issuance", "/v1/profile", key=self.institution.api_key)
        answer = self.ledger.call("PUT", "issuance", path, {"four_eyes": four_eyes}, key=self.institution.api_key,
                                  if_match=etag.headers["etag"])  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert answer.json().get("four_eyes", []) == sorted(four_eyes)

    def propose(self, name: str, key: str | None = None, **headers: str) -> httpx.Response:
        body = {"achievement_id": self.achievement, "learner": {"email": f"{name}@learner.example", "name": "Ada"}}
        return self.ledger.post("issuance", "/v1/awards", body, key=key or self.proposer["api_key"], **headers)

    def proposed(self, name: str, **headers: str) -> str:
        answer = self.propose(name, **headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["approval"]["id"])

    def decide(self, service: str, approval: str, what: str, key: Any, **headers: str) -> httpx.Response:
        body = {"reason_code": "not_earned"} if what == "refusal" else None
        return self.ledger.post(service, f"/v1/approvals/{approval}/{what}", body, key=key["api_key"], **headers)

    def awards(self) -> list[Any]:
        listed = self.ledger.get("issuance", "/v1/awards?limit=200", key=self.institution.api_key)
        return list(listed.json()["data"])

    def events(self) -> list[Any]:
        text = self.ledger.get("registry", "/v1/events?limit=100000", key=self.institution.api_key).text
        return [msgspec.json.decode(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def school(ledger: Running) -> School:
    return School(ledger, "approvals", "awards", "revocations")


@pytest.fixture(scope="module")
def award(school: School) -> Any:
    """An award that was proposed and approved."""
    answer = school.decide("issuance", school.proposed("awarded"), "approval", school.reviewers[0])
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_proposed_award_is_none_until_another_key_approves_it(school: School) -> None:
    before = school.awards()
    answer = school.propose("first")
    proposal = answer.json()
    approval = proposal["approval"]

    assert (answer.status_code, approval["status"]) == (202, "open")
    assert answer.headers["location"] == f"/v1/approvals/{approval['id']}"
    assert "another key" in proposal["note"]
    assert school.awards() == before
    shown = school.ledger.get("issuance", answer.headers["location"], key=school.reviewers[0]["api_key"]).json()
    assert shown["award"]["learner"]["email"] == "first@learner.example"
    listed = school.ledger.get("issuance", "/v1/approvals?status=open", key=school.reviewers[0]["api_key"])
    assert approval["id"] in [one["id"] for one in listed.json()["data"]]
    assert "learner.example" not in listed.text

    made = school.decide("issuance", approval["id"], "approval", school.reviewers[0])
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/awards/{made.json()['id']}"
    assert school.ledger.verify(url=made.json()["credential_url"])["issuer_recognised"]
    assert len(school.awards()) == len(before) + 1
    stands = school.ledger.get("issuance", answer.headers["location"], key=school.reviewers[0]["api_key"]).json()
    assert (stands["approval"]["status"], stands["approval"]["award_id"]) == ("approved", made.json()["id"])
    assert stands["approval"]["decided_by"] == school.reviewers[0]["id"]


def test_nothing_of_a_proposal_stands_in_the_clear_but_its_achievement(school: School) -> None:
    approval = school.proposed("hidden-name")

    (event,) = [e for e in school.events() if e["envelope"]["stream"] == f"award/{approval}"]
    assert event["envelope"]["data"] == {"achievement_id": school.achievement}
    assert [value["n"] for value in event["envelope"]["pd"]] == ["wish"]
    assert "hidden-name" not in msgspec.json.encode(event).decode()
    gone = school.ledger.get("issuance", f"/v1/awards/{approval}", key=school.institution.api_key)
    assert checked_problem(gone, 404, "not_found")


def test_the_key_that_proposed_does_not_decide_nor_does_one_that_it_was_rotated_to(school: School) -> None:
    owner = {"api_key": school.institution.api_key}
    approval = school.propose("own", key=owner["api_key"]).json()["approval"]
    for what in ("approval", "refusal"):
        own = checked_problem(school.decide("issuance", approval["id"], what, owner), 422, "refused")
        assert "same key" in own["detail"]
    path = f"/v1/keys/{approval['proposed_by']}/rotation"
    heir = school.ledger.post("issuance", path, {}, key=owner["api_key"]).json()
    assert checked_problem(school.decide("issuance", approval["id"], "approval", heir), 422, "refused")
    unable = school.decide("issuance", approval["id"], "approval", school.proposer)
    assert checked_problem(unable, 403, "forbidden")
    assert school.decide("issuance", approval["id"], "approval", school.reviewers[0]).status_code == 201


def test_the_person_who_proposed_does_not_decide_by_another_key(school: School) -> None:
    approval = school.proposed("person", credledger_decided_by="staff-7")

    same = school.decide("issuance", approval, "approval", school.reviewers[0], credledger_decided_by="staff-7")
    other = school.decide("issuance", approval, "approval", school.reviewers[0], credledger_decided_by="staff-8")

    assert "same person" in checked_problem(same, 422, "refused")["detail"]
    assert other.status_code == 201, other.text
    assert "staff-7" not in msgspec.json.encode(school.events()).decode()


def test_a_refusal_is_final_and_the_same_can_be_proposed_anew(school: School) -> None:
    approval = school.proposed("refused")

    refused = school.decide("issuance", approval, "refusal", school.reviewers[0])

    assert (refused.json()["status"], refused.json()["reason_code"]) == ("refused", "not_earned")
    late = school.decide("issuance", approval, "approval", school.reviewers[1])
    assert checked_problem(late, 422, "refused")
    again = school.proposed("refused")
    assert school.decide("issuance", again, "approval", school.reviewers[1]).status_code == 201


def test_proposals_and_approvals_that_are_sent_again_give_the_same_answers(school: School) -> None:
    first, again = (school.propose("again", idempotency_key="approvals-again-1") for _ in range(2))
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    approval = first.json()["approval"]["id"]
    key = school.reviewers[0]

    made, remade = (
        school.decide("issuance", approval, "approval", key, idempotency_key="approvals-again-2") for _ in range(2)
    )
    assert (made.status_code, remade.status_code, remade.content) == (201, 201, made.content)
    assert remade.headers["idempotent-replayed"] == "true"
    assert school.propose("again", idempotency_key="approvals-again-1").content == first.content


def test_of_many_who_approve_at_once_each_gets_the_one_award(school: School) -> None:
    approval, before = school.proposed("race"), len(school.awards())
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda n: school.decide("issuance", approval, "approval", school.reviewers[n % 3]), range(6))
        )

    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(school.awards()) == before + 1
    given = [e for e in school.events() if e["type"] == "approval.given" and e["envelope"]["stream"].endswith(approval)]
    assert len(given) == 1


def test_of_approving_and_refusing_at_once_one_counts(school: School) -> None:
    for number in range(3):
        approval = school.proposed(f"opposed-{number}")
        before = len(school.awards())
        with ThreadPoolExecutor(2) as pool:
            approved, refused = pool.map(
                lambda pair, a=approval: school.decide("issuance", a, *pair),  # type: ignore[misc]
                [("approval", school.reviewers[0]), ("refusal", school.reviewers[1])],
            )
        assert sorted([approved.is_success, refused.is_success]) == [False, True], (approved.text, refused.text)
        assert len(school.awards()) - before == approved.is_success


def test_what_cannot_be_awarded_cannot_be_proposed_nor_approved_later(school: School) -> None:
    key = school.institution.api_key
    other = school.ledger.achievement(school.institution, "Soon withdrawn")
    body = {"achievement_id": other, "learner": {"email": "late@learner.example"}}
    waiting = school.ledger.post("issuance", "/v1/awards", body, key=school.proposer["api_key"]).json()["approval"][
        "id"
    ]
    assert school.ledger.post("issuance", f"/v1/achievements/{other}/versions/1/withdrawal", {}, key=key).is_success

    refused = school.ledger.post("issuance", "/v1/awards", body, key=school.proposer["api_key"])
    assert checked_problem(refused, 422, "refused")
    assert checked_problem(school.decide("issuance", waiting, "approval", school.reviewers[0]), 422, "refused")
    state = school.ledger.get("issuance", f"/v1/approvals/{waiting}", key=key).json()
    assert state["approval"]["status"] == "open"  # what could not be made was not approved


def test_a_proposal_about_an_erased_learner_opens_no_more(school: School) -> None:
    answer = school.propose("erased")
    approval, learner = answer.json()["approval"]["id"], answer.json()["learner_id"]
    path = f"/v1/learners/{learner}/erasure"
    assert school.ledger.post("issuance", path, {}, key=school.institution.api_key).is_success

    shown = school.ledger.get("issuance", f"/v1/approvals/{approval}", key=school.reviewers[0]["api_key"])
    assert checked_problem(shown, 410, "erased")
    assert checked_problem(school.decide("issuance", approval, "approval", school.reviewers[0]), 410, "erased")
    assert school.decide("issuance", approval, "refusal", school.reviewers[0]).status_code == 200


def test_a_proposed_revocation_changes_nothing_until_another_key_approves_it(school: School, award: Any) -> None:
    ledger, key = school.ledger, school.reviewers[0]
    path = f"/v1/awards/{award['id']}/revocation"
    answer = ledger.post("revocation", path, CHANGE, key=key["api_key"], credledger_decided_by="staff-1")
    approval = answer.json()["approval"]["id"]

    assert (answer.status_code, answer.json()["change"]) == (202, "revoke")
    assert ledger.verify(url=award["credential_url"])["verified"]
    assert ledger.post("revocation", path, CHANGE, key=key["api_key"]).status_code == 202  # no second way around
    own = school.decide("revocation", approval, "approval", key)
    assert checked_problem(own, 422, "refused")
    person = school.decide("revocation", approval, "approval", school.reviewers[1], credledger_decided_by="staff-1")
    assert "same person" in checked_problem(person, 422, "refused")["detail"]

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: school.decide("revocation", approval, "approval", school.reviewers[1 + n % 2]),
                             range(4)))  # fmt: skip
    assert {one.status_code for one in made} == {200}, [one.text for one in made]
    assert {one.json()["standing"]["status"] for one in made} == {"revoked"}
    assert len({one.json()["position"] for one in made}) == 1
    assert ledger.verify(url=award["credential_url"])["by_name"]["status"] == "failed"
    (revoked,) = [e for e in school.events() if e["type"] == "award.revoked"]
    assert revoked["envelope"]["data"]["approval"] == approval
    assert CHANGE["reason"] not in msgspec.json.encode(school.events()).decode()
    wait_until(
        lambda: ledger.get("revocation", "/v1/approvals?status=approved", key=key["api_key"]).json()["data"] != [],
        VISIBLE_SECONDS, "the list says so",
    )  # fmt: skip


def test_suspending_takes_no_second_key(school: School) -> None:
    made = school.decide("issuance", school.proposed("suspended"), "approval", school.reviewers[0]).json()
    key = school.reviewers[0]["api_key"]

    answer = school.ledger.post("revocation", f"/v1/awards/{made['id']}/suspension", {"reason_code": "other"}, key=key)

    assert answer.json()["standing"]["status"] == "suspended"


def test_many_revocations_become_as_many_proposals(school: School) -> None:
    ledger, key = school.ledger, school.reviewers[0]["api_key"]
    made = [
        school.decide("issuance", school.proposed(f"many-{n}"), "approval", school.reviewers[0]).json()["id"]
        for n in range(3)
    ]
    body = {"award_ids": made, "change": "revoke", "reason_code": "issued_in_error"}
    preview = ledger.post("revocation", "/v1/standings/previews", body, key=key).json()
    assert [item["outlook"] for item in preview["data"]] == ["change"] * 3
    assert {item["detail"] for item in preview["data"]} == {
        "This institution lets a second key approve its revocations."
    }
    token = {"preview_token": preview["preview_token"]}

    first, again = (
        ledger.post("revocation", "/v1/standings/changes", token, key=key, idempotency_key="approvals-many-1")
        for _ in range(2)
    )

    assert [item["outcome"] for item in first.json()["data"]] == ["proposed"] * 3, first.text
    assert again.json() == first.json()
    for item in first.json()["data"]:
        decided = school.decide("revocation", item["approval_id"], "approval", school.reviewers[1])
        assert decided.json()["standing"]["status"] == "revoked", decided.text


def test_the_rows_of_a_job_become_proposals_and_nothing_is_awarded_or_revoked(school: School) -> None:
    ledger, before = school.ledger, len(school.awards())

    def job(kind: str, list_of: str, key: str, **parameters: str) -> Any:
        query = httpx.QueryParams({"kind": kind, **parameters})
        made = httpx.post(
            f"{ledger.url('issuance')}/v1/jobs?{query}",
            content=list_of.encode(),
            headers={
                "authorization": f"Bearer {key}",
                "idempotency-key": f"approvals-{kind}",
                "content-type": "text/csv",
            },
        )
        assert made.status_code == 202, made.text
        path = f"/v1/jobs/{made.json()['id']}"
        wait_until(lambda: ledger.get("issuance", path, key=key).json()["state"] == "completed", 30, "the job is done")
        return ledger.get("issuance", f"{path}/rows", key=key).json()["data"]

    rows = job("awards", "email,name\njob-1@learner.example,Ada\njob-2@learner.example,Bo\n",
               school.proposer["api_key"], achievement_id=school.achievement)  # fmt: skip
    assert [(row["outcome"], row["award_id"]) for row in rows] == [("proposed", None)] * 2
    assert len(school.awards()) == before
    path = "/v1/approvals?status=open&limit=2"
    waiting = [one["id"] for one in ledger.get("issuance", path, key=school.institution.api_key).json()["data"]]
    made = [school.decide("issuance", one, "approval", school.reviewers[0]).json()["id"] for one in waiting]
    assert len(school.awards()) == before + 2

    listed = "award_id,reason_code\n" + "".join(f"{one},issued_in_error\n" for one in made)
    rows = job("revocations", listed, school.reviewers[0]["api_key"])
    assert [row["outcome"] for row in rows] == ["proposed"] * 2
    waiting = [one["id"] for one in ledger.get("revocation", path, key=school.reviewers[0]["api_key"]).json()["data"]]
    for one in waiting:
        decided = school.decide("revocation", one, "approval", school.reviewers[1])
        assert decided.json()["standing"]["status"] == "revoked", decided.text


def test_where_it_is_not_switched_on_nothing_waits_and_what_waits_is_still_decided(ledger: Running) -> None:
    school = School(ledger, "approvals-off", "awards")
    waiting = school.proposed("waiting")
    school.policy()

    assert school.propose("direct").status_code == 201
    assert school.decide("issuance", waiting, "approval", school.reviewers[0]).status_code == 201


def test_an_approval_whose_award_a_crash_kept_from_being_made_is_made(ledger: Running) -> None:
    school = School(ledger, "approvals-crash", "awards")
    waiting = [school.proposed(f"crash-{n}") for n in range(8)]

    def approve(approval: str) -> None:
        with contextlib.suppress(httpx.HTTPError):  # killed amid the request
            school.decide("issuance", approval, "approval", school.reviewers[0])

    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(approve, approval) for approval in waiting]
        wait_until(lambda: any(one.done() for one in tries), 20, "some were approved")
        ledger.kill("issuance")
    ledger.start("issuance")

    def given() -> int:
        return sum(event["type"] == "approval.given" for event in school.events())

    wait_until(lambda: len(school.awards()) == given(), 30, "what was approved is awarded")
    for approval in waiting:
        assert school.decide("issuance", approval, "approval", school.reviewers[1]).status_code == 201
    assert len(school.awards()) == len(waiting) == given()
