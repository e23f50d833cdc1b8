"""The life of an institution over HTTP: suspended, renamed, closed with a successor, merged, moved to its own host."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.elsewhere import Elsewhere
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger import dids
from ledger.credentials.data_model import structure_errors

WHY = {"reason_code": "board_decision", "authority": "Ministry of Education"}
CHANGE = {"reason_code": "issued_in_error"}
VISIBLE_SECONDS = 2.0
NOT_ITS_OWN = (403, 422)  # by the guard, or in the moment before that knows, by the rule


def turn(ledger: Running, institution: Institution, change: str, **more: Any) -> httpx.Response:
    """What the operator decides about an institution."""
    path = f"/v1/institutions/{institution.id}/{change}"
    return ledger.post("issuance", path, {**WHY, **more}, key=ledger.operator)


def issuer(ledger: Running, institution: Institution) -> Any:
    return ledger.get("registry", f"/v1/issuers/{institution.slug}").json()


def placement(ledger: Running, institution: Institution, did: str) -> Any:
    """The DID document that is to lie at a DID's address, and that address."""
    path = f"/v1/institutions/{institution.id}/did-document?did={quote(did)}"
    return ledger.get("issuance", path, key=ledger.operator).json()


def sentence(verdict: Any, name: str = "issuer_recognised") -> str:
    return next(str(check["detail"]) for check in verdict["checks"] if check["name"] == name)


def revoke(ledger: Running, award: Any, by: Institution) -> httpx.Response:
    return ledger.post("revocation", f"/v1/awards/{award['id']}/revocation", CHANGE, key=by.api_key)


def test_what_a_suspended_institution_awarded_stays_verified_and_is_not_vouched_for(ledger: Running) -> None:
    nova = ledger.institution("life-suspended")
    award = ledger.award(nova, ledger.achievement(nova))

    assert turn(ledger, nova, "suspension").json()["state"] == "suspended"
    wait_until(lambda: not issuer(ledger, nova)["active"], VISIBLE_SECONDS, "the registry says so")
    verdict = ledger.verify(url=award["credential_url"])
    assert (verdict["verified"], verdict["issuer_recognised"]) == (True, False)
    assert sentence(verdict) == "Life-Suspended is suspended here: nobody vouches for it until it is reinstated."

    assert turn(ledger, nova, "reinstatement").json()["state"] == "active"
    wait_until(lambda: issuer(ledger, nova)["active"], VISIBLE_SECONDS, "the registry says so")
    assert ledger.verify(url=award["credential_url"])["issuer_recognised"]
    assert [t["change"] for t in issuer(ledger, nova)["life"]] == ["suspended", "reinstated"]
    assert {t["authority"] for t in issuer(ledger, nova)["life"]} == {WHY["authority"]}


def test_documents_keep_the_name_they_were_issued_under_and_the_issuers_page_tells_both(ledger: Running) -> None:
    nova = ledger.institution("life-renamed")
    achievement = ledger.achievement(nova)
    before = ledger.award(nova, achievement, "before@learner.example")

    renamed = turn(ledger, nova, "renaming", name="Nova Institute of Technology").json()
    after = ledger.award(nova, achievement, "after@learner.example")

    assert (renamed["name"], renamed["former_names"]) == ("Nova Institute of Technology", ["Life-Renamed"])
    again = ledger.get("issuance", f"/v1/awards/{before['id']}", key=nova.api_key).json()
    assert again["credential"] == before["credential"]
    assert [a["credential"]["issuer"]["name"] for a in (before, after)] == ["Life-Renamed", renamed["name"]]
    assert all(ledger.verify(credential=a["credential"])["issuer_recognised"] for a in (before, after))
    page = ledger.get("registry", f"/issuers/{nova.slug}", accept="text/html").text
    assert "Formerly Life-Renamed." in page
    assert "From “Life-Renamed” to “Nova Institute of Technology”." in page


def test_an_institution_that_renames_itself_in_its_profile_keeps_its_former_name_too(ledger: Running) -> None:
    nova = ledger.institution("life-profile")
    etag = ledger.get("issuance", "/v1/profile", key=nova.api_key).headers["etag"]
    body = {"name": "Another Name", "url": "https://nova.example"}

    answer = ledger.call("PUT", "issuance", "/v1/profile", body, key=nova.api_key, if_match=etag).json()

    assert answer["former_names"] == ["Life-Profile"]
    wait_until(lambda: issuer(ledger, nova)["former_names"] == ["Life-Profile"], VISIBLE_SECONDS, "the registry, too")


