"""Signing keys over their life: rotated by schedule, asked what they signed, stolen, and everything issued anew."""

import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests import servers
from tests.journeys.problems import checked_problem
from tests.journeys.whole import Json, Whole
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger.proofs import methods_of


class School:
    """An institution with an achievement, over whichever ledger."""

    def __init__(self, ledger: Running) -> None:
        self.ledger = ledger
        self.institution: Institution = ledger.institution(f"signing-{secrets.token_hex(4)}")
        self.achievement = ledger.achievement(self.institution)

    def award(self, name: str) -> Json:
        made: Json = self.ledger.award(self.institution, self.achievement, f"{name}@learner.example")
        return made

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.ledger.call(method, "issuance", path, body, key=self.institution.api_key)

    def get(self, path: str) -> Json:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        said: Json = answer.json()
        return said

    def key(self, algorithm: str = "Ed25519") -> str:
        keys = self.get("/v1/signing-keys")["keys"]
        (active,) = [k for k in keys if k["algorithm"] == algorithm and not k["retired"] and not k["compromised"]]
        return str(active["id"])

    def signed(self, key_id: str, query: str = "") -> list[Json]:
        page: list[Json] = self.get(f"/v1/signing-keys/{key_id}/signed?limit=200{query}")["data"]
        return page

    def rotate(self) -> None:
        assert self.ask("POST", "/v1/signing-keys/rotation").status_code == 200

    def revoke(self, award: Json) -> None:
        body = {"reason_code": "issued_in_error"}
        path = f"/v1/awards/{award['id']}/revocation"
        assert self.ledger.post("revocation", path, body, key=self.institution.api_key).status_code == 200

    def document(self, award_id: str) -> Json:
        found: Json = self.get(f"/v1/awards/{award_id}")
        return found


@pytest.fixture
def school(ledger: Running) -> School:
    return School(ledger)


def test_what_a_key_signed_is_told_page_by_page_and_for_no_other_key(school: School) -> None:
    first, old = [school.award(f"a{n}") for n in range(3)], school.key()
    school.rotate()
    second, new = [school.award(f"b{n}") for n in range(2)], school.key()

    assert [d["award_id"] for d in school.signed(old)] == [award["id"] for award in first]
    assert [d["award_id"] for d in school.signed(new)] == [award["id"] for award in second]
    for award, document in zip(first, school.signed(old), strict=True):
        assert document["position"] == award["position"]
        assert (document["standing"], document["current"], document["before_compromise"]) == ("valid", True, None)
        assert {m.partition("#")[2] for m in methods_of(award["credential"])} == {old}
    page = school.get(f"/v1/signing-keys/{old}/signed?limit=2")
    rest = school.get(f"/v1/signing-keys/{old}/signed?limit=2&cursor={page['next_cursor']}")
    assert [d["award_id"] for d in page["data"] + rest["data"]] == [award["id"] for award in first]


def test_what_was_signed_before_and_after_a_time_can_be_told_apart(school: School) -> None:
    early, key = school.award("early"), school.key()
    between = datetime.now(UTC)
    late = school.award("late")
    stamp = between.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    assert [d["award_id"] for d in school.signed(key, f"&recorded_before={stamp}")] == [early["id"]]
    assert [d["award_id"] for d in school.signed(key, f"&recorded_after={stamp}")] == [late["id"]]
    answer = school.ask("POST", f"/v1/signing-keys/{key}/compromise", {"compromised_since": stamp})
    assert answer.status_code == 200, answer.text
    assert [d["before_compromise"] for d in school.signed(key)] == [True, False]
    checked_problem(school.ask("GET", f"/v1/signing-keys/{key}/signed?recorded_after=2026-01-01T00:00:00"), 400,
                    "malformed")  # fmt: skip


def test_the_drill_marks_lists_and_issues_anew_what_a_stolen_key_signed(school: School) -> None:
    kept = [school.award(f"kept{n}") for n in range(3)]
    revoked, key = school.award("revoked"), school.key()
    school.revoke(revoked)
    checked_problem(school.ask("POST", f"/v1/signing-keys/{key}/reissue", {}), 422, "refused")
    assert school.ask("POST", f"/v1/signing-keys/{key}/compromise", {}).status_code == 200

    ordered = school.ask("POST", f"/v1/signing-keys/{key}/reissue", {"reason_code": "key_compromised"})

    assert ordered.status_code == 202, ordered.text
    assert (ordered.json()["documents"], ordered.json()["completed"]) == (4, False)
    path = f"/v1/signing-keys/{key}/reissue"
    wait_until(lambda: school.get(path)["completed"], 15, "everything is issued anew")
    assert school.get(path)["left"] == 1
    for award in kept:
        anew = school.document(award["id"])
        assert anew["credential_url"] != award["credential_url"]
        assert {m.partition("#")[2] for m in methods_of(anew["credential"])} == {school.key()}
        assert anew["credential"]["credentialSubject"] == award["credential"]["credentialSubject"]
        wait_until(lambda a=anew: school.ledger.verify(credential=a["credential"])["verified"], 5, "it holds")  # type: ignore[misc]
    wait_until(lambda: school.ledger.verify(credential=kept[0]["credential"])["by_name"]["status"] == "failed", 5,
               "the old copy is superseded")  # fmt: skip
    assert school.document(revoked["id"])["credential"] == revoked["credential"]
    assert [(d["standing"], d["current"]) for d in school.signed(key)] == [("valid", False)] * 3 + [("revoked", True)]
    assert {d["award_id"] for d in school.signed(school.key())} == {award["id"] for award in kept}


