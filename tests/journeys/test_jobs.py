"""Bulk: a list is checked first, then every row becomes what it would have become alone, once."""

import csv
import io
import json
from typing import Any

import httpx
import msgspec
import pytest
from tests.journeys.problems import checked_problem
from tests.running import TLS, Institution, Running
from tests.servers import wait_until

ENDED = {"checked", "paused", "cancelled", "completed"}
WAIT_SECONDS = 30.0


class School(msgspec.Struct):
    """An institution that sends lists."""

    ledger: Running
    institution: Institution
    achievement: str

    def send(self, content: str, media_type: str = "text/csv", **parameters: str) -> httpx.Response:
        """Hand a list in."""
        asked = {"kind": "awards", **parameters}
        key = asked.pop("key", f"job-{hash((content, *sorted(asked.items())))}")
        if asked["kind"] == "awards":
            asked.setdefault("achievement_id", self.achievement)
        headers = {
            "authorization": f"Bearer {self.institution.api_key}",
            "idempotency-key": key,
            "content-type": media_type,
        }
        url = f"{self.ledger.url('issuance')}/v1/jobs"
        return httpx.post(url, params=asked, content=content.encode(), headers=headers, timeout=30, verify=TLS)

    def job(self, content: str, media_type: str = "text/csv", **parameters: str) -> Any:
        """A job that came to rest."""
        answer = self.send(content, media_type, **parameters)
        assert answer.status_code == 202, answer.text
        return self.rested(answer.json()["id"])

    def rested(self, job_id: str) -> Any:
        wait_until(lambda: self.get(f"/v1/jobs/{job_id}").json()["state"] in ENDED, WAIT_SECONDS, "the job rests")
        return self.get(f"/v1/jobs/{job_id}").json()

    def get(self, path: str) -> httpx.Response:
        return self.ledger.get("issuance", path, key=self.institution.api_key)

    def post(self, path: str) -> httpx.Response:
        return self.ledger.post("issuance", path, {}, key=self.institution.api_key)

    def rows(self, job: Any, **filters: str) -> list[Any]:
        query = str(httpx.QueryParams({"limit": "200", **filters}))
        return list(self.get(f"/v1/jobs/{job['id']}/rows?{query}").json()["data"])


@pytest.fixture(scope="module")
def school(ledger: Running) -> School:
    institution = ledger.institution("bulk")
    return School(ledger, institution, ledger.achievement(institution))


def class_list(name: str, count: int, *more: str) -> str:
    lines = [
        "email;name;external_id",
        *(f"{name}{n}@learner.example;{name.title()} {n};{name}-{n}" for n in range(count)),
    ]
    return "\n".join([*lines, *more]) + "\n"


def test_a_class_list_becomes_awards_with_credentials_like_any_other(school: School) -> None:
    job = school.job(class_list("whole", 30))

    assert (job["state"], job["outlook"], job["outcome"]) == ("completed", {"ready": 30}, {"awarded": 30})
    rows = school.rows(job)
    assert [row["row"] for row in rows] == list(range(1, 31))
    assert [row["line"] for row in rows] == list(range(2, 32))
    award = school.get(f"/v1/awards/{rows[6]['award_id']}").json()
    assert award["external_id"] == "whole-6"
    assert award["position"] == rows[6]["position"]
    verdict = school.ledger.verify(url=award["credential_url"], recipient={"email": "whole6@learner.example"})
    assert verdict["verified"]
    assert verdict["by_name"]["recorded"] == verdict["by_name"]["recipient"] == "passed"


def test_the_same_list_under_the_same_key_is_the_same_job_and_under_another_key_awards_nobody_twice(
    school: School,
) -> None:
    content = class_list("again", 8)
    first = school.send(content, key="again-1")
    done = school.rested(first.json()["id"])

    same = school.send(content, key="again-1")
    refused = school.job(content, key="again-2")
    returned = school.job(content, key="again-3", on_duplicate="return")

    assert same.content == first.content
    assert same.headers["idempotent-replayed"] == "true"
    assert (refused["outlook"], refused["outcome"]) == ({"held": 8}, {"refused": 8})
    assert {row["fault"]["code"] for row in school.rows(refused)} == {"already_awarded"}
    assert returned["outcome"] == {"returned": 8}
    assert [r["award_id"] for r in school.rows(returned)] == [r["award_id"] for r in school.rows(done)]
    assert checked_problem(school.send(class_list("others", 2), key="again-1"), 422, "idempotency_key_reused")


