"""Results over HTTP, mappings with their preview, and xAPI statements as foreign clients send them."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest
from tests.issuance.mappings import COMPLETION, GRADES, statement
from tests.journeys.problems import checked_problem
from tests.running import TLS, Institution, Running

Json = dict[str, Any]
EXAM = [{"name": "Exam", "result_type": "Percent", "key": "exam"}]
ACTIVITY = "https://lms.nova.example/exam"


class School(msgspec.Struct, frozen=True):
    """An institution with an achievement of its own, and what a client of its learning management system does."""

    ledger: Running
    institution: Institution
    achievement: str

    def write(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.ledger.post("issuance", path, body, key=self.institution.api_key, **headers)

    def read(self, path: str) -> Json:
        answer = self.ledger.get("issuance", path, key=self.institution.api_key)
        assert answer.status_code == 200, answer.text
        read: Json = answer.json()
        return read

    def result(self, email: str, **more: Any) -> httpx.Response:
        body = {"achievement_id": self.achievement, "learner": {"email": email}, "value": "87", **more}
        return self.write("/v1/results", body)

    def mapping(self, source: str, *rules: Json, **more: Any) -> Json:
        told = [{"achievement_id": self.achievement, **rule} for rule in rules]
        made = self.write("/v1/mappings", {"name": source, "source": source, "rules": told, **more})
        assert made.status_code == 201, made.text
        mapping: Json = made.json()
        return mapping

    def preview(self, mapping: Json, content: bytes) -> Json:
        answer = httpx.post(
            f"{self.ledger.url('issuance')}/v1/mappings/{mapping['id']}/preview",
            content=content,
            headers={"authorization": f"Bearer {self.institution.api_key}", "content-type": "text/csv"},
            verify=TLS,
        )
        assert answer.status_code == 200, answer.text
        previewed: Json = answer.json()
        return previewed

    def send(self, body: Any, *, key: str | None = None, method: str = "POST", query: str = "", **headers: str) -> Any:
        """A statement as an LRS client sends it: HTTP Basic, the version header, no Idempotency-Key."""
        sent = {"x-experience-api-version": "1.0.3", **{name.replace("_", "-"): v for name, v in headers.items()}}
        return httpx.request(
            method, f"{self.ledger.url('issuance')}/xapi/statements{query}", json=body, verify=TLS,
            auth=("lms", key or self.institution.api_key), headers={n: v for n, v in sent.items() if v}, timeout=30,
        )  # fmt: skip

    def events(self) -> list[Json]:
        text = self.ledger.get("registry", "/v1/events?limit=100000", key=self.institution.api_key).text
        lines: list[Json] = [msgspec.json.decode(line) for line in text.splitlines()]
        return [line for line in lines if line["envelope"]["actor"]["role"] != "service"]

    def count(self, topic: str) -> int:
        return [event["type"] for event in self.events()].count(topic)


def school(ledger: Running, slug: str) -> School:
    institution = ledger.institution(slug)
    return School(ledger, institution, ledger.achievement(institution, result_descriptions=EXAM))


@pytest.fixture(scope="module")
def nova(ledger: Running) -> School:
    return school(ledger, "intake")


def new_statement(name: str, verb: str = "passed", **changed: Any) -> Json:
    """A statement of its own about this learner."""
    return statement(verb, **{"id": str(uuid.uuid4()), "actor": {"mbox": f"mailto:{name}@learner.example"}, **changed})


def test_a_result_is_recorded_corrected_and_withdrawn(nova: School) -> None:
    first = nova.result("rho@learner.example", result_description="exam", assessed_at="2026-02-28T10:00:00+01:00",
                        source="exam-office", evidence=[{"narrative": "Wrote about tides."}])  # fmt: skip
    assert first.status_code == 201, first.text
    made = first.json()
    assert nova.read(first.headers["location"]) == made
    assert (made["value"], made["assessed_at"], made["corrected"]) == ("87", "2026-02-28T09:00:00Z", False)
    assert made["evidence"] == [{**dict.fromkeys(made["evidence"][0]), "narrative": "Wrote about tides."}]

    corrected = nova.write(f"/v1/results/{made['id']}/correction", {"value": "91", "reason": "Counted anew."}).json()
    assert corrected == {**made, "value": "91", "corrected": True}
    withdrawn = nova.write(f"/v1/results/{made['id']}/withdrawal", {"reason_code": "plagiarism"}).json()
    assert withdrawn == {**corrected, "withdrawn": "plagiarism"} == nova.read(f"/v1/results/{made['id']}")

    again = nova.write(f"/v1/results/{made['id']}/correction", {"value": "92"})
    checked_problem(again, 422, "refused")


def test_a_retry_is_answered_from_the_first_events(nova: School) -> None:
    body = {"achievement_id": nova.achievement, "learner": {"email": "retry@learner.example"}, "value": "1"}
    first, second = (nova.write("/v1/results", body, idempotency_key="result-retry") for _ in range(2))
    fixed = [nova.write(f"{first.headers['location']}/correction", {"value": "2"}, idempotency_key="fix") for _ in "ab"]
    nova.write(f"{first.headers['location']}/correction", {"value": "3"})

    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert fixed[0].content == fixed[1].content
    late = nova.write(f"{first.headers['location']}/correction", {"value": "2"}, idempotency_key="fix")
    assert late.content == fixed[0].content  # as it was then, not as it reads now
    checked_problem(nova.write("/v1/results", {**body, "value": "9"}, idempotency_key="result-retry"), 422,
                    "idempotency_key_reused")  # fmt: skip


def test_an_external_id_is_given_once(nova: School) -> None:
    first = nova.result("ext@learner.example", external_id="sis/4711").json()

    checked_problem(nova.result("ext@learner.example", external_id="sis/4711"), 409, "already_recorded")
    other = nova.result("other@learner.example", external_id="sis/4711", on_duplicate="return")
    checked_problem(other, 409, "already_recorded")
    same = nova.result("ext@learner.example", external_id="sis/4711", on_duplicate="return")
    assert (same.status_code, same.json()) == (200, first)
    assert [one["id"] for one in nova.read("/v1/results?external_id=sis/4711")["data"]] == [first["id"]]
    assert nova.read("/v1/results?external_id=sis/4712")["data"] == []


def test_results_are_found_by_learner_achievement_and_time(nova: School) -> None:
    other = nova.ledger.achievement(nova.institution, "Other")
    early = nova.result("find@learner.example", assessed_at="2025-01-01T00:00:00Z").json()
    late = nova.result("find@learner.example", achievement_id=other, assessed_at="2025-06-01T00:00:00Z").json()

    def found(query: str) -> list[str]:
        return [one["id"] for one in nova.read(f"/v1/results?{query}")["data"]]

    assert found(f"learner_id={early['learner_id']}") == [late["id"], early["id"]]
    assert found(f"achievement_id={other}") == [late["id"]]
    assert found("assessed_until=2025-02-01T00:00:00Z") == [early["id"]]
    assert found("assessed_from=2025-02-01T00:00:00%2B01:00&assessed_until=2025-12-01T00:00:00Z") == [late["id"]]
    answer = nova.ledger.get("issuance", "/v1/results?assessed_from=June", key=nova.institution.api_key)
    checked_problem(answer, 400, "malformed")


def test_nothing_personal_lies_in_the_log_and_erasure_takes_the_outcome(nova: School) -> None:
    made = nova.result("gone@learner.example", value="value-77", status="Completed", external_id="ext-77").json()
    for event in nova.events():
        assert "value-77" not in str(event)
        assert "ext-77" not in str(event)
        assert "gone@" not in str(event)
    for service in ("issuance", "registry", "revocation"):
        assert "value-77" not in nova.ledger.log(service)

    assert nova.write(f"/v1/learners/{made['learner_id']}/erasure", {}).status_code == 200

    gone = nova.ledger.get("issuance", f"/v1/results/{made['id']}", key=nova.institution.api_key)
    checked_problem(gone, 410, "erased")
    checked_problem(nova.write(f"/v1/results/{made['id']}/correction", {"value": "1"}), 410, "gone")
    assert nova.read("/v1/results?external_id=ext-77")["data"] == []


def test_a_mapping_is_versioned_and_previewed_without_a_trace(nova: School) -> None:
    rule = {"item": "Final exam", "passed": True, "gives": ["result", "award"], "result_description": "exam"}
    mapping = nova.mapping("moodle_csv", rule, dates={"zone": "Europe/Berlin"})
    before = nova.events()

    said = nova.preview(mapping, COMPLETION.encode("utf-16"))

    counted = {name.removesuffix("_count"): said[name] for name in said if name.endswith("_count")}
    assert counted == {"row": 3, "result": 1, "award": 1, "already": 0, "nothing": 2, "fault": 0}
    (result, award) = said["rows"][0]["actions"]
    assert (said["rows"][0]["line"], result["kind"], award["kind"]) == (2, "result", "award")
    assert result["wish"]["assessed_at"] == award["wish"]["awarded_date"] == "2026-02-28T08:30:00Z"
    faulty = nova.preview(mapping, COMPLETION.replace("ada@learner.example", "").replace("m-1", "").encode())
    assert faulty["faults"] == [
        {"line": 2, "actions": [], "errors": [{"pointer": "/Email address", "detail": "names no learner"}]}
    ]
    assert nova.events() == before

    etag = nova.ledger.get("issuance", f"/v1/mappings/{mapping['id']}", key=nova.institution.api_key).headers["etag"]
    graded = {"item": "Course total (Real)", "achievement_id": nova.achievement, "at_least": "50"}
    body = {"name": "Grades", "source": "moodle_csv", "report": "grades", "rules": [graded]}
    second = nova.write(f"/v1/mappings/{mapping['id']}/versions", body, if_match=etag)
    assert second.status_code == 201, second.text
    checked_problem(nova.write(f"/v1/mappings/{mapping['id']}/versions", body, if_match=etag), 412, "stale")
    assert nova.preview(second.json(), GRADES.encode())["mapping_version"] == 2
    assert nova.read(f"/v1/mappings/{mapping['id']}?version=1") == mapping
    ended = nova.write(f"/v1/mappings/{mapping['id']}/withdrawal", {})
    assert ended.json()["withdrawn"] is True
    assert mapping["id"] in [one["id"] for one in nova.read("/v1/mappings")["data"]]


def test_a_file_that_is_none_is_a_problem_and_leaves_no_event(nova: School) -> None:
    mapping = nova.mapping("canvas_csv", {"item": "4711", "at_least": "10", "of": "20"})
    before = nova.events()

    for content in (b"", b"\xff\xfe\x00", b'"Student\nAda\n', b"\xff"):
        answer = httpx.post(
            f"{nova.ledger.url('issuance')}/v1/mappings/{mapping['id']}/preview", content=content, verify=TLS,
            headers={"authorization": f"Bearer {nova.institution.api_key}", "content-type": "text/csv"},
        )  # fmt: skip
        checked_problem(answer, 400, "malformed")
    assert nova.events() == before


def test_statements_become_what_their_preview_says_and_a_retry_changes_nothing(ledger: Running) -> None:
    nova = school(ledger, "intake-xapi")
    mapping = nova.mapping("xapi", {"item": ACTIVITY, "at_least": "50", "of": "100", "gives": ["result", "award"],
                                    "result_description": "exam"})  # fmt: skip
    batch = [new_statement("una"), new_statement("duo", result={"score": {"raw": 30, "max": 100}}),
             new_statement("una", "completed"), new_statement("eda", "experienced")]  # fmt: skip
    said = nova.preview(mapping, msgspec.json.encode(batch))

    first = nova.send(batch)

    assert (first.status_code, first.json()) == (200, [one["id"] for one in batch])
    assert first.headers["x-experience-api-version"] == "1.0.3"
    assert (nova.count("result.recorded"), nova.count("award.awarded")) == (said["result_count"], said["award_count"])
    assert (said["result_count"], said["award_count"], said["already_count"], said["nothing_count"]) == (2, 1, 1, 2)
    assert (first.headers["credledger-made"], first.headers["credledger-passed-by"]) == ("3", "2")
    before = nova.events()
    again = nova.send(batch, x_experience_api_version="2.0.0")
    assert (again.status_code, again.headers["credledger-made"]) == (200, "0")
    assert again.headers["x-experience-api-version"] == "2.0.0"
    put = nova.send(batch[0], method="PUT", query=f"?statementId={batch[0]['id'].upper()}")
    assert (put.status_code, put.content) == (204, b"")
    assert nova.events() == before

    (award,) = nova.read("/v1/awards")["data"]
    credential = nova.read(f"/v1/awards/{award['id']}")["credential"]
    assert credential["credentialSubject"]["result"][0]["value"] == "87.5"
    assert award["awarded_date"] == "2026-02-28T09:00:00Z"


def test_an_id_that_named_another_statement_is_a_conflict_and_the_batch_is_refused_whole(nova: School) -> None:
    nova.mapping("xapi", {"item": f"{ACTIVITY}/conflict", "passed": True})
    about = {"object": {"id": f"{ACTIVITY}/conflict"}}
    sent = new_statement("kay", **about)
    assert nova.send(sent).status_code == 200
    before = nova.events()

    other = nova.send([new_statement("kim", **about), {**sent, "result": {"score": {"raw": 1}}}])

    problem = checked_problem(other, 409, "conflict")
    assert [error["pointer"] for error in problem["errors"]] == ["/1/id"]
    assert other.headers["x-experience-api-version"] == "1.0.3"
    hashed = nova.send([new_statement("kim", **about), new_statement("kim", **about, actor={"mbox_sha1sum": "a" * 40})])
    problem = checked_problem(hashed, 400, "malformed")
    assert "names no learner" in problem["errors"][0]["detail"]
    assert nova.events() == before


def test_the_same_statement_at_once_leads_to_one_result_and_one_award(ledger: Running) -> None:
    nova = school(ledger, "intake-race")
    nova.mapping("xapi", {"item": ACTIVITY, "passed": True, "gives": ["result", "award"]})
    sent = new_statement("rae")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: nova.send(sent), range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert sum(int(answer.headers["credledger-made"]) for answer in answers) == 2
    assert (nova.count("result.recorded"), nova.count("award.awarded")) == (1, 1)


def test_a_voided_statement_withdraws_its_results_and_leaves_the_award(nova: School) -> None:
    nova.mapping("xapi", {"item": f"{ACTIVITY}/void", "passed": True, "gives": ["result", "award"]})
    sent = new_statement("vera", object={"id": f"{ACTIVITY}/void"})
    assert nova.send(sent).headers["credledger-made"] == "2"
    void = new_statement("admin", "voided", object={"objectType": "StatementRef", "id": sent["id"]}, result=...)

    first, second = nova.send(void), nova.send(void)

    assert [answer.headers["credledger-made"] for answer in (first, second)] == ["1", "0"]
    (result,) = [one for one in nova.read("/v1/results?limit=200")["data"] if one["withdrawn"] and _is_of(nova, one)]
    assert nova.read(f"/v1/results/{result['id']}")["withdrawn"] == "voided"
    (award,) = nova.read(f"/v1/awards?learner_id={result['learner_id']}")["data"]
    assert award["standing"] == "valid"
    assert nova.send(sent).headers["credledger-made"] == "0"  # voided for good: its id was given


def _is_of(nova: School, item: Json) -> bool:
    return bool(nova.read(f"/v1/results/{item['id']}")["mapping_id"])


def test_a_retry_meets_the_mapping_that_counted_when_the_statement_was_taken(ledger: Running) -> None:
    nova = school(ledger, "intake-later")
    mapping = nova.mapping("xapi", {"item": ACTIVITY, "passed": True})
    sent = new_statement("lea")
    nova.send(sent)
    body = {"name": "And an award", "source": "xapi",
            "rules": [{"item": ACTIVITY, "achievement_id": nova.achievement, "passed": True,
                       "gives": ["result", "award"]}]}  # fmt: skip
    etag = nova.ledger.get("issuance", f"/v1/mappings/{mapping['id']}", key=nova.institution.api_key).headers["etag"]
    assert nova.write(f"/v1/mappings/{mapping['id']}/versions", body, if_match=etag).status_code == 201
    before = nova.events()

    assert nova.send(sent).status_code == 200

    assert nova.events() == before
    assert nova.send(new_statement("lea")).headers["credledger-made"] == "2"


@pytest.mark.parametrize(
    ("headers", "query", "method"),
    [
        ({"x_experience_api_version": ""}, "", "POST"),
        ({"x_experience_api_version": "0.95"}, "", "POST"),
        ({"content_type": "multipart/mixed; boundary=x"}, "", "POST"),
        ({}, "?statementid=1", "POST"),
        ({}, "", "PUT"),
        ({}, f"?statementId={uuid.UUID(int=7)}", "PUT"),
    ],
)
def test_what_the_standard_refuses_is_400(nova: School, headers: dict[str, str], query: str, method: str) -> None:
    answer = nova.send(new_statement("neil"), method=method, query=query, **headers)

    checked_problem(answer, 400, "malformed")


def test_keys_open_what_their_scopes_say(nova: School) -> None:
    nova.mapping("xapi", {"item": f"{ACTIVITY}/scopes", "passed": True, "gives": ["award"]})
    only = nova.write("/v1/keys", {"name": "lrs", "scopes": ["results:write"]}).json()["api_key"]
    sent = new_statement("sue", object={"id": f"{ACTIVITY}/scopes"})
    before = nova.events()

    checked_problem(nova.send(sent, key=only), 403, "forbidden")
    checked_problem(nova.send(sent, key="cl_test_none"), 401, "unauthenticated")
    assert nova.send([], key=only).json() == []
    assert nova.events() == before
    about = nova.ledger.get("issuance", "/xapi/about")
    assert about.json() == {"version": ["1.0.3", "2.0.0"]}


def test_only_statements_may_come_with_http_basic(nova: School) -> None:
    answer = httpx.get(f"{nova.ledger.url('issuance')}/v1/results", auth=("lms", nova.institution.api_key), verify=TLS)

    checked_problem(answer, 401, "unauthenticated")
