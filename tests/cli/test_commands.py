"""The commands against a running ledger, as a person and as a script use them."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.conftest import Here
from tests.running import Institution

CLASS = (
    "\ufeffE-Mail;Name;Semester\r\n"
    "ada@learners.example;Ada Example;Autumn\r\n"
    ";Nobody;Autumn\r\n"
    "ADA@learners.example;Ada Example;Autumn\r\n"
    'bo@learners.example;"Sample; Bo";Autumn\r\n'
)


class School(Institution, frozen=True, kw_only=True):
    """An institution with an achievement and one award."""

    achievement: str
    award: dict[str, Any]


@pytest.fixture(scope="module")
def school(here: Here) -> School:
    made = here.ledger.institution("school")
    achievement = here.ledger.achievement(made)
    award = here.ledger.award(made, achievement, "ada@learner.example")
    return School(made.id, made.slug, made.did, made.api_key, achievement=achievement, award=award)


def awards_of(here: Here, school: School, achievement: str) -> int:
    listed = here.ledger.get("issuance", "/v1/awards?limit=200", key=school.api_key).json()["data"]
    return sum(award["achievement_id"] == achievement for award in listed)


def test_a_class_list_that_is_sent_one_by_one_is_awarded_once_however_often_it_is_run(
    here: Here, school: School, tmp_path: Path
) -> None:
    file, achievement = tmp_path / "class.csv", here.ledger.achievement(school)
    file.write_text(CLASS, newline="")
    command = ("award-csv", str(file), "--achievement", achievement, "--columns", "term=Semester", "--one-by-one",
               "--json")  # fmt: skip

    first = here.run(*command, API_KEY=school.api_key)
    again = here.run(*command, API_KEY=school.api_key)

    assert (first.status, again.status) == (1, 1), first.err + again.err
    answers = [json.loads(ended.out) for ended in (first, again)]
    assert [row["outcome"] for row in answers[0]["rows"]] == ["awarded", "refused", "repeated", "awarded"]
    assert [row["outcome"] for row in answers[1]["rows"]] == [
        "already_awarded",
        "refused",
        "repeated",
        "already_awarded",
    ]
    assert [row.get("award_id") for row in answers[0]["rows"]] == [row.get("award_id") for row in answers[1]["rows"]]
    assert awards_of(here, school, achievement) == 2
    assert (tmp_path / "class.csv.errors.csv").read_text("utf-8-sig").splitlines() == [
        "E-Mail,Name,Semester,error",
        f',Nobody,Autumn,"{answers[0]["rows"][1]["detail"]}"',
    ]
    assert "email, did and student_id" in answers[0]["rows"][1]["detail"]


def test_a_class_list_is_one_job_however_often_it_is_run(here: Here, school: School, tmp_path: Path) -> None:
    file, achievement = tmp_path / "class.csv", here.ledger.achievement(school)
    file.write_text(CLASS, newline="")
    command = ("award-csv", str(file), "--achievement", achievement, "--columns", "term=Semester")

    foreseen = here.run(*command, "--dry-run", "--json", API_KEY=school.api_key)
    first = here.run(*command, "--json", API_KEY=school.api_key)
    again = here.run(*command, API_KEY=school.api_key)

    assert [row["outlook"] for row in json.loads(foreseen.out)["rows"]] == ["ready", "refused", "repeated", "ready"]
    done = json.loads(first.out)
    assert done["job"]["outcome"] == {"awarded": 2, "refused": 1, "repeated": 1}
    assert [row["outcome"] for row in done["rows"]] == ["awarded", "refused", "repeated", "awarded"]
    assert (first.status, again.status) == (1, 1)
    assert "2 awarded, 1 refused, 1 repeated" in again.out
    assert "sent before" in again.err
    assert awards_of(here, school, achievement) == 2
    errors = (tmp_path / "class.csv.errors.csv").read_text("utf-8-sig")
    assert errors.startswith("E-Mail,Name,Semester,error\n,Nobody,Autumn,")


def test_awards_are_revoked_by_list(here: Here, school: School, tmp_path: Path) -> None:
    award = here.ledger.award(school, here.ledger.achievement(school))["id"]
    file = tmp_path / "revoke.csv"
    file.write_text(f"award\n{award}\n")

    ended = here.run("revoke-csv", str(file), "--reason-code", "issued_in_error", API_KEY=school.api_key)

    assert (ended.status, ended.out.splitlines()[-1]) == (0, "1 changed"), ended.err
    listed = here.run("jobs", "list", "--json", API_KEY=school.api_key)
    assert json.loads(listed.out)[0]["outcome"] == {"changed": 1}


def test_a_mended_error_file_awards_the_rest(here: Here, school: School, tmp_path: Path) -> None:
    file, achievement = tmp_path / "rest.csv.errors.csv", here.ledger.achievement(school)
    file.write_text("E-Mail,Name,error\ncy@learners.example,Cy Example,was wrong\n")

    ended = here.run("award-csv", str(file), "--achievement", achievement, API_KEY=school.api_key)

    assert (ended.status, ended.out.splitlines()[-1]) == (0, "1 awarded"), ended.err
    assert awards_of(here, school, achievement) == 1


def test_a_good_credential_is_verified_in_every_form(here: Here, school: School, tmp_path: Path) -> None:
    url = school.award["credential_url"]
    for suffix in (".json", ".jwt", ".png", ".svg"):
        file = tmp_path / f"badge{suffix}"
        file.write_bytes(httpx.get(url + suffix).content)

        ended = here.run("verify", str(file))

        assert ended.status == 0, ended.out + ended.err
        assert ended.out.splitlines()[-1] == "Verified."
        assert "✓ recorded" in ended.out


def test_verification_takes_an_address_standard_input_and_a_person(here: Here, school: School) -> None:
    credential = json.dumps(school.award["credential"]).encode()

    address = here.run("verify", school.award["credential_url"], "--json")
    owner = here.run("verify", "-", "--email", "ada@learner.example", entered=credential)
    other = here.run("verify", "-", "--email", "eve@learner.example", entered=credential)

    assert (address.status, json.loads(address.out)["verified"]) == (0, True)
    assert (owner.status, "✓ recipient" in owner.out) == (0, True)
    assert (other.status, "✗ recipient" in other.out) == (1, True)
    assert "eve@" not in other.out + other.err


def test_an_altered_credential_is_not_verified(here: Here, school: School) -> None:
    altered = json.dumps(school.award["credential"]).replace("Ada Example", "Ida Example").encode()

    ended = here.run("verify", "-", entered=altered)

    assert ended.status == 1
    assert "✗ proofs" in ended.out
    assert ended.out.splitlines()[-1] == "Not verified."


def test_what_is_no_credential_is_wrong_usage(here: Here, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a badge")

    ended = [here.run("verify", str(tmp_path / name)) for name in ("notes.txt", "missing.json")]

    assert [one.status for one in ended] == [2, 2]
    assert "verify the file as it was received" in ended[0].err
    assert "cannot be read" in ended[1].err


def test_the_operator_takes_institutions_in_and_out(here: Here) -> None:
    made = here.run(
        "institutions",
        "create",
        "cli-made",
        "--name",
        "Made by command (DEMO)",
        "--url",
        "https://made.example",
        "--json",
    )
    institution = json.loads(made.out)
    out = here.run("institutions", "suspend", institution["id"], "--reason-code", "unpaid", "--authority", "Rule 4")
    back = here.run("institutions", "reinstate", institution["id"], "--reason-code", "paid", "--authority", "Rule 4")
    listed = here.run("institutions", "list", "--json")

    assert institution["api_key"].startswith("cl_live_")
    assert institution["sandbox"]["api_key"].startswith("cl_test_")
    assert out.out == f"Made by command (DEMO) is suspended. It issues as {institution['did']}.\n", out.err
    assert back.out == f"Made by command (DEMO) is active. It issues as {institution['did']}.\n", back.err
    assert [i["active"] for i in json.loads(listed.out)["data"] if i["slug"] == "cli-made"] == [True]


def test_an_institution_manages_its_keys(here: Here, school: School) -> None:
    key = {"API_KEY": school.api_key}

    made = json.loads((here.run("keys", "create", "till", "--scopes", "awards:read", "--json", **key)).out)
    rotated = json.loads((here.run("keys", "rotate", made["id"], "--json", **key)).out)
    revoked = here.run("keys", "revoke", rotated["id"], **key)
    listed = json.loads((here.run("keys", "list", "--json", **key)).out)["data"]
    dead = here.run("keys", "list", API_KEY=rotated["api_key"])

    assert (rotated["name"], rotated["scopes"]) == ("till", ["awards:read"])
    assert revoked.out == f"{rotated['id']} (till) is revoked.\n"
    assert {one["id"]: one["revoked"] for one in listed if one["name"] == "till"} == {
        made["id"]: False,
        rotated["id"]: True,
    }
    assert (dead.status, dead.out) == (1, "")
    assert rotated["api_key"] not in dead.err


def test_a_refusal_is_one_sentence_with_the_bad_field(here: Here) -> None:
    ended = here.run("institutions", "create", "No Slug", "--name", "X", "--url", "https://x.example")

    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert "/slug" in ended.err


def test_the_replay_is_what_the_api_tells(here: Here, school: School) -> None:
    replayed = here.run("replay", DATABASE_URL=here.databases["registry"])
    lines = replayed.out.splitlines()

    told = here.ledger.get("registry", f"/v1/events?after=0&limit={len(lines)}", key=here.ledger.operator)

    assert replayed.status == 0, replayed.err
    assert [json.loads(line) for line in lines] == [json.loads(line) for line in told.text.splitlines()]


@pytest.mark.parametrize("service", ["issuance", "registry", "revocation"])
def test_rebuilt_tables_hash_as_the_live_ones(here: Here, school: School, service: str) -> None:
    secrets = {name: here.ledger.environment("revocation")[f"CREDLEDGER_{name}"] for name in SECRETS}

    ended = here.run("rebuild", service, "--json", DATABASE_URL=here.databases[service], **secrets)

    (rebuilt,) = json.loads(ended.out)
    assert (ended.status, rebuilt["changed"]) == (0, []), ended.err
    assert rebuilt["after"]


SECRETS = ("SERVER_SECRET", "KEY_PEPPER")


def test_a_service_that_is_none_is_named(here: Here) -> None:
    ended = here.run("rebuild", "billing", DATABASE_URL=here.databases["registry"])

    assert ended.status == 2
    assert ended.err == "credledger: There is no service 'billing': name issuance, registry, revocation.\n"
