"""Awards signed by keys in a hardware module: verified like any other, and byte for byte the same when asked again."""

from collections.abc import Iterator

import httpx
import pytest
from tests.journeys.test_signing_keys import School
from tests.journeys.whole import Json, Whole
from tests.servers import wait_until
from tests.softhsm import soft_hsm


@pytest.fixture
def school(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """An institution whose keys lie in a token of SoftHSM; afterwards the services go on without it."""
    told = soft_hsm(tmp_path_factory.mktemp("token")).environment
    whole.ledger.set(**told)
    restart(whole, "issuance", "revocation")
    yield School(whole.ledger)
    whole.ledger.set(CREDLEDGER_PKCS11_MODULE="")
    restart(whole, "issuance", "revocation")


def restart(whole: Whole, *services: str) -> None:
    for service in services:
        whole.ledger.kill(service)
    whole.ledger.start(*services)


def forms(award: Json) -> list[bytes]:
    kinds = ("application/vc", "application/vc+jwt")
    return [httpx.get(award["credential_url"], headers={"accept": kind}).content for kind in kinds]


def test_an_award_signed_in_the_module_verifies_and_stays_the_same(whole: Whole, school: School) -> None:
    before = whole.award("from-before-the-module@learner.example")
    body = {"achievement_id": school.achievement, "learner": {"email": "hsm@learner.example", "name": "Ada Example"}}
    asked = ("issuance", "/v1/awards", body)

    first = school.ledger.post(*asked, key=school.institution.api_key, idempotency_key="in-the-module")
    told = forms(first.json())
    again = school.ledger.post(*asked, key=school.institution.api_key, idempotency_key="in-the-module")
    restart(whole, "issuance", "revocation")
    later = school.ledger.post(*asked, key=school.institution.api_key, idempotency_key="in-the-module")

    assert first.status_code == 201, first.text
    assert first.content == again.content == later.content
    assert forms(first.json()) == told
    assert {row["epoch"] for row in whole.sql("SELECT epoch FROM vault.signing_keys WHERE tenant = $1",
                                              school.institution.id)} == {0}  # fmt: skip
    for verdict in (school.ledger.verify(credential=first.json()["credential"]),
                    school.ledger.verify(jwt=told[1].decode())):  # fmt: skip
        assert verdict["verified"], verdict
        assert verdict["issuer_recognised"]
    assert school.ledger.verify(credential=before["credential"])["verified"]

    school.revoke(first.json())
    wait_until(lambda: school.ledger.verify(jwt=told[1].decode())["by_name"]["status"] == "failed", 5, "it is listed")
    key = school.key("P-256")
    assert school.ask("POST", f"/v1/signing-keys/{key}/compromise", {}).status_code == 200
    assert school.key("P-256") != key
    assert school.ledger.verify(credential=school.award("after-the-theft")["credential"])["verified"]
