"""Exports as whole files: what the preview says is what a job does, however often the file is sent."""

import csv
import io
from typing import Any

import httpx
import pytest
from tests.issuance.mappings import COMPLETION, GRADEBOOK, LINE_ITEMS, RESULTS, USERS, archive
from tests.journeys.problems import checked_problem
from tests.journeys.test_intake import School, school
from tests.running import TLS, Running
from tests.servers import wait_until

Json = dict[str, Any]
ENDED = {"checked", "completed"}
BOTH = {"gives": ["result", "award"], "result_description": "exam"}


def send(school: School, content: bytes, key: str, media_type: str = "text/csv", **asked: str) -> httpx.Response:
    """Hand a list in."""
    return httpx.post(
        f"{school.ledger.url('issuance')}/v1/jobs",
        params={"kind": "mapped", **asked},
        content=content,
        headers={
            "authorization": f"Bearer {school.institution.api_key}",
            "idempotency-key": key,
            "content-type": media_type,
        },
        timeout=30,
        verify=TLS,
    )


def job(school: School, content: bytes, key: str, media_type: str = "text/csv", **asked: str) -> Json:
    """A job that came to rest."""
    answer = send(school, content, key, media_type, **asked)
    assert answer.status_code == 202, answer.text
    path = f"/v1/jobs/{answer.json()['id']}"
    wait_until(lambda: school.read(path)["state"] in ENDED, 30, "the job rests")
    return school.read(path)


@pytest.fixture(scope="module")
def nova(ledger: Running) -> School:
    return school(ledger, "intake-files")


def test_a_moodle_export_does_what_its_preview_says_once(nova: School) -> None:
    mapping = nova.mapping(
        "moodle_csv", {"item": "Final exam", "passed": True, **BOTH}, dates={"zone": "Europe/Berlin"}
    )
    content = b"\xff\xfe" + COMPLETION.replace(",", "\t").encode("utf-16-le")
    said = nova.preview(mapping, content)

    done = job(nova, content, "moodle-1", mapping_id=mapping["id"])

    assert (said["result_count"], said["award_count"], said["nothing_count"]) == (1, 1, 2)
    assert done["outcome"] == {"awarded": 1, "nothing": 2}
    assert (done["mapping_id"], done["mapping_version"]) == (mapping["id"], 1)
    assert (nova.count("result.recorded"), nova.count("award.awarded")) == (1, 1)
    (row,) = nova.read(f"/v1/jobs/{done['id']}/rows?said=awarded")["data"]
    award = nova.read(f"/v1/awards/{row['award_id']}")
    assert award["awarded_date"] == "2026-02-28T08:30:00Z"
    assert nova.ledger.verify(url=award["credential_url"], recipient={"email": "ada@learner.example"})["verified"]

    again = job(nova, content, "moodle-2", mapping_id=mapping["id"])

    assert (again["outlook"], again["outcome"]) == ({"held": 1, "nothing": 2}, {"returned": 1, "nothing": 2})
    assert (nova.count("result.recorded"), nova.count("award.awarded")) == (1, 1)
    assert nova.preview(mapping, content)["already_count"] == 2


def test_faulty_canvas_rows_come_back_and_are_mended(nova: School) -> None:
    mapping = nova.mapping("canvas_csv", {"item": "4711", "at_least": "5", "of": "20"})
    content = GRADEBOOK.replace("17.50", "seventeen").encode()

    done = job(nova, content, "canvas-1", mapping_id=mapping["id"])

    assert done["outcome"] == {"recorded": 1, "refused": 1, "nothing": 1}
    answer = nova.ledger.get("issuance", f"/v1/jobs/{done['id']}/errors", key=nova.institution.api_key)
    (headings, *rows) = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert headings == [*GRADEBOOK.split("\n")[0].split(","), "error"]
    assert [row[0] for row in rows] == ["Example, Ada"]
    assert "/Final exam (4711): is no number" in rows[0][-1]

    mended = job(nova, answer.content.replace(b"seventeen", b"17.50"), "canvas-2", mapping_id=mapping["id"])

    assert mended["outcome"] == {"recorded": 1}


