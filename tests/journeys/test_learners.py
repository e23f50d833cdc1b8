"""An institution's record of a learner: read and changed; what was issued stays, and who is who is never confused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from tests.conftest import run_apart
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger import ids

Json = dict[str, Any]
OLD, NEW = "ada@old.example", "ada@new.example"


def mail(address: str) -> Json:
    return {"kind": "email", "value": address}


def read(ledger: Running, institution: Institution, learner: str) -> httpx.Response:
    return ledger.get("issuance", f"/v1/learners/{learner}", key=institution.api_key)


def update(ledger: Running, institution: Institution, learner: str, body: Any, **headers: str) -> httpx.Response:
    """A change of what stands there now, unless another ETag is given."""
    if "if_match" not in headers:
        headers["if_match"] = read(ledger, institution, learner).headers["etag"]
    return ledger.call("PUT", "issuance", f"/v1/learners/{learner}", body, key=institution.api_key, **headers)


def made(ledger: Running, slug: str) -> tuple[Institution, str, Json]:
    """An institution, its achievement, and an award of it to Ada."""
    institution = ledger.institution(slug)
    achievement = ledger.achievement(institution)
    return institution, achievement, ledger.award(institution, achievement, OLD)


def test_a_learner_is_read_as_awarded_and_changed_without_touching_what_was_issued(ledger: Running) -> None:
    institution, achievement, award = made(ledger, "learner-update")
    learner = award["learner_id"]
    first = read(ledger, institution, learner)
    assert first.json() == {"id": learner, "name": "Ada Example", "identifiers": [mail(OLD)], "version": 0}
    assert first.headers["etag"] == '"0"'

    body = {"name": "Ada King", "identifiers": [mail("Ada@New.Example "), {"kind": "student_id", "value": "S-1"}]}
    changed = update(ledger, institution, learner, body)

    assert changed.status_code == 200, changed.text
    assert changed.json() == {
        "id": learner, "name": "Ada King", "version": 1,
        "identifiers": [mail(NEW), {"kind": "student_id", "value": "S-1"}],
    }  # fmt: skip
    assert changed.headers["etag"] == '"1"'
    assert read(ledger, institution, learner).json() == changed.json()
    assert httpx.get(award["credential_url"]).json() == award["credential"]
    assert ledger.verify(credential=award["credential"])["verified"]
    assert ledger.verify(credential=award["credential"], recipient={"email": OLD})["verified"]

    second = ledger.achievement(institution, "More Data")
    assert ledger.award(institution, second, NEW)["learner_id"] == learner  # what joined names the learner
    assert ledger.award(institution, achievement, OLD)["learner_id"] != learner  # what was taken out does not
    assert read(ledger, institution, learner).json()["name"] == "Ada King"


def test_the_institution_may_then_correct_what_it_issued(ledger: Running) -> None:
    institution, _, award = made(ledger, "learner-then-correct")
    path = f"/v1/awards/{award['id']}/correction"
    body = {"changes": {"learner": {"name": "Ada King", "email": NEW}}, "reason_code": "name_changed"}
    early = ledger.post("issuance", path, body, key=institution.api_key)
    assert checked_problem(early, 422, "refused")["errors"][0]["pointer"] == "/changes/learner/email"

    assert update(ledger, institution, award["learner_id"], {"name": "Ada King", "identifiers": [mail(NEW)]}).is_success
    corrected = ledger.post("issuance", path, body, key=institution.api_key)

    assert corrected.status_code == 200, corrected.text
    whose = {"email": NEW, "name": "Ada King"}
    assert ledger.verify(credential=corrected.json()["credential"], recipient=whose)["verified"]


def test_the_same_update_again_answers_the_same_and_one_that_changes_nothing_records_nothing(ledger: Running) -> None:
    institution, _, award = made(ledger, "learner-retry")
    learner, body = award["learner_id"], {"name": "Ada King", "identifiers": [mail(NEW)]}
    first = update(ledger, institution, learner, body, idempotency_key="once")
    update(ledger, institution, learner, {"name": "Ada Queen", "identifiers": [mail(NEW)]})
    again = update(ledger, institution, learner, body, idempotency_key="once", if_match='"0"')
    same = update(ledger, institution, learner, {"name": "Ada Queen", "identifiers": [mail(NEW)]})

    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert (same.json()["version"], same.json()["name"]) == (2, "Ada Queen")


def test_a_change_of_what_was_not_read_is_refused_and_leaves_no_identifier_behind(ledger: Running) -> None:
    institution, achievement, award = made(ledger, "learner-stale")
    learner = award["learner_id"]
    update(ledger, institution, learner, {"identifiers": [mail(OLD)], "name": "Ada King"})
    body = {"identifiers": [mail("other@learner.example")]}

    checked_problem(update(ledger, institution, learner, body, if_match='"0"'), 412, "stale")
    missing = ledger.call("PUT", "issuance", f"/v1/learners/{learner}", body, key=institution.api_key)
    checked_problem(missing, 428, "precondition_required")

    assert ledger.award(institution, achievement, "other@learner.example")["learner_id"] != learner


def test_an_identifier_of_another_learner_is_refused(ledger: Running) -> None:
    institution, achievement, award = made(ledger, "learner-taken")
    ledger.award(institution, achievement, "eve@learner.example")
    body = {"identifiers": [mail(OLD), mail("eve@learner.example")]}

    refused = checked_problem(update(ledger, institution, award["learner_id"], body), 422, "refused")

    assert [error["pointer"] for error in refused["errors"]] == ["/identifiers/1"]
    assert "eve" not in str(refused)
    assert read(ledger, institution, award["learner_id"]).json()["identifiers"] == [mail(OLD)]


@pytest.mark.parametrize(("body", "pointer"), [
    ({"name": "Ada"}, "/identifiers"),
    ({"identifiers": []}, "/identifiers"),
    ({"identifiers": [mail("nobody")]}, "/identifiers/0/value"),
    ({"identifiers": [{"kind": "phone", "value": "1"}]}, "/identifiers/0/kind"),
    ({"identifiers": [mail(OLD), mail(OLD)]}, "/identifiers/1"),
    ({"identifiers": [mail(OLD)], "name": ""}, "/name"),
    ({"identifiers": [mail(OLD)], "phone": "1"}, "/phone"),
])  # fmt: skip
def test_what_cannot_be_a_record_is_named(ledger: Running, body: Json, pointer: str) -> None:
    if not hasattr(ledger, "unrecorded"):
        ledger.unrecorded = made(ledger, "unrecorded")  # type: ignore[attr-defined]
    institution, _, award = ledger.unrecorded  # type: ignore[attr-defined]

    problem = checked_problem(update(ledger, institution, award["learner_id"], body), 400, "malformed")

    assert pointer in [error["pointer"] for error in problem["errors"]], problem


def test_neither_a_stranger_nor_anybody_after_the_erasure_reads_or_changes(ledger: Running) -> None:
    institution, achievement, award = made(ledger, "learner-erased")
    stranger, learner = ledger.institution("learner-stranger"), award["learner_id"]
    body = {"identifiers": [mail(NEW)], "name": "Ada King"}
    assert update(ledger, institution, learner, body).is_success

    for whose, which in ((stranger, learner), (institution, "lrn_" + "a" * 26), (institution, institution.id)):
        assert read(ledger, whose, which).status_code == 404
        assert update(ledger, whose, which, body, if_match="*").status_code == 404
    assert ledger.post("issuance", f"/v1/learners/{learner}/erasure", {}, key=institution.api_key).is_success

    checked_problem(read(ledger, institution, learner), 410, "erased")
    checked_problem(update(ledger, institution, learner, body, if_match="*"), 410, "erased")
    assert ledger.award(institution, achievement, NEW)["learner_id"] != learner


def test_two_updates_at_once_are_one_and_a_refusal(ledger: Running) -> None:
    institution, achievement, award = made(ledger, "learner-race")
    learner, addresses = award["learner_id"], [f"{name}@race.example" for name in ("one", "two")]

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(
            lambda address: update(ledger, institution, learner, {"identifiers": [mail(address)]}, if_match='"0"'),
            addresses,
        ))  # fmt: skip

    assert sorted(answer.status_code for answer in answers) == [200, 412], [answer.text for answer in answers]
    (kept,) = [address for address, answer in zip(addresses, answers, strict=True) if answer.is_success]
    (lost,) = set(addresses) - {kept}
    assert ledger.award(institution, ledger.achievement(institution, "More"), kept)["learner_id"] == learner
    assert ledger.award(institution, achievement, lost)["learner_id"] != learner


def test_the_log_holds_nothing_of_it_in_the_clear(ledger: Running) -> None:
    institution, _, award = made(ledger, "learner-sealed")
    body = {"name": "Zelda Quickfoot", "identifiers": [mail("zelda@quickfoot.example")]}
    assert update(ledger, institution, award["learner_id"], body).is_success

    lines = ledger.get("registry", "/v1/events?limit=100000", key=ledger.operator).text.splitlines()
    (event,) = [line for line in lines if f"learner/{award['learner_id']}" in line]

    assert msgspec.json.decode(event)["data"] == {"changed": ["name", "email"]}
    assert {item["n"] for item in msgspec.json.decode(event)["envelope"]["pd"]} == {"name", "identifiers", "removed"}
    assert "uickfoot" not in event


def test_an_update_that_a_kill_left_half_done_is_finished_after_the_start(ledger: Running) -> None:
    institution, achievement, award = made(ledger, "learner-killed")
    learner = award["learner_id"]
    assert update(ledger, institution, learner, {"identifiers": [mail(NEW)], "name": "Ada King"}).is_success
    told = ledger.environment("issuance")
    secret = bytes.fromhex(told["CREDLEDGER_SERVER_SECRET"])
    old, new = (ids.keyed(secret, "credledger/identifier/v1", institution.id, "email", one) for one in (OLD, NEW))

    async def ask(statement: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(told["CREDLEDGER_DATABASE_URL"])
        rows: list[Any] = await connection.fetch(statement, *arguments)
        await connection.close()
        return rows

    # What kill -9 between COMMIT and the vault leaves: the old address still there; and the new one, as after a race.
    ledger.kill("issuance")
    run_apart(ask("INSERT INTO vault.learners VALUES ($1, $2, $3)", institution.id, old, learner))
    run_apart(ask("DELETE FROM vault.learners WHERE identifier_hash = $1", new))
    ledger.start("issuance")

    def known() -> set[bytes]:
        rows = run_apart(ask("SELECT identifier_hash FROM vault.learners WHERE pseudonym = $1", learner))
        return {row["identifier_hash"] for row in rows}

    wait_until(lambda: known() == {new}, 20, "the follower has finished it")
    assert ledger.award(institution, achievement, OLD)["learner_id"] != learner