def test_keys_rotate_by_themselves_when_their_time_has_come_and_only_once(school: School) -> None:
    old = school.key()
    award = school.award("before-the-rotation")
    past = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    future = (datetime.now(UTC) + timedelta(days=3)).isoformat()

    later = school.ask("PUT", "/v1/signing-keys/schedule", {"every_days": 30, "starting": future})
    assert later.json()["rotate_every_days"] == 30
    assert school.key() == old
    due = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    set_now = school.ask("PUT", "/v1/signing-keys/schedule", {"every_days": 30, "starting": due})
    assert set_now.status_code == 200, set_now.text

    wait_until(lambda: school.key() != old, 15, "the key is fresh")
    rotated = school.get("/v1/signing-keys")["keys"]
    assert [key["retired"] is None for key in rotated] == [False, False, True, True]
    assert school.ledger.verify(credential=award["credential"])["verified"]
    assert school.ledger.verify(credential=school.award("after-it")["credential"])["verified"]

    # A beginning long ago: the keys are fresher than the last scheduled time, so nothing is due.
    school.ask("PUT", "/v1/signing-keys/schedule", {"every_days": 30, "starting": past})
    lifted = school.ask("PUT", "/v1/signing-keys/schedule", {})
    assert (lifted.json()["rotate_every_days"], lifted.json()["next_rotation"]) == (None, None)
    assert school.get("/v1/signing-keys")["keys"] == rotated


def test_issuing_anew_goes_on_after_kill_9_and_doubles_nothing(whole: Whole) -> None:
    ledger, school = whole.ledger, School(whole.ledger)
    awards = [school.award(f"many{n}") for n in range(40)]
    key = school.key()
    school.rotate()
    path = f"/v1/signing-keys/{key}/reissue"
    assert school.ask("POST", path, {"reason_code": "key_ceremony"}).status_code == 202
    made = "SELECT count(*)::int AS n FROM ledger.events WHERE topic = 'award.corrected'"
    before = whole.sql(made)[0]["n"]

    wait_until(lambda: whole.sql(made)[0]["n"] >= before + 2, 15, "it has begun")
    ledger.kill("issuance")
    assert whole.sql(made)[0]["n"] < before + len(awards), "killed too late"
    ledger.start("issuance")
    wait_until(lambda: school.get(path)["completed"], 30, "everything is issued anew")

    assert school.get(path)["left"] == 0
    documents = school.signed(key)
    assert [(d["award_id"], d["current"]) for d in documents] == [(award["id"], False) for award in awards]
    assert sorted(d["award_id"] for d in school.signed(school.key())) == sorted(award["id"] for award in awards)
    histories = whole.sql("SELECT stream_id, version FROM ledger.streams WHERE stream_id = ANY($1)",
                          [f"award/{award['id']}" for award in awards])  # fmt: skip
    assert {row["version"] for row in histories} == {2}


def test_two_processes_rotate_what_is_due_once(whole: Whole, tmp_path: Any) -> None:
    ledger, schools = whole.ledger, [School(whole.ledger) for _ in range(3)]
    told = ledger.environment("issuance") | {
        "CREDLEDGER_PUBLIC_URL": ledger.url("registry"),
        "CREDLEDGER_STATUS_URL": ledger.url("revocation"),
        "CREDLEDGER_PORT": str(servers.free_port() - 1),
        "CREDLEDGER_ERASURE_LIST": str(tmp_path / "list.ndjson"),
    }
    second = subprocess.Popen([sys.executable, "-m", "issuance"], env=told, stderr=subprocess.DEVNULL)
    try:
        due = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        for school in schools:
            answer = school.ask("PUT", "/v1/signing-keys/schedule", {"every_days": 1, "starting": due})
            assert answer.status_code == 200, answer.text
        for school in schools:
            wait_until(lambda s=school: len(s.get("/v1/signing-keys")["keys"]) > 2, 20, "rotated")  # type: ignore[misc]
    finally:
        second.terminate()
        second.wait(20)

    for school in schools:
        assert len(school.get("/v1/signing-keys")["keys"]) == 4
