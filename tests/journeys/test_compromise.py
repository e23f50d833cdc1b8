"""Stolen keys, borrowed names, rotations: each forgery fails or warns by exactly its name, and what was genuine counts.

The thief of these tests has the institution's real private key, opened from the vault, and signs as the ledger does.
"""

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from openvc.proof.di_jcs import EddsaJcsProofSuite
from tests.conftest import run_apart
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger.dids import did_key
from ledger.errors import Unavailable
from ledger.keyring import Keyring
from ledger.keys import VaultKeys
from ledger.proofs import LocalSigner, Outcome, judge, methods_of, secure, vc_jwt
from ledger.proofs.keys import from_multibase

Json = dict[str, Any]


class Place(msgspec.Struct, frozen=True):
    """An institution with an achievement and a genuine award of it, from before anything happened."""

    ledger: Running
    institution: Institution
    achievement: str
    award: Json

    @property
    def credential(self) -> Json:
        found: Json = self.award["credential"]
        return found

    def key(self, algorithm: str) -> Json:
        """The institution's active key of an algorithm, as its profile tells it."""
        profile = self.ledger.get("issuance", "/v1/profile", key=self.institution.api_key).json()
        return next(
            k for k in profile["keys"] if k["algorithm"] == algorithm and not k["retired"] and not k["compromised"]
        )

    def stolen(self, algorithm: str = "Ed25519") -> LocalSigner:
        """The private key, opened from the vault with the key-encryption key of a service."""
        return self.private(self.key(algorithm)["id"])

    def private(self, key_id: str) -> LocalSigner:
        told = self.ledger.environment("revocation")

        async def opened() -> Any:
            async with asyncpg.create_pool(told["CREDLEDGER_DATABASE_URL"], min_size=1, max_size=1) as pool:
                keys = VaultKeys(pool, Keyring.parse(self.ledger.secret("SIGNING_KEK")))
                return await keys.signer(key_id, f"{self.institution.did}#{key_id}")

        signer: LocalSigner = run_apart(opened())
        return signer

    def post(self, path: str, body: Any = None) -> Json:
        answer = self.ledger.post("issuance", path, body, key=self.institution.api_key)
        assert answer.status_code == 200, answer.text
        said: Json = answer.json()
        return said

    def compromise(self, key_id: str, **body: str) -> Json:
        return self.post(f"/v1/signing-keys/{key_id}/compromise", body)

    def forgery(self, signer: LocalSigner, *, created: datetime | None = None) -> Json:
        """A badge that the ledger never made, signed as it signs."""
        return secure(self.unsigned(), signer, created or datetime.now(UTC))

    def unsigned(self) -> Json:
        body = {name: value for name, value in self.credential.items() if name != "proof"}
        address = self.credential["id"].rpartition("/")[0]
        return {**body, "id": f"{address}/{secrets.token_urlsafe(16)}", "name": "Master of Everything"}

    def did_document(self) -> Json:
        answer = httpx.get(f"{self.ledger.url('registry')}/issuers/{self.institution.slug}/did.json")
        assert answer.status_code == 200
        document: Json = answer.json()
        return document


def place(ledger: Running, slug: str) -> Place:
    institution = ledger.institution(slug)
    achievement = ledger.achievement(institution)
    return Place(ledger, institution, achievement, ledger.award(institution, achievement))


@pytest.fixture
def robbed(ledger: Running) -> Place:
    return place(ledger, f"robbed-{secrets.token_hex(4)}")


def faults(verdict: Json) -> set[str]:
    """The names of the checks that failed."""
    return {name for name, status in verdict["by_name"].items() if status == "failed"}


def test_a_badge_signed_with_a_stolen_key_outside_the_ledger_fails_at_recorded_alone(robbed: Place) -> None:
    forged = robbed.forgery(robbed.stolen())
    token = vc_jwt.sign(robbed.unsigned(), robbed.stolen("P-256"))

    verdicts = [robbed.ledger.verify(credential=forged), robbed.ledger.verify(jwt=token)]

    for verdict in verdicts:
        assert faults(verdict) == {"recorded"}
        assert verdict["by_name"]["proofs"] == "passed"
        assert not verdict["verified"]


def test_a_badge_back_dated_before_the_compromise_fails_at_its_key_once_that_is_reported(robbed: Place) -> None:
    thief, yesterday = robbed.stolen(), datetime.now(UTC) - timedelta(days=1)
    forged = robbed.forgery(thief, created=yesterday)
    assert faults(robbed.ledger.verify(credential=forged)) == {"recorded"}

    robbed.compromise(thief.verification_method.partition("#")[2])

    wait_until(lambda: faults(robbed.ledger.verify(credential=forged)) == {"recorded", "key_at_time"}, 1.0, "known")
    verdict = robbed.ledger.verify(credential=forged)
    (check,) = [check for check in verdict["checks"] if check["name"] == "key_at_time"]
    assert "in other hands" in check["detail"]
    assert not verdict["issuer_recognised"]


