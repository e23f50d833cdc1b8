"""What each command appends to the log: every command of the command table has a recipe here, or this file fails.

To add a command, add one line: to RECIPES with the events that it appends (type and number), or to APPENDS_NOTHING.
What services append by themselves, leases and status lists, is not counted.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec
import pytest
from cyclopts import App
from tests.cli.conftest import Here
from tests.elsewhere import Elsewhere
from tests.running import Institution

from ledger.cli.app import app
from ledger.cli.demo.content import Content

Words = tuple[str, ...]
WHY = ("--reason-code", "board_decision", "--authority", "Ministry of Education")
PASSPHRASE = "correct horse battery staple"


class World(msgspec.Struct):
    """A ledger, an institution with an achievement and an award, and a folder for files."""

    here: Here
    school: Institution
    achievement: str
    credential: Path
    folder: Path
    elsewhere: Elsewhere
    count: int = 0

    def fresh(self, name: str) -> str:
        """A name that no other recipe uses."""
        self.count += 1
        return f"{name}-{self.count}"

    def institution(self) -> str:
        return self.here.ledger.institution(self.fresh("counted")).id

    def suspended(self) -> str:
        institution = self.institution()
        path, why = f"/v1/institutions/{institution}/suspension", {"reason_code": "unpaid", "authority": "Board"}
        answer = self.here.ledger.post("issuance", path, why, key=self.here.ledger.operator)
        assert answer.is_success, answer.text
        return institution

    def placed(self) -> Words:
        """An institution whose DID document lies at another host, and its DID there."""
        institution, name = self.institution(), self.fresh("placed")
        did = self.elsewhere.did(name)
        path = f"/v1/institutions/{institution}/did-document?did={quote(did)}"
        document = self.here.ledger.get("issuance", path, key=self.here.ledger.operator).json()["document"]
        self.elsewhere.put(name, document)
        return institution, "--did", did

    def key_id(self) -> str:
        answer = self.here.ledger.post("issuance", "/v1/keys", {"name": "counted"}, key=self.school.api_key)
        return str(answer.json()["id"])

    def signing_key(self) -> str:
        """The school's active key for embedded proofs."""
        facts = self.here.ledger.get("issuance", "/v1/signing-keys", key=self.school.api_key).json()
        active = [k for k in facts["keys"] if k["algorithm"] == "Ed25519" and not (k["retired"] or k["compromised"])]
        return str(active[0]["id"])

    def retired_key(self) -> str:
        """A key that signed one award and was retired."""
        ledger, rotation = self.here.ledger, "/v1/signing-keys/rotation"
        assert ledger.post("issuance", rotation, None, key=self.school.api_key).status_code == 200
        key_id = self.signing_key()
        ledger.award(self.school, self.achievement, f"{self.fresh('rotated')}@learner.example")
        assert ledger.post("issuance", rotation, None, key=self.school.api_key).status_code == 200
        return key_id

    def exporting(self, *, exported: bool = False) -> tuple[Words, Words]:
        """The arguments that export the school's keys, and those that import them, with a key pair made for it."""
        private, out = (str(self.folder / self.fresh(name)) for name in ("private", "export"))
        made = self.here.run("keys", "ceremony-key", private, "--json", PASSPHRASE=PASSPHRASE)
        exporting = (self.school.id, "--to", json.loads(made.out)["recipient"], "--out", out)
        if exported:
            assert self.here.run("keys", "export", *exporting).status == 0
        return exporting, (out, "--private-key", private)

    def old_epoch(self) -> Words:
        """An epoch of the data keys' ring under which nothing lies any more."""
        old = self.here.ledger.get("issuance", "/v1/key-encryption", key=self.here.ledger.operator).json()["rings"][0]
        for command in ("new-epoch", "rewrap"):
            assert self.here.run("keys", command).status == 0
        return old["ring"], str(old["current_epoch"])

    def class_list(self, learners: int) -> str:
        file = self.folder / f"{self.fresh('class')}.csv"
        rows = [f"{self.fresh('learner')}@learner.example,Sample Learner" for _ in range(learners)]
        file.write_text("\n".join(["email,name", *rows]) + "\n")
        return str(file)

    def award_list(self) -> str:
        """A file that names an award of its own."""
        file = self.folder / f"{self.fresh('awards')}.csv"
        file.write_text(f"award_id\n{self.here.ledger.award(self.school, self.achievement)['id']}\n")
        return str(file)

    def job(self) -> str:
        """A job that is at work for a while and appends nothing: nobody knows the awards that it names."""
        rows = "".join(f"nobodys-{n}\n" for n in range(8_000))
        headers = {
            "authorization": f"Bearer {self.school.api_key}",
            "idempotency-key": self.fresh("job"),
            "content-type": "text/csv",
        }
        url = f"{self.here.ledger.url('issuance')}/v1/jobs"
        asked = {"kind": "suspensions", "reason_code": "other"}
        answer = httpx.post(url, params=asked, content=f"external_id\n{rows}", headers=headers, timeout=30)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    def paused_job(self) -> str:
        job = self.job()
        answer = self.here.ledger.post("issuance", f"/v1/jobs/{job}/pause", {}, key=self.school.api_key)
        assert answer.is_success, answer.text
        return job

    def events(self) -> Counter[str]:
        """How many events of each type somebody has caused, over the whole log."""
        ledger = self.here.ledger
        text = ledger.get("registry", "/v1/events?limit=100000", key=ledger.operator).text
        lines = [json.loads(line) for line in text.splitlines()]
        return Counter(line["type"] for line in lines if line["envelope"]["actor"]["role"] != "service")