def test_a_closed_institutions_awards_stay_verified_and_its_successor_decides_about_them(ledger: Running) -> None:
    nova, heir, stranger = (ledger.institution(f"life-{name}") for name in ("closed", "heir", "stranger"))
    achievement = ledger.achievement(nova)
    award, kept = (ledger.award(nova, achievement, f"{n}@learner.example") for n in "ab")

    # Before: to the heir as to any stranger the award is not there.
    words = [checked_problem(revoke(ledger, award, other), 404, "not_found")["detail"] for other in (heir, stranger)]
    closed = turn(ledger, nova, "closure", successor=heir.id)
    assert (closed.json()["state"], closed.json()["successor"]) == ("closed", heir.id)

    wait_until(lambda: issuer(ledger, nova)["state"] == "closed", VISIBLE_SECONDS, "the registry says so")
    verdict = ledger.verify(url=award["credential_url"])
    assert (verdict["verified"], verdict["by_name"]["status"]) == (True, "passed")
    assert sentence(verdict) == (
        "Life-Closed was closed: what it awarded stays verifiable, and Life-Heir decides about its awards, but nobody"
        " vouches for it any more."
    )
    assert revoke(ledger, award, nova).status_code in NOT_ITS_OWN
    assert checked_problem(revoke(ledger, award, stranger), 404, "not_found")["detail"] in words
    standing = f"/v1/awards/{award['id']}/standing"
    assert ledger.get("revocation", standing, key=stranger.api_key).status_code == 404

    # The heir suspends, reads with free text sealed under the learner's own key, reinstates and revokes.
    said = {"reason_code": "under_review", "reason": "The archive is being looked through."}
    suspended = ledger.post("revocation", f"/v1/awards/{award['id']}/suspension", said, key=heir.api_key)
    assert suspended.json()["standing"]["status"] == "suspended", suspended.text
    back = ledger.post("revocation", f"/v1/awards/{award['id']}/reinstatement", CHANGE, key=heir.api_key)
    assert back.json()["standing"]["status"] == "valid", back.text
    assert revoke(ledger, award, heir).json()["standing"]["status"] == "revoked"
    assert len(ledger.get("revocation", standing, key=heir.api_key).json()["history"]) == 3
    assert ledger.verify(url=award["credential_url"])["by_name"]["status"] == "failed"
    assert ledger.verify(url=kept["credential_url"])["verified"]

    # The status list says so under the closed institution's own DID and key.
    url = award["credential"]["credentialStatus"]["statusListCredential"]
    signed = httpx.get(url).json()
    assert signed["issuer"] == nova.did
    assert structure_errors(signed) == []
    assert ledger.verify(credential=signed)["by_name"]["proofs"] == "passed"


def test_a_successor_without_a_choice_of_its_own_passes_the_awards_on(ledger: Running) -> None:
    first, second, third = (ledger.institution(f"life-chain-{n}") for n in range(3))
    achievement = ledger.achievement(first)
    award, other = (ledger.award(first, achievement, f"{n}@learner.example") for n in "ab")

    merged = turn(ledger, first, "merger", into=second.id).json()
    assert (merged["state"], merged["successor"]) == ("closed", second.id)
    assert checked_problem(revoke(ledger, award, third), 404, "not_found")
    assert "successor" not in turn(ledger, second, "closure").json()
    assert revoke(ledger, award, second).status_code in NOT_ITS_OWN
    assert turn(ledger, second, "closure", successor=third.id).json()["successor"] == third.id

    assert revoke(ledger, award, third).json()["standing"]["status"] == "revoked"
    body = {"award_ids": [other["id"], "awd_" + "a" * 26], "change": "revoke", **CHANGE}
    preview = ledger.post("revocation", "/v1/standings/previews", body, key=third.api_key).json()
    assert [item["outlook"] for item in preview["data"]] == ["change", "unknown"]
    token = {"preview_token": preview["preview_token"]}
    done = ledger.post("revocation", "/v1/standings/changes", token, key=third.api_key).json()
    assert [item["outcome"] for item in done["data"]] == ["changed", "unknown"]
    assert checked_problem(turn(ledger, third, "closure", successor=first.id), 422, "refused")


def test_closing_while_the_successor_closes_leaves_exactly_one_of_them_with_the_other(ledger: Running) -> None:
    one, two = ledger.institution("life-race-1"), ledger.institution("life-race-2")
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda pair: turn(ledger, pair[0], "closure", successor=pair[1].id), [(one, two), (two, one)])
        )

    assert sorted(answer.status_code for answer in answers) == [200, 422]


