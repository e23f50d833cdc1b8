"""Key-encryption keys over their life, and erasures after a restore: while awards go on, and through kill -9."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from tests import servers
from tests.journeys.problems import checked_problem
from tests.journeys.whole import Json, Whole
from tests.running import ROOT
from tests.servers import wait_until

from ledger.keyring import Keyring, keys_in, text_of
from ledger.vault import sealing

MANY = 12_000  # sealing anew takes long enough to be killed in the middle
VAULT = ("learners", "data_keys", "documents", "sealed_values")


def orphans(whole: Whole, count: int) -> None:
    """So many further data keys, sealed as the vault seals them now: learners who are never awarded are harmless."""
    epoch, kek = Keyring.parse(whole.ledger.secret("KEK")).current()
    rows = []
    for number in range(count):
        name = f"lrn_orphan{secrets.token_hex(8)}{number}"
        purpose = sealing.data_key_purpose(whole.institution.id, name)
        rows.append((whole.institution.id, name, epoch, sealing.seal(kek, secrets.token_bytes(12), bytes(32), purpose)))
    whole.many("INSERT INTO vault.data_keys VALUES ($1, $2, $3, $4)", rows)


def test_a_rotation_seals_everything_anew_while_awards_go_on_and_through_kill_9(whole: Whole) -> None:
    ledger = whole.ledger
    before = [whole.award(f"before{number}@learner.example") for number in range(3)]
    orphans(whole, MANY)
    (old,) = whole.sealed("data")
    total = whole.sealed("data")[old]

    epoch = whole.rotate("KEK")
    counted = "SELECT coalesce(sum(rewrapped), 0)::int AS n FROM vault.rewraps WHERE ring = 'data' AND epoch = $1"
    wait_until(lambda: whole.sql(counted, epoch)[0]["n"] > 0, 10, "re-wrapping has begun")
    ledger.kill("issuance")
    assert 0 < whole.sql(counted, epoch)[0]["n"] < total, "killed too late"
    ledger.start("issuance")
    during = whole.award("during@learner.example")
    wait_until(lambda: whole.rings()["data"]["left"] == 0, 30, "everything is sealed anew")

    wait_until(lambda: len(whole.events("kek.rewrapped")) == 1, 5, "the history says so")
    (done,) = whole.events("kek.rewrapped")
    assert done["data"] == {"ring": "data", "epoch": epoch, "rewrapped": {str(old): total}}
    assert whole.sealed("data") == {epoch: total + 1, old: 0}
    for number, award in enumerate(before):
        again = ledger.get("issuance", f"/v1/awards/{award['id']}", key=whole.institution.api_key).json()
        assert again["credential"] == award["credential"], number
    assert ledger.verify(credential=during["credential"])["verified"]


def test_two_processes_of_issuance_seal_anew_together_and_count_each_key_once(whole: Whole, tmp_path: Path) -> None:
    ledger = whole.ledger
    orphans(whole, 2_000)
    current, total = whole.rings()["data"]["current_epoch"], sum(whole.sealed("data").values())
    told = ledger.environment("issuance") | {
        "CREDLEDGER_PUBLIC_URL": ledger.url("registry"),
        "CREDLEDGER_STATUS_URL": ledger.url("revocation"),
        "CREDLEDGER_PORT": str(servers.free_port() - 1),
        "CREDLEDGER_ERASURE_LIST": str(tmp_path / "list.ndjson"),
    }
    url = f"http://localhost:{int(told['CREDLEDGER_PORT']) + 1}/readyz"
    second = subprocess.Popen([sys.executable, "-m", "issuance"], env=told, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: second.poll() is None and answers(url), 20, "the second issuance is ready")
        epoch = whole.rotate("KEK")
        wait_until(lambda: whole.rings()["data"]["left"] == 0 and whole.sealed("data")[epoch] == total, 20, "anew")
        wait_until(
            lambda: bool(done := whole.events("kek.rewrapped")) and done[-1]["data"]["epoch"] == epoch, 5, "said"
        )
    finally:
        second.send_signal(signal.SIGTERM)
        second.wait(20)

    said = [event["data"] for event in whole.events("kek.rewrapped") if event["data"]["epoch"] == epoch]
    assert said[-1]["rewrapped"] == {str(current): total}
    assert [e["data"]["epoch"] for e in whole.events("kek.epoch_begun") if e["data"]["ring"] == "data"].count(
        epoch
    ) == 1


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_revocation_signs_with_keys_of_either_epoch(whole: Whole) -> None:
    ledger, key = whole.ledger, whole.institution.api_key
    award = whole.award("signed@learner.example")

    def revoked_at_once(what: Json) -> None:
        done = ledger.post("revocation", f"/v1/awards/{what['id']}/revocation", {"reason_code": "other"}, key=key)
        assert done.status_code == 200, done.text
        listed = what["credential"]["credentialStatus"]["statusListCredential"]
        wait_until(lambda: ledger.verify(credential=what["credential"])["by_name"]["status"] == "failed", 5, "listed")
        assert ledger.verify(credential=httpx.get(listed).json())["by_name"]["proofs"] == "passed"

    epoch = whole.rotate("SIGNING_KEK")
    revoked_at_once(award)
    wait_until(lambda: whole.rings()["signing"]["left"] == 0 and whole.sealed("signing").get(epoch) == 4, 20, "anew")
    fresh = ledger.institution("fresh-under-the-new")
    revoked_at_once(whole.award("later@learner.example"))
    assert ledger.verify(credential=ledger.award(fresh, ledger.achievement(fresh))["credential"])["verified"]
    assert whole.sealed("signing")[epoch] == 8  # two algorithms, twice: each institution has a sandbox


def test_another_key_under_the_same_number_seals_nothing(whole: Whole) -> None:
    file = whole.ledger.keyring_file("KEK")
    good, keys = file.read_text(), keys_in(file.read_text())
    epoch = next(iter(keys))
    count = len(whole.events("kek.epoch_begun"))
    whole.ledger.kill("issuance")
    file.write_text(text_of({**keys, epoch: secrets.token_bytes(32)}))
    whole.ledger.start("issuance")

    wait_until(lambda: "key-encryption key refused" in whole.ledger.log("issuance"), 10, "it is said")
    assert len(whole.events("kek.epoch_begun")) == count

    whole.ledger.kill("issuance")
    file.write_text(good)
    whole.ledger.start("issuance")
    assert whole.award("right-again@learner.example")["position"] > 0


def run(script: str, whole: Whole, folder: Path) -> "subprocess.CompletedProcess[str]":
    """A block of a README, as a person would run it: `credledger` on the path, the keyrings in their files."""
    (folder / "bin").mkdir()
    command = folder / "bin" / "credledger"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m ledger.cli "$@"\n')
    command.chmod(0o755)
    (folder / "operator.key").write_text(whole.ledger.operator)
    told = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT / 'services'}",
        "CREDLEDGER_DATA": str(folder),
        "CREDLEDGER_PORT": str(whole.ledger.port),
        "CREDLEDGER_KEK_FILE": str(whole.ledger.keyring_file("KEK")),
        "CREDLEDGER_SIGNING_KEK_FILE": str(whole.ledger.keyring_file("SIGNING_KEK")),
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=told, capture_output=True, text=True, timeout=90, check=False
    )


def test_the_steps_of_the_operators_manual_rotate_both_keys(whole: Whole, tmp_path: Path) -> None:
    section = (ROOT / "deploy" / "README.md").read_text().split("## Key-encryption keys")[1].split("\n## ")[0]
    rotate, destroy, reapply = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    before = {ring: status["current_epoch"] for ring, status in whole.rings().items()}
    for ring, epoch in before.items():
        assert f"destroy-epoch {ring} 1\n" in destroy
        destroy = destroy.replace(f"destroy-epoch {ring} 1\n", f"destroy-epoch {ring} {epoch}\n")

    done = run(f"{rotate}\n{destroy}\n{reapply}", whole, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        f"Everything lies under data epoch {before['data'] + 1}, signing epoch {before['signing'] + 1}." in done.stdout
    )
    assert "Erasure horizon: 7 days (rotation every 7, backups kept 0)." in done.stdout
    for ring, name in (("data", "KEK"), ("signing", "SIGNING_KEK")):
        status = whole.rings()[ring]
        assert (status["current_epoch"], status["left"]) == (before[ring] + 1, 0)
        assert before[ring] not in keys_in(whole.ledger.secret(name))
        gone = next(epoch for epoch in status["epochs"] if epoch["epoch"] == before[ring])
        assert (gone["in_keyring"], gone["sealed"], gone["what_next"]) == (False, 0, "Destroyed.")
    acts = whole.events("kek.rewrap_ordered", "kek.epoch_destroyed")
    assert {act["envelope"]["actor"]["role"] for act in acts} == {"operator"}
    assert len(acts) == 3
    assert whole.ledger.verify(credential=whole.award("after-it-all@learner.example")["credential"])["verified"]


def test_an_epoch_that_is_needed_cannot_be_destroyed(whole: Whole) -> None:
    ring = whole.rings()["data"]
    current = ring["current_epoch"]

    def destroy(ring: str, epoch: int) -> httpx.Response:
        path = f"/v1/key-encryption/{ring}/epochs/{epoch}/destruction"
        return whole.ledger.post("issuance", path, None, key=whole.ledger.operator)

    checked_problem(destroy("data", current), 422, "refused")
    checked_problem(destroy("data", current + 7), 404, "not_found")
    checked_problem(destroy("nothing", 1), 404, "not_found")


def test_the_figures_tell_the_epoch_and_whether_a_rotation_is_overdue(whole: Whole) -> None:
    text = whole.ledger.get("issuance", "/metrics").text

    assert f'kek_epoch{{ring="data"}} {float(whole.rings()["data"]["current_epoch"])}' in text
    assert 'kek_rotation_overdue{ring="signing"} 0.0' in text
    assert 'kek_rewrap_running{ring="data"} 0.0' in text


def test_the_erasure_horizon_is_published_and_stands_in_the_log(whole: Whole) -> None:
    policy = {"kek_rotation_days": 7, "backup_retention_days": 0, "erasure_horizon_days": 7}

    answer = whole.ledger.get("registry", "/v1/policy")
    page = whole.ledger.get("registry", "/policy", accept="text/html")

    assert answer.json() == policy
    assert "<strong>7 days</strong>" in page.text
    assert [event["data"] for event in whole.events("ledger.policy_set")] == [policy]


def erased(whole: Whole, email: str) -> tuple[Json, Json]:
    award = whole.award(email)
    path = f"/v1/learners/{award['learner_id']}/erasure"
    answer = whole.ledger.post("issuance", path, {}, key=whole.institution.api_key)
    assert answer.status_code == 200, answer.text
    return award, answer.json()


def backup(whole: Whole) -> None:
    for table in VAULT:
        whole.sql(f"CREATE TABLE backup_{table} AS SELECT * FROM vault.{table}")


def restore(whole: Whole) -> None:
    for table in VAULT:
        whole.sql(f"INSERT INTO vault.{table} SELECT * FROM backup_{table} ON CONFLICT DO NOTHING")


def is_there(whole: Whole, award: Json) -> set[str]:
    """In which tables of the vault something of the award's learner lies."""
    mine = "SELECT 1 FROM vault.{} WHERE tenant = $1 AND pseudonym = $2"
    tables = ("learners", "data_keys", "documents")
    found = {t for t in tables if whole.sql(mine.format(t), whole.institution.id, award["learner_id"])}
    sealed = whole.sql("SELECT 1 FROM vault.sealed_values WHERE event = $1", award["position"])
    return found | ({"sealed_values"} if sealed else set())