class Recipe(msgspec.Struct, frozen=True):
    """A command's arguments, whose key it acts with, and what it appends."""

    arguments: Callable[[World], Words]
    appends: dict[str, int]
    own_key: bool = False  # the institution's rather than the operator's
    in_sandbox: bool = False  # the sandbox's


RECIPES: dict[str, Recipe] = {
    "institutions create": Recipe(
        lambda w: (w.fresh("made-by-command"), "--name", "Made (DEMO)", "--url", "https://made.example"),
        # The institution and its sandbox.
        {"institution.created": 2, "issuer.key_changed": 4, "access.key_created": 2},
    ),
    "institutions sandbox": Recipe(lambda w: (w.institution(),), {"access.key_created": 1}),
    "trigger": Recipe(lambda _: ("learner.erased",), {"award.awarded": 1, "learner.erased": 1}, in_sandbox=True),
    "institutions suspend": Recipe(lambda w: (w.institution(), *WHY), {"institution.suspended": 1}),
    "institutions reinstate": Recipe(lambda w: (w.suspended(), *WHY), {"institution.reinstated": 1}),
    "institutions rename": Recipe(
        lambda w: (w.institution(), "--name", w.fresh("Renamed"), *WHY), {"institution.renamed": 1}
    ),
    "institutions close": Recipe(
        lambda w: (w.institution(), "--successor", w.school.id, *WHY), {"institution.closed": 1}
    ),
    "institutions merge": Recipe(lambda w: (w.institution(), "--into", w.school.id, *WHY), {"institution.merged": 1}),
    "institutions move": Recipe(lambda w: (*w.placed(), *WHY), {"institution.moved": 1}),
    "keys create": Recipe(lambda w: (w.fresh("key"),), {"access.key_created": 1}, own_key=True),
    "keys rotate": Recipe(lambda w: (w.key_id(),), {"access.key_created": 1, "access.key_expiry_set": 1}, own_key=True),
    "keys revoke": Recipe(lambda w: (w.key_id(),), {"access.key_revoked": 1}, own_key=True),
    "award-csv": Recipe(
        lambda w: (w.class_list(learners=3), "--achievement", w.achievement),
        {"job.created": 1, "job.started": 1, "award.awarded": 3},
        own_key=True,
    ),
    "keys compromise": Recipe(lambda w: (w.signing_key(),), {"issuer.key_changed": 2}, own_key=True),
    "keys schedule": Recipe(lambda _: ("--every-days", "90"), {"issuer.key_schedule_set": 1}, own_key=True),
    "keys reissue": Recipe(
        lambda w: (w.retired_key(),),
        {"issuer.reissue_ordered": 1, "award.corrected": 1, "issuer.reissue_completed": 1},
        own_key=True,
    ),
    "keys export": Recipe(lambda w: w.exporting()[0], {"issuer.keys_exported": 1}),
    "keys import": Recipe(lambda w: w.exporting(exported=True)[1], {"issuer.keys_imported": 1}),
    # That an epoch began is recorded by the service that notices it.
    "keys new-epoch": Recipe(lambda _: ("--ring", "signing"), {}),
    "keys rewrap": Recipe(lambda _: (), {"kek.rewrap_ordered": 1}),
    "keys destroy-epoch": Recipe(lambda w: w.old_epoch(), {"kek.epoch_destroyed": 1}),
    "erasures reapply": Recipe(lambda _: (), {"erasures.reapplied": 1}),
    "revoke-csv": Recipe(
        lambda w: (w.award_list(), "--reason-code", "issued_in_error"),
        {"job.created": 1, "job.started": 1, "award.revoked": 1},
        own_key=True,
    ),
    "jobs pause": Recipe(lambda w: (w.job(),), {"job.paused": 1}, own_key=True),
    "jobs resume": Recipe(lambda w: (w.paused_job(),), {"job.resumed": 1}, own_key=True),
    "jobs cancel": Recipe(lambda w: (w.job(),), {"job.cancelled": 1}, own_key=True),
    # Its first loading, and what that appends, is the fixture's; from then on it finds everything there.
    "demo": Recipe(lambda _: (), {}),
}
APPENDS_NOTHING: dict[str, Callable[[World], Words]] = {
    "verify": lambda w: (str(w.credential),),
    "replay": lambda _: (),
    "rebuild": lambda _: ("registry",),
    "migrate": lambda _: (),
    "institutions list": lambda _: (),
    "jobs list": lambda w: ("--key", w.school.api_key),
    "institutions place": lambda w: (w.school.id, "--did", "did:web:badges.made.example"),
    "keys list": lambda _: (),
    "keys status": lambda _: (),
    "keys ceremony-key": lambda w: (str(w.folder / w.fresh("ceremony")),),
    "keys signed": lambda w: (w.signing_key(), "--key", w.school.api_key),
}