def test_an_institution_moves_to_a_host_of_its_own_once_its_document_lies_there(
    ledger: Running, elsewhere: Elsewhere
) -> None:
    nova = ledger.institution("life-moved")
    achievement = ledger.achievement(nova)
    before = ledger.award(nova, achievement, "before@learner.example")
    did = elsewhere.did("nova")

    assert checked_problem(turn(ledger, nova, "move", did=did), 502, "unreachable")
    whole = placement(ledger, nova, did)
    assert whole["url"] == f"https://{elsewhere.place}/nova/did.json"
    stripped = {**whole["document"], "assertionMethod": whole["document"]["assertionMethod"][:1]}
    elsewhere.put("nova", stripped)
    assert checked_problem(turn(ledger, nova, "move", did=did), 422, "refused")["errors"][0]["pointer"] == "/did"

    elsewhere.put("nova", whole["document"])
    moved = turn(ledger, nova, "move", did=did)
    assert moved.status_code == 200, moved.text
    assert (moved.json()["did"], moved.json()["former_dids"]) == (did, [nova.did])

    after = ledger.award(nova, achievement, "after@learner.example")
    assert [a["credential"]["issuer"]["id"] for a in (before, after)] == [nova.did, did]
    kept = ledger.get("issuance", f"/v1/awards/{before['id']}", key=nova.api_key).json()
    assert kept["credential"] == before["credential"]
    asked = len(elsewhere.asked)
    for award in (before, after):
        verdict = ledger.verify(credential=award["credential"])
        assert (verdict["verified"], verdict["issuer_recognised"]) == (True, True), verdict
    assert len(elsewhere.asked) == asked  # both DIDs are resolved inside

    # Each document names the other DID, and the key of each credential stands in that of its own DID.
    old = ledger.get("registry", f"/issuers/{nova.slug}/did.json").json()
    new = elsewhere.documents["/nova/did.json"]
    assert (old["id"], did in old["alsoKnownAs"], nova.did in new["alsoKnownAs"]) == (nova.did, True, True)
    for document, award in ((old, before), (new, after)):
        method = award["credential"]["proof"][0]["verificationMethod"]
        assert dids.method_of(document, method).algorithm == "Ed25519"
    wait_until(lambda: issuer(ledger, nova)["did"] == did, VISIBLE_SECONDS, "the registry says so")
    assert issuer(ledger, nova)["former_dids"] == [nova.did]


def test_after_a_move_status_lists_are_signed_under_the_new_did_and_fresh_keys_are_placed_anew(
    ledger: Running, elsewhere: Elsewhere
) -> None:
    nova = ledger.institution("life-lists")
    award = ledger.award(nova, ledger.achievement(nova))
    did = elsewhere.did("lists")
    elsewhere.put("lists", placement(ledger, nova, did)["document"])
    url = award["credential"]["credentialStatus"]["statusListCredential"]
    assert httpx.get(url).json()["issuer"] == nova.did

    assert turn(ledger, nova, "move", did=did).status_code == 200
    assert httpx.get(url).json()["issuer"] == did  # the reader never gets a list that is behind
    assert ledger.verify(credential=award["credential"])["verified"]
    assert revoke(ledger, award, nova).status_code == 200
    assert ledger.verify(credential=award["credential"])["by_name"]["status"] == "failed"

    assert ledger.post("issuance", "/v1/signing-keys/rotation", None, key=nova.api_key).status_code == 200
    fresh = ledger.award(nova, ledger.achievement(nova, "Another"), "fresh@learner.example")
    verdict = ledger.verify(credential=fresh["credential"])
    assert (verdict["verified"], verdict["issuer_recognised"]) == (True, True)
    own = ledger.get("issuance", "/v1/profile/did-document", key=nova.api_key).json()
    assert (own["did"], own["current"]) == (did, True)
    dids.method_of(own["document"], fresh["credential"]["proof"][0]["verificationMethod"])
    old = ledger.get("registry", f"/issuers/{nova.slug}/did.json").json()
    assert not any(fresh["credential"]["proof"][0]["verificationMethod"].rpartition("#")[2] in method
                   for method in old["assertionMethod"])  # fmt: skip


def test_a_did_is_one_institutions(ledger: Running, elsewhere: Elsewhere) -> None:
    one, two = ledger.institution("life-did-1"), ledger.institution("life-did-2")
    did = elsewhere.did("shared")
    for who, status in ((one, 200), (two, 409)):
        elsewhere.put("shared", placement(ledger, who, did)["document"])
        assert turn(ledger, who, "move", did=did).status_code == status


@pytest.mark.parametrize("did", ["did:web:localhost", "did:web:10.0.0.1", "did:web:[::1]"])
def test_a_private_place_is_not_asked(ledger: Running, did: str) -> None:
    nova = ledger.institution(f"life-private-{abs(hash(did)) % 10**9}")

    answer = turn(ledger, nova, "move", did=did)

    assert answer.status_code in (400, 422), answer.text


def test_a_turn_that_is_sent_again_gives_the_same_answer_and_none_without_its_authority(ledger: Running) -> None:
    nova = ledger.institution("life-again")
    path, body = f"/v1/institutions/{nova.id}/suspension", WHY
    first, again = (
        ledger.post("issuance", path, body, key=ledger.operator, idempotency_key="life-again-1") for _ in range(2)
    )

    assert (first.content, again.headers["idempotent-replayed"]) == (again.content, "true")
    bare = ledger.post("issuance", path, {"reason_code": "unpaid"}, key=ledger.operator)
    assert checked_problem(bare, 400, "malformed")["errors"][0]["pointer"] == "/authority"
