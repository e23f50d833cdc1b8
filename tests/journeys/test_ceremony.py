"""A key ceremony: an institution's signing keys leave the vault sealed, and come into one that had lost them."""

import base64
import json
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.cli.running import Ended, credledger
from tests.journeys.problems import checked_problem
from tests.journeys.test_signing_keys import School
from tests.journeys.whole import Json, Whole

from ledger.keyring import Keyring
from ledger.keys.ceremony import Export, NotOpened, opened
from ledger.vault import sealing

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def school(whole: Whole) -> School:
    return School(whole.ledger)


class Ceremony:
    """Runs `credledger keys …` as the operator, with a key pair made for the occasion."""

    def __init__(self, whole: Whole, folder: Path) -> None:
        self._whole, self._folder = whole, folder
        (folder / "operator.key").write_text(whole.ledger.operator)
        self.private = folder / "ceremony.pem"
        made = self.run("ceremony-key", str(self.private), "--json")
        assert made.status == 0, made.err
        self.recipient = json.loads(made.out)["recipient"]

    def run(self, *arguments: str, **settings: str) -> Ended:
        told = {"PORT": str(self._whole.ledger.port), "PASSPHRASE": PASSPHRASE, **settings}
        return credledger("keys", *arguments, data=self._folder, **told)

    def export(self, institution: str, name: str = "keys.json") -> Path:
        out = self._folder / name
        ended = self.run("export", institution, "--to", self.recipient, "--out", str(out))
        assert ended.status == 0, ended.err
        return out

    def take_in(self, file: Path, **settings: str) -> Ended:
        return self.run("import", str(file), "--private-key", str(self.private), **settings)


@pytest.fixture
def ceremony(whole: Whole, tmp_path: Path) -> Ceremony:
    return Ceremony(whole, tmp_path)


def privates(whole: Whole, tenant: str) -> list[bytes]:
    """The institution's private keys, opened from the vault as a service opens them."""
    keyring = Keyring.parse(whole.ledger.secret("SIGNING_KEK"))
    rows = whole.sql("SELECT key_id, epoch, sealed FROM vault.signing_keys WHERE tenant = $1", tenant)
    return [
        sealing.unseal(keyring.key(r["epoch"]), r["sealed"], sealing.signing_key_purpose(tenant, r["key_id"]))
        for r in rows
    ]


def written(secret: bytes) -> list[bytes]:
    """How a secret could stand in a file."""
    return [secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret).rstrip(b"=")]


def events(whole: Whole, school: School, kind: str) -> list[Json]:
    return [e for e in whole.events(kind) if e["envelope"]["inst"] == school.institution.id]


def lose(whole: Whole, school: School) -> None:
    """Take the institution's private keys out of the vault, as a vault would be that never had them."""
    whole.ledger.kill("issuance")
    whole.sql("DELETE FROM vault.signing_keys WHERE tenant = $1", school.institution.id)
    whole.ledger.start("issuance")


def test_exported_keys_come_into_a_vault_without_them_and_sign_the_same_as_before(
    whole: Whole, school: School, ceremony: Ceremony
) -> None:
    award, secrets = school.award("before-the-ceremony"), privates(whole, school.institution.id)
    file = ceremony.export(school.institution.id)
    lose(whole, school)
    body = {"achievement_id": school.achievement, "learner": {"email": "keyless@learner.example"}}
    asked = ("issuance", "/v1/awards", body)
    lost = school.ledger.post(*asked, key=school.institution.api_key, idempotency_key="keyless")
    checked_problem(lost, 503, "signing_key_gone")

    ended = ceremony.take_in(file, API_KEY=whole.ledger.operator)

    assert ended.status == 0, ended.err
    assert ended.out == f"2 keys of {school.institution.did} are in the vault; their public keys are unchanged.\n"
    assert sorted(privates(whole, school.institution.id)) == sorted(secrets)
    signed = school.ledger.post(*asked, key=school.institution.api_key, idempotency_key="keyless")
    assert signed.status_code == 201, signed.text
    assert school.ledger.verify(credential=signed.json()["credential"])["verified"]
    assert school.document(award["id"])["credential"] == award["credential"]
    (exported,) = events(whole, school, "issuer.keys_exported")
    (imported,) = events(whole, school, "issuer.keys_imported")
    assert set(exported["data"]["key_ids"]) == set(imported["data"]["key_ids"]) == {k["id"] for k in stated(file)}
    assert exported["envelope"]["actor"]["role"] == imported["envelope"]["actor"]["role"] == "operator"
    on_disk = file.read_bytes() + ceremony.private.read_bytes() + whole.ledger.log("issuance").encode()
    assert [form for secret in secrets for form in written(secret) if form in on_disk] == []
    assert file.stat().st_mode & 0o777 == ceremony.private.stat().st_mode & 0o777 == 0o600


def stated(file: Path) -> list[Json]:
    keys: list[Json] = json.loads(file.read_text())["keys"]
    return keys


def test_a_file_that_was_altered_or_is_for_another_opens_nothing(
    whole: Whole, school: School, ceremony: Ceremony
) -> None:
    good = json.loads(ceremony.export(school.institution.id).read_text())
    other = json.loads(ceremony.export(School(whole.ledger).institution.id, "other.json").read_text())
    flipped = good["sealed"][:60] + ("A" if good["sealed"][60] != "A" else "B") + good["sealed"][61:]
    altered = {
        "does not open": [{"sealed": flipped}, {"keys": other["keys"]}, {"did": other["did"]}],
        "sealed for another recipient": [{"recipient": "A" * 43}],
        "of the format": [{"format": "credledger-signing-keys/v9"}],
    }
    private = load_pem_private_key(ceremony.private.read_bytes(), PASSPHRASE.encode())
    assert isinstance(private, X25519PrivateKey)
    assert len(opened(msgspec.convert(good, Export), private)) == 2
    for sentence, changes in altered.items():
        for change in changes:
            with pytest.raises(NotOpened, match=sentence):
                opened(msgspec.convert({**good, **change}, Export), private)
    (strange := ceremony.private.with_name("strange.json")).write_text('{"keys": []}')

    assert "is no export" in ceremony.take_in(strange).err
    wrong = ceremony.take_in(ceremony.private.with_name("keys.json"), PASSPHRASE="wrong one")
    assert "does not open" in wrong.err
    assert events(whole, school, "issuer.keys_imported") == []


def test_keys_of_another_or_compromised_keys_come_into_no_vault(
    whole: Whole, school: School, ceremony: Ceremony
) -> None:
    file = ceremony.export(school.institution.id)
    key = school.key()
    assert school.ask("POST", f"/v1/signing-keys/{key}/compromise", {}).status_code == 200
    mine = json.loads(file.read_text())

    refused = ceremony.take_in(file)
    theirs = whole.ledger.post(
        "issuance", f"/v1/institutions/{whole.institution.id}/signing-key-imports", mine, key=whole.ledger.operator
    )

    assert refused.status == 1
    assert "compromised" in refused.err
    checked_problem(theirs, 422, "refused")
    assert key not in [k["id"] for k in stated(ceremony.export(school.institution.id, "after.json"))]


def test_only_the_operator_takes_keys_out(whole: Whole, school: School, ceremony: Ceremony) -> None:
    ended = ceremony.run("export", school.institution.id, "--to", ceremony.recipient, "--out", "never.json",
                         API_KEY=school.institution.api_key)  # fmt: skip
    bad = ceremony.run("export", school.institution.id, "--to", "nonsense", "--out", "never.json")

    assert "vault:write" in ended.err
    assert "/recipient" in bad.err
    assert not Path("never.json").exists()