def test_a_row_that_names_two_learners_at_once_is_refused_by_preview_and_job_alike(nova: School) -> None:
    nova.result("one@learner.example", learner={"email": "one@learner.example"})
    nova.result("", learner={"student_id": "two-2"})
    mapping = nova.mapping("moodle_csv", {"item": "Final exam", "completed": True})
    content = (
        b",Email address,ID number,Final exam,\nOne,one@learner.example,two-2,Completed,\n"
        b"Three,three@learner.example,three-3,Completed,\n"
    )

    said = nova.preview(mapping, content)
    done = job(nova, content, "two-learners", mapping_id=mapping["id"])

    assert (said["fault_count"], said["result_count"]) == (1, 1)
    assert "different learners" in said["faults"][0]["errors"][0]["detail"]
    assert (done["outlook"], done["outcome"]) == ({"ready": 1, "refused": 1}, {"recorded": 1, "refused": 1})


def test_a_oneroster_archive_is_sent_as_it_is(nova: School) -> None:
    packed = archive(results=RESULTS, users=USERS, lineItems=LINE_ITEMS)
    mapping = nova.mapping("oneroster_csv", {"item": "li-exam", "at_least": "10", "of": "20"})

    done = job(nova, packed, "oneroster-1", "application/zip", mapping_id=mapping["id"], dry_run="true")

    assert (done["state"], done["outlook"]) == ("checked", {"nothing": 3, "ready": 1, "refused": 1})
    checked_problem(send(nova, packed, "zip-1", "application/zip", kind="results"), 415, "unsupported_media_type")


def test_results_come_as_lists_too(nova: School) -> None:
    lines = (
        f'{{"achievement_id": "{nova.achievement}", "learner": {{"email": "n{n}@learner.example"}}, "value": "{n}"}}\n'
        for n in range(3)
    )
    table = "email,grade,external_id\nlist@learner.example,88,sis-1\nlist@learner.example,89,sis-2\n,1,sis-3\n"

    ndjson = job(nova, "".join(lines).encode(), "list-1", "application/x-ndjson", kind="results")
    listed = job(nova, table.encode(), "list-2", kind="results", achievement_id=nova.achievement)

    assert ndjson["outcome"] == {"recorded": 3}
    assert listed["outcome"] == {"recorded": 2, "refused": 1}
    (found,) = nova.read("/v1/results?external_id=sis-2")["data"]
    assert nova.read(f"/v1/results/{found['id']}")["value"] == "89"


def test_an_export_names_a_mapping_that_reads_files_and_is_the_senders(nova: School) -> None:
    statements = nova.mapping("xapi", {"item": "https://lms.nova.example/x", "passed": True})["id"]
    files = nova.mapping("moodle_csv", {"item": "Final exam", "passed": True})["id"]
    ended = nova.mapping("moodle_csv", {"item": "Final exam", "passed": True})["id"]
    nova.write(f"/v1/mappings/{ended}/withdrawal", {})
    stranger = nova.ledger.institution("intake-files-stranger")
    before, content = nova.events(), COMPLETION.encode()

    checked_problem(send(nova, content, "none"), 400, "malformed")
    checked_problem(send(nova, content, "achievement", mapping_id=files, achievement_id=nova.achievement), 400,
                    "malformed")  # fmt: skip
    checked_problem(send(nova, content, "kind", kind="awards", mapping_id=files), 400, "malformed")
    checked_problem(send(nova, content, "xapi", mapping_id=statements), 422, "refused")
    checked_problem(send(nova, content, "ended", mapping_id=ended), 422, "refused")
    checked_problem(send(nova, content, "version", mapping_id=files, mapping_version="2"), 404, "not_found")
    theirs = School(nova.ledger, stranger, nova.achievement)
    checked_problem(send(theirs, content, "theirs", mapping_id=files), 404, "not_found")
    assert nova.events() == before


def test_a_job_that_awards_needs_a_key_that_may(nova: School) -> None:
    mapping = nova.mapping("moodle_csv", {"item": "Final exam", "passed": True, "gives": ["award"]})["id"]
    only = nova.write("/v1/keys", {"name": "lms", "scopes": ["results:write", "jobs:write"]}).json()["api_key"]
    weak = School(nova.ledger, type(nova.institution)("", "", "", only), nova.achievement)

    waiting = job(nova, COMPLETION.encode(), "waiting", mapping_id=mapping, dry_run="true")

    for refused in (
        send(weak, COMPLETION.encode(), "weak", mapping_id=mapping),
        weak.write(f"/v1/jobs/{waiting['id']}/start", {}),
    ):
        assert "awards:write" in checked_problem(refused, 403, "forbidden")["detail"]