def test_a_dry_run_foresees_every_row_does_nothing_and_is_started_by_word(school: School) -> None:
    content = class_list("dry", 4, "not an address;Nobody;", "dry2@learner.example;Dry twice;")
    head = school.ledger.get("registry", "/v1/events?limit=100000", key=school.ledger.operator).text

    job = school.job(content, dry_run="true")

    assert job["state"] == "checked"
    assert job["outlook"] == {"ready": 4, "refused": 1, "repeated": 1}
    events = school.ledger.get("registry", "/v1/events?limit=100000", key=school.ledger.operator).text
    fresh = [json.loads(line) for line in events.removeprefix(head).splitlines()]
    assert not [e for e in fresh if e["type"] == "award.awarded" and e["tenant"] == school.institution.id]
    bad = school.rows(job, said="refused")[0]
    assert (bad["row"], bad["line"]) == (5, 6)
    assert bad["fault"]["errors"][0]["pointer"] == "/learner/email"

    started = school.post(f"/v1/jobs/{job['id']}/start")

    assert started.status_code == 200, started.text
    assert school.rested(job["id"])["outcome"] == {"awarded": 4, "refused": 1, "repeated": 1}


def test_refused_rows_are_mended_in_the_error_list_and_sent_again(school: School) -> None:
    job = school.job(class_list("mend", 2, "mend at learner;Mend 2;mend-2", "mend3@learner.example;;mend-0"))
    answer = school.get(f"/v1/jobs/{job['id']}/errors")

    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["external_id"] for row in table] == ["mend-2", "mend-0"]
    assert "/learner/email" in table[0]["error"]
    assert "external_id" in table[1]["error"]
    mended = answer.content.decode().replace("mend at learner", "mend2@learner.example").replace("mend-0", "mend-3")

    again = school.job(mended)

    assert again["outcome"] == {"awarded": 2}
    assert school.get(f"/v1/jobs/{again['id']}/errors").content.decode("utf-8-sig").splitlines() == [
        "email,name,external_id,error"
    ]


def test_a_json_list_has_a_body_a_line_and_errors_in_the_same_form(school: School) -> None:
    bodies = [
        {"learner": {"student_id": "J-1", "name": "Jo"}, "evidence": [{"narrative": "A talk."}], "credits_earned": 2.5},
        {"learner": {"student_id": "J-2"}, "achievement_id": "ach_" + "a" * 26},
        {"learner": {"student_id": "J-3"}, "grade": "A"},
    ]
    job = school.job("\n".join(json.dumps(body) for body in bodies), "application/x-ndjson")

    assert job["outcome"] == {"awarded": 1, "refused": 2}
    answer = school.get(f"/v1/jobs/{job['id']}/errors")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    errors = [json.loads(line) for line in answer.text.splitlines()]
    assert [error["learner"]["student_id"] for error in errors] == ["J-2", "J-3"]
    assert "/grade" in errors[1]["error"]


def test_awards_are_revoked_and_suspended_by_list_and_by_the_institutions_own_ids(school: School) -> None:
    school.job(class_list("fate", 6))
    listed = "external_id;reason_code;reason\n" + "".join(f"fate-{n};issued_in_error;A mistake.\n" for n in range(3))

    dry = school.job(listed, kind="revocations", dry_run="true")
    revoked = school.job(listed + "fate-2;other;\nnobody;other;\nfate-3;because;\n", kind="revocations")
    suspended = school.job("external_id,reason_code\nfate-4,under_review\nfate-0,other\n", kind="suspensions")

    assert dry["outlook"] == {"ready": 3}
    assert revoked["outcome"] == {"changed": 3, "refused": 2, "repeated": 1}
    faults = {row["row"]: row["fault"]["detail"] for row in school.rows(revoked, said="refused")}
    assert "no award with this external_id" in faults[5]
    assert suspended["outcome"] == {"changed": 1, "refused": 1}
    for number, standing in ((0, "revoked"), (4, "suspended"), (5, "valid")):
        (award,) = school.get(f"/v1/awards?external_id=fate-{number}").json()["data"]
        assert award["standing"] == standing


