"""What is sent again awards nobody twice: the same learner and achievement, and the same external id."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running


class School(msgspec.Struct):
    """An institution with an achievement, and what it sends."""

    ledger: Running
    institution: Institution
    achievement: str

    def send(self, email: str, **fields: Any) -> httpx.Response:
        """An award under a fresh Idempotency-Key."""
        body = {"achievement_id": self.achievement, "learner": {"email": email}, **fields}
        return self.ledger.post("issuance", "/v1/awards", body, key=self.institution.api_key)

    def found(self, **filters: str) -> list[str]:
        """The ids of the awards in a filtered list."""
        query = str(httpx.QueryParams({"limit": "200", **filters}))
        answer = self.ledger.get("issuance", f"/v1/awards?{query}", key=self.institution.api_key)
        assert answer.status_code == 200, answer.text
        return [award["id"] for award in answer.json()["data"]]

    def change(self, award: str, change: str) -> None:
        answer = self.ledger.post("revocation", f"/v1/awards/{award}/{change}", {"reason_code": "other"},
                                  key=self.institution.api_key)  # fmt: skip
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def school(ledger: Running) -> School:
    institution = ledger.institution("resends")
    return School(ledger, institution, ledger.achievement(institution))


def test_a_nightly_sync_that_is_sent_again_with_fresh_keys_adds_no_award(school: School) -> None:
    rows = [(f"night{n}@learner.example", f"sis-night-{n}") for n in range(10)]
    first = [school.send(email, external_id=name).json()["id"] for email, name in rows]
    before = school.found()

    refused = [school.send(email, external_id=name) for email, name in rows]
    returned = [school.send(email, external_id=name, on_duplicate="return") for email, name in rows]
    bare = [school.send(email, on_duplicate="return") for email, _ in rows]

    assert {checked_problem(answer, 409, "already_awarded")["status"] for answer in refused} == {409}
    assert [answer.status_code for answer in returned + bare] == [200] * 20
    assert [answer.json()["id"] for answer in returned] == [answer.json()["id"] for answer in bare] == first
    assert school.found() == before


def test_a_refusal_names_the_award_that_is_there_and_the_way_out(school: School) -> None:
    award = school.send("named@learner.example").json()["id"]

    problem = checked_problem(school.send("Named@Learner.example"), 409, "already_awarded")

    assert award in problem["detail"]
    assert "`allow`" in problem["detail"]


def test_a_further_award_is_made_where_it_is_allowed(school: School) -> None:
    first = school.send("twice@learner.example").json()

    second = school.send("twice@learner.example", on_duplicate="allow")
    third = school.send("twice@learner.example", on_duplicate="allow")

    assert second.status_code == third.status_code == 201
    ids = {first["id"], second.json()["id"], third.json()["id"]}
    assert len(ids) == 3
    assert set(school.found(learner_id=first["learner_id"])) == ids


def test_what_was_revoked_may_be_awarded_again_and_what_is_suspended_may_not(school: School) -> None:
    revoked, suspended = (school.send(f"{name}@learner.example").json()["id"] for name in ("r", "s"))
    school.change(revoked, "revocation")
    school.change(suspended, "suspension")

    again = school.send("r@learner.example")

    assert again.status_code == 201, again.text
    assert again.json()["id"] != revoked
    checked_problem(school.send("s@learner.example"), 409, "already_awarded")
    checked_problem(school.send("r@learner.example"), 409, "already_awarded")


def test_an_external_id_is_given_once_and_never_to_somebody_else(school: School) -> None:
    award = school.send("owner@learner.example", external_id="sis-one").json()["id"]

    for fields in ({}, {"on_duplicate": "return"}, {"on_duplicate": "allow"}):
        problem = checked_problem(school.send("thief@learner.example", external_id="sis-one", **fields), 409,
                                  "already_awarded")  # fmt: skip
        assert "another learner" in problem["detail"]
    assert school.found(external_id="sis-one") == [award]


def test_of_a_crowd_that_sends_the_same_at_once_one_award_is_made(school: School) -> None:
    with ThreadPoolExecutor(12) as threads:
        by_learner = list(threads.map(lambda _: school.send("crowd@learner.example"), range(12)))
        by_name = list(threads.map(lambda n: school.send(f"crowd{n}@learner.example", external_id="crowd"), range(12)))

    for answers in (by_learner, by_name):
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    assert len(school.found(external_id="crowd")) == 1


def test_awards_are_found_by_learner_achievement_standing_and_time(school: School) -> None:
    other = school.ledger.achievement(school.institution, "Other")
    award = school.ledger.award(school.institution, other, "found@learner.example",
                                awarded_date="2026-01-31T12:00:00Z", external_id="Zoë/1")  # fmt: skip
    school.change(award["id"], "suspension")

    assert school.found(external_id="Zoë/1") == [award["id"]]
    assert school.found(achievement_id=other) == [award["id"]]
    assert school.found(achievement_id=other, standing="suspended") == [award["id"]]
    assert school.found(achievement_id=other, standing="valid") == []
    assert school.found(learner_id=award["learner_id"], awarded_from="2026-01-31T12:00:00Z") == [award["id"]]
    assert school.found(achievement_id=other, awarded_before="2026-01-31T12:00:00Z") == []
    assert school.found(achievement_id=other, recorded_before="2026-01-31T12:00:00Z") == []
    assert school.found(external_id="nobody's") == []


def test_an_external_id_is_the_institutions_own_and_stands_in_no_event(school: School) -> None:
    made = school.send("secret@learner.example", external_id="ada-lovelace-1815").json()
    stranger = school.ledger.institution("resends-stranger")
    theirs = School(school.ledger, stranger, school.ledger.achievement(stranger))

    assert made["external_id"] == "ada-lovelace-1815"
    assert theirs.found(external_id="ada-lovelace-1815") == []
    assert theirs.send("secret@learner.example", external_id="ada-lovelace-1815").status_code == 201
    history = school.ledger.get("registry", "/v1/events?limit=100000", key=school.ledger.operator).text
    assert "lovelace" not in history


@pytest.mark.parametrize("moment", ["2026-01-31T12:00:00", "yesterday"])
def test_a_time_without_a_zone_or_sense_is_refused(school: School, moment: str) -> None:
    answer = school.ledger.get("issuance", f"/v1/awards?awarded_from={moment}", key=school.institution.api_key)

    checked_problem(answer, 400, "malformed")