def commands(table: App = app, path: Words = ()) -> Iterator[str]:
    """Every command by its words, from the command table itself."""
    names = [name for name in table if not name.startswith("-")]
    if not names:
        yield " ".join(path)
    for name in names:
        yield from commands(table[name], (*path, name))


@pytest.fixture(scope="module")
def world(here: Here, elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> World:
    school, folder = here.ledger.institution("counted-school"), tmp_path_factory.mktemp("files")
    achievement = here.ledger.achievement(school)
    credential = folder / "credential.json"
    credential.write_text(json.dumps(here.ledger.award(school, achievement)["credential"]))
    # The achievement of which samples are awards is published by the first of them.
    assert here.run("trigger", "award.awarded", API_KEY=school.its_sandbox.api_key).status == 0
    return World(here, school, achievement, credential, folder, elsewhere)


def run(world: World, command: str, arguments: Words, **settings: str) -> None:
    ended = world.here.run(*command.split(), *arguments, PASSPHRASE=PASSPHRASE, **settings)
    assert ended.status == 0, ended.err + ended.out


def test_every_command_has_a_recipe_here() -> None:
    assert sorted(commands()) == sorted([*RECIPES, *APPENDS_NOTHING])


@pytest.mark.parametrize("command", RECIPES)
def test_a_command_appends_what_it_should(world: World, demo: Content, command: str) -> None:
    recipe = RECIPES[command]
    arguments = recipe.arguments(world)
    before = world.events()

    acting = world.school.its_sandbox if recipe.in_sandbox else world.school if recipe.own_key else None
    run(world, command, arguments, **({"API_KEY": acting.api_key} if acting else {}))

    assert dict(world.events() - before) == recipe.appends


@pytest.mark.parametrize("command", APPENDS_NOTHING)
def test_a_command_that_only_reads_or_rebuilds_appends_nothing(world: World, demo: Content, command: str) -> None:
    databases = world.here.databases
    before = world.events()

    settings = {"OWNER_DATABASE_URL": databases["owner"], "DATABASE_URL": databases["registry"]}
    run(world, command, APPENDS_NOTHING[command](world), **settings)

    assert world.events() == before