def test_progress_is_told_as_it_goes_and_ends_with_the_job(school: School) -> None:
    job = school.send(class_list("watched", 120)).json()
    url = f"{school.ledger.url('issuance')}/v1/jobs/{job['id']}/progress"
    said = []
    with httpx.stream("GET", url, headers={"authorization": f"Bearer {school.institution.api_key}"},
                      timeout=30, verify=TLS) as stream:  # fmt: skip
        assert stream.headers["content-type"].startswith("text/event-stream")
        said = [json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line.startswith("data: ")]

    assert said[-1]["state"] == "completed"
    assert said[-1]["done"] == 120
    assert [one["done"] for one in said] == sorted(one["done"] for one in said)


def test_a_job_is_paused_resumed_and_cancelled_and_what_was_done_stays(school: School) -> None:
    job = school.send(class_list("paused", 400)).json()
    wait_until(lambda: school.get(f"/v1/jobs/{job['id']}").json()["done"] > 0, WAIT_SECONDS, "it began")

    paused = school.post(f"/v1/jobs/{job['id']}/pause")
    assert paused.json()["state"] == "paused"
    assert 0 < _settled(school, job["id"]) < 400
    checked_problem(school.post(f"/v1/jobs/{job['id']}/start"), 422, "refused")
    done = school.get(f"/v1/jobs/{job['id']}").json()["done"]
    assert school.post(f"/v1/jobs/{job['id']}/resumption").json()["state"] == "running"
    wait_until(lambda: school.get(f"/v1/jobs/{job['id']}").json()["done"] > done, WAIT_SECONDS, "it goes on")
    cancelled = school.post(f"/v1/jobs/{job['id']}/cancellation")

    assert cancelled.json()["state"] in ("cancelled", "completed")
    _settled(school, job["id"])

    def agree() -> bool:
        awarded = school.get(f"/v1/jobs/{job['id']}").json()["outcome"]["awarded"]
        return len(school.rows(job, said="awarded")) == min(awarded, 200)

    wait_until(agree, WAIT_SECONDS, "rows and counts agree")
    (first,) = [row for row in school.rows(job) if row["row"] == 1]
    assert school.get(f"/v1/awards/{first['award_id']}").status_code == 200
    checked_problem(school.post(f"/v1/jobs/{job['id']}/resumption"), 422, "refused")


def _settled(school: School, job_id: str) -> int:
    """How many rows are done once nothing more is under way."""
    seen: list[int] = []

    def still() -> bool:
        seen.append(school.get(f"/v1/jobs/{job_id}").json()["done"])
        return seen[-5:] == [seen[-1]] * 5

    wait_until(still, WAIT_SECONDS, "nothing moves")
    return seen[-1]


@pytest.mark.parametrize(
    ("content", "media_type", "says"),
    [
        ("", "text/csv", "empty"),
        ("mark,name\n1,Ada\n", "text/csv", "No column names the learners"),
        ("email\n", "text/csv", "holds no rows"),
        ('{"learner": {}}\nnot json\n', "application/x-ndjson", "Line 2 is not JSON"),
        ("[1]\n", "application/x-ndjson", "Line 1 is not a JSON object"),
    ],
)
def test_a_list_that_cannot_be_split_into_rows_is_refused_whole(
    school: School, content: str, media_type: str, says: str
) -> None:
    assert says in checked_problem(school.send(content, media_type), 400, "malformed")["detail"]


def test_a_key_does_by_list_only_what_it_may_do_row_by_row(school: School) -> None:
    made = school.ledger.post(
        "issuance", "/v1/keys", {"name": "jobs only", "scopes": ["jobs:write", "jobs:read"]},
        key=school.institution.api_key,
    ).json()  # fmt: skip
    narrow = School(
        school.ledger, msgspec.structs.replace(school.institution, api_key=made["api_key"]), school.achievement
    )

    assert "awards:write" in checked_problem(narrow.send(class_list("narrow", 1)), 403, "forbidden")["detail"]


def test_a_learner_who_is_erased_leaves_the_lists_too(school: School) -> None:
    first = school.ledger.award(school.institution, school.achievement, "erased0@learner.example")
    waiting = school.job(class_list("erased", 2), dry_run="true")

    answer = school.post(f"/v1/learners/{first['learner_id']}/erasure")
    school.post(f"/v1/jobs/{waiting['id']}/start")

    assert answer.status_code == 200, answer.text
    assert school.rested(waiting["id"])["outcome"] == {"awarded": 1, "erased": 1}
