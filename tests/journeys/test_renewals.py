"""A renewed award: linked both ways, the earlier one untouched, and a list that is sent again renews nothing twice."""

from typing import Any

import httpx
import pytest
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running
from tests.servers import wait_until

Json = dict[str, Any]
EMAIL = "ada@renewal.example"
DUE = "2039-01-01T00:00:00Z"


def ask(ledger: Running, institution: Institution, achievement: str, email: str = EMAIL, **more: Any) -> httpx.Response:
    body = {"achievement_id": achievement, "learner": {"email": email}, **more}
    return ledger.post("issuance", "/v1/awards", body, key=institution.api_key)


def renewed(ledger: Running, slug: str) -> tuple[Institution, str, Json, Json]:
    """An institution with an achievement, an award of it, and the award that renews that one."""
    institution = ledger.institution(slug)
    achievement = ledger.achievement(institution)
    old = ask(ledger, institution, achievement, renew_by=DUE).json()
    new = ask(ledger, institution, achievement, renews=old["id"], renew_by="2042-01-01T00:00:00Z")
    assert new.status_code == 201, new.text
    return institution, achievement, old, new.json()


def test_a_renewal_is_no_duplicate_and_the_registry_shows_it_from_both_sides(ledger: Running) -> None:
    _, _, old, new = renewed(ledger, "renewing")
    path = f"/v1/awards/{old['id']}"
    wait_until(lambda: bool(ledger.get("registry", path).json()["renewed_by"]), 1.0, "the registry follows")

    before, after = ledger.get("registry", path).json(), ledger.get("registry", f"/v1/awards/{new['id']}").json()

    assert (old["renews"], old["renew_by"], new["renews"]) == (None, DUE, old["id"])
    assert [(by["id"], by["position"]) for by in before["renewed_by"]] == [(new["id"], new["position"])]
    assert (before["renews"], before["renew_by"], before["standing"]) == (None, DUE, "valid")
    assert (after["renews"], after["renew_by"]) == (old["id"], "2042-01-01T00:00:00Z")
    pages = [httpx.get(award["award_url"], headers={"accept": "text/html"}).text for award in (old, new)]
    assert "Renewed by" in pages[0]
    assert new["id"] in pages[0]
    assert "To be renewed by" in pages[0]
    assert old["id"] in pages[1]


def test_the_earlier_award_stays_valid_and_its_verification_names_the_renewal(ledger: Running) -> None:
    institution, _, old, new = renewed(ledger, "renewing-verified")

    verdict = ledger.verify(credential=old["credential"])

    assert verdict["verified"], verdict
    (status,) = [check for check in verdict["checks"] if check["name"] == "status"]
    assert f"It was renewed by {new['id']} on 20" in status["detail"]
    assert httpx.get(old["credential_url"]).json() == old["credential"]

    revoked = {"reason_code": "issued_in_error"}
    path = f"/v1/awards/{new['id']}/revocation"
    assert ledger.post("revocation", path, revoked, key=institution.api_key).is_success
    wait_until(lambda: "renewed" not in str(ledger.verify(credential=old["credential"])), 1.0, "it renews no more")


def test_a_renewal_that_is_sent_again_is_one_award_and_a_chain_goes_on(ledger: Running) -> None:
    institution, achievement, old, new = renewed(ledger, "renewing-again")

    refused = ask(ledger, institution, achievement, renews=old["id"])
    returned = ask(ledger, institution, achievement, renews=old["id"], on_duplicate="return")
    third = ask(ledger, institution, achievement, renews=new["id"])

    assert checked_problem(refused, 409, "already_awarded")
    assert (returned.status_code, returned.json()["id"]) == (200, new["id"])
    assert (third.status_code, third.json()["renews"]) == (201, new["id"])


def test_what_cannot_be_renewed_is_told(ledger: Running) -> None:
    institution, achievement, old, _ = renewed(ledger, "renewing-refused")
    other = ledger.institution("renewing-other")
    theirs = ask(ledger, other, ledger.achievement(other)).json()
    withdrawn = ask(ledger, institution, achievement, "gone@renewal.example").json()
    path = f"/v1/awards/{withdrawn['id']}/revocation"
    assert ledger.post("revocation", path, {"reason_code": "other"}, key=institution.api_key).is_success

    for email, renews in (
        ("other@renewal.example", old["id"]),
        (EMAIL, theirs["id"]),
        (EMAIL, "awd_" + "a" * 26),
        ("gone@renewal.example", withdrawn["id"]),
    ):
        refused = checked_problem(ask(ledger, institution, achievement, email, renews=renews), 422, "refused")
        assert refused["errors"][0]["pointer"] == "/renews"
    foreign = ask(ledger, institution, ledger.achievement(institution, "Other"), renews=old["id"])
    assert checked_problem(foreign, 422, "refused")["errors"][0]["pointer"] == "/renews"


@pytest.mark.parametrize(("more", "pointer"), [
    ({"renews": "everything"}, "/renews"),
    ({"renew_by": "2020-01-01T00:00:00Z"}, "/renew_by"),
    ({"renew_by": "2040-01-01T00:00:00"}, "/renew_by"),
])  # fmt: skip
def test_a_renewal_that_cannot_be_right_is_named(ledger: Running, more: Json, pointer: str) -> None:
    if not hasattr(ledger, "unrenewed"):
        institution = ledger.institution("unrenewed")
        ledger.unrenewed = (institution, ledger.achievement(institution))  # type: ignore[attr-defined]

    problem = checked_problem(ask(ledger, *ledger.unrenewed, **more), 400, "malformed")  # type: ignore[attr-defined]

    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_the_date_of_renewal_can_be_corrected(ledger: Running) -> None:
    institution, _, old, _ = renewed(ledger, "renewing-corrected")
    body = {"changes": {"renew_by": "2045-01-01T00:00:00Z"}, "reason_code": "content_error"}

    corrected = ledger.post("issuance", f"/v1/awards/{old['id']}/correction", body, key=institution.api_key).json()

    assert (corrected["renew_by"], corrected["renews"]) == ("2045-01-01T00:00:00Z", None)
    path = f"/v1/awards/{old['id']}"
    wait_until(lambda: ledger.get("registry", path).json()["renew_by"] == "2045-01-01T00:00:00Z", 1.0, "it is shown")