def test_a_restored_backup_loses_again_what_was_erased_at_the_next_start(whole: Whole) -> None:
    kept = whole.award("kept@learner.example")
    gone = whole.award("restored@learner.example")
    backup(whole)
    path = f"/v1/learners/{gone['learner_id']}/erasure"
    assert whole.ledger.post("issuance", path, {}, key=whole.institution.api_key).status_code == 200
    assert is_there(whole, gone) == set()
    count = len(whole.events("erasures.reapplied"))

    whole.ledger.kill("issuance")
    restore(whole)
    assert is_there(whole, gone) == set(VAULT)
    whole.ledger.start("issuance")

    assert is_there(whole, gone) == set()
    assert is_there(whole, kept) == set(VAULT)
    assert httpx.get(gone["credential_url"]).status_code == 404
    assert httpx.get(kept["credential_url"]).status_code == 200
    done = whole.events("erasures.reapplied")
    assert len(done) == count + 1
    assert (done[-1]["data"]["reapplied"], done[-1]["data"]["unrecorded"]) == (1, 0)


def test_an_erasure_that_the_restored_log_lacks_is_applied_and_recorded_anew(whole: Whole) -> None:
    award = whole.award("from-the-list@learner.example")
    line = {"tenant": whole.institution.id, "learner": award["learner_id"], "position": 10**9,
            "at": "2026-03-01T12:00:00Z"}  # fmt: skip
    with whole.ledger.erasure_list.open("a") as listed:
        listed.write(json.dumps(line) + "\n")

    asked = ("issuance", "/v1/erasures/reapplication", None)
    done = whole.ledger.post(*asked, key=whole.ledger.operator, idempotency_key="reapply-once")
    again = whole.ledger.post(*asked, key=whole.ledger.operator, idempotency_key="reapply-once")

    assert done.status_code == 200, done.text
    assert (done.json()["reapplied"], done.json()["unrecorded"]) == (1, 1)
    assert again.json() == done.json()
    assert is_there(whole, award) == set()
    (fact,) = [e for e in whole.events("learner.erased") if e["stream"] == f"learner/{award['learner_id']}"]
    assert fact["data"] == {"reason_code": "reapplied_after_restore"}
    wait_until(lambda: "erasure applied again" in whole.ledger.log("issuance"), 5, "it is reported")


def test_every_erasure_is_listed_also_one_from_before_there_was_a_list(whole: Whole) -> None:
    award, answer = erased(whole, "listed@learner.example")

    def listed() -> dict[str, Json]:
        lines = [json.loads(line) for line in whole.ledger.erasure_list.read_text().splitlines()]
        return {line["learner"]: line for line in lines}

    entry = listed()[award["learner_id"]]
    assert (entry["tenant"], entry["position"]) == (whole.institution.id, answer["position"])
    assert set(entry) == {"tenant", "learner", "position", "at"}
    before = set(listed())
    real = {event["stream"].partition("/")[2] for event in whole.events("learner.erased")}

    whole.ledger.kill("issuance")
    whole.ledger.erasure_list.unlink()
    whole.ledger.start("issuance")
    wait_until(lambda: whole.ledger.erasure_list.exists() and set(listed()) == real, 10, "listed again")
    assert before == real