def test_what_was_recorded_before_the_compromise_still_counts_in_every_form(robbed: Place) -> None:
    url, key = robbed.award["credential_url"], robbed.key("Ed25519")
    jwt = httpx.get(url, headers={"accept": "application/vc+jwt"}).text
    before = httpx.get(url).content

    robbed.compromise(key["id"])
    robbed.compromise(robbed.key("P-256")["id"])
    seen = robbed.did_document()
    wait_until(lambda: "revoked" in str(robbed.did_document()), 1.0, f"the compromise is known: {seen}")

    assert httpx.get(url).content == before
    for verdict in (robbed.ledger.verify(credential=robbed.credential), robbed.ledger.verify(jwt=jwt)):
        assert verdict["verified"], verdict
        assert verdict["issuer_recognised"]
        (check,) = [check for check in verdict["checks"] if check["name"] == "key_at_time"]
        assert "recorded before" in check["detail"]


def test_after_a_compromise_a_new_key_signs_and_the_old_one_is_destroyed(robbed: Place) -> None:
    old = robbed.key("Ed25519")["id"]

    answer = robbed.compromise(old)
    again = robbed.ledger.award(robbed.institution, robbed.achievement)

    new = robbed.key("Ed25519")["id"]
    assert new != old
    compromised = {key["id"]: key["compromised"] is not None for key in answer["keys"]}
    assert (compromised[old], compromised[new]) == (True, False)
    assert set(methods_of(again["credential"])) == {f"{robbed.institution.did}#{new}"}
    assert robbed.ledger.verify(credential=again["credential"])["verified"]
    with pytest.raises(Unavailable):
        robbed.private(old)
    assert robbed.compromise(old)["keys"] == answer["keys"]  # to say it twice changes nothing


def test_the_did_document_tells_outsiders_of_rotation_and_compromise(robbed: Place) -> None:
    first, p256 = robbed.key("Ed25519")["id"], robbed.key("P-256")["id"]
    did = robbed.institution.did

    def told(key_id: str) -> tuple[set[str], bool]:
        """Which ends a method names, and whether it is for assertions."""
        document = robbed.did_document()
        (method,) = [method for method in document["verificationMethod"] if method["id"] == f"{did}#{key_id}"]
        return method.keys() & {"expires", "revoked"}, method["id"] in document["assertionMethod"]

    assert (told(first), told(p256)) == ((set(), True), (set(), True))

    robbed.post("/v1/signing-keys/rotation")
    second = robbed.key("Ed25519")["id"]
    assert (told(first), told(second)) == (({"expires"}, True), (set(), True))

    robbed.compromise(second)
    third = robbed.key("Ed25519")["id"]
    assert (told(first), told(second), told(third)) == (({"expires"}, True), ({"revoked"}, False), (set(), True))

    robbed.compromise(first)  # a retired key can be found stolen later
    assert told(first)[1] is False
    assert "revoked" in told(first)[0]


def test_rotation_keeps_old_credentials_verifiable_here_and_for_strangers(robbed: Place) -> None:
    old = set(methods_of(robbed.credential))

    for _ in range(2):
        robbed.post("/v1/signing-keys/rotation")
    new = robbed.ledger.award(robbed.institution, robbed.achievement)["credential"]

    assert set(methods_of(new)).isdisjoint(old)
    keys = {m["id"]: m.get("publicKeyMultibase") for m in robbed.did_document()["verificationMethod"]}
    for credential in (robbed.credential, new):
        verdict = robbed.ledger.verify(credential=credential)
        assert verdict["verified"], verdict
        assert verdict["issuer_recognised"]
        known = {method: from_multibase(str(keys[method])) for method in methods_of(credential)}
        assert [one.outcome for one in judge(credential, known)] == [Outcome.VERIFIED] * 2
        (method,) = known
        (jcs,) = [proof for proof in credential["proof"] if proof["cryptosuite"] == "eddsa-jcs-2022"]
        EddsaJcsProofSuite().verify({**credential, "proof": jcs}, public_key_jwk=known[method].jwk())


def test_a_stolen_key_that_was_only_retired_is_still_stopped_by_not_being_recorded(robbed: Place) -> None:
    thief = robbed.stolen()
    robbed.post("/v1/signing-keys/rotation")

    assert faults(robbed.ledger.verify(credential=robbed.forgery(thief))) == {"recorded"}


def test_a_stolen_key_cannot_sign_for_another_institution(robbed: Place, ledger: Running) -> None:
    other = place(ledger, f"other-{secrets.token_hex(4)}")
    forged = secure(other.unsigned(), robbed.stolen(), datetime.now(UTC))

    verdict = ledger.verify(credential=forged)

    assert faults(verdict) == {"key_at_time", "recorded"}
    assert not verdict["issuer_recognised"]


def test_a_did_key_badge_that_bears_an_institutions_name_is_amber(robbed: Place) -> None:
    private = secrets.token_bytes(32)
    did = did_key(from_multibase(LocalSigner("Ed25519", private, "").public_key))
    impostor = LocalSigner("Ed25519", private, f"{did}#{did.removeprefix('did:key:')}")
    borrowed = {"id": f"urn:uuid:{uuid.uuid4()}", "issuer": {**robbed.credential["issuer"], "id": did}}
    body = {name: value for name, value in robbed.unsigned().items() if name != "credentialStatus"}

    verdict = robbed.ledger.verify(credential=secure({**body, **borrowed}, impostor, datetime.now(UTC)))

    (check,) = [check for check in verdict["checks"] if check["name"] == "issuer_recognised"]
    assert faults(verdict) == set()
    assert check["status"] == "skipped"
    assert "nobody here vouches for the name" in check["detail"]
    assert verdict["issuer_recognised"] is False
