"""A sandbox beside each institution: everything of it says TEST, nothing of it counts or is found, nothing mixes."""

import json
import secrets
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.cli.running import Ended, credledger
from tests.conftest import run_apart
from tests.endorsements import endorsement
from tests.journeys.problems import checked_problem
from tests.journeys.test_compromise import Place
from tests.proofs.samples import NOON
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger import ids
from ledger.access import ROLE_SCOPES, new_token, secret_hash
from ledger.cli.api import Api
from ledger.cli.trigger import ONLY_SANDBOXES, SAMPLES, Sandbox
from ledger.codec import Actor, Fact
from ledger.events import InstitutionCreated, KeyCreated
from ledger.proofs import secure
from ledger.store import Store, Wish

HTML = {"accept": "text/html"}


class Box(msgspec.Struct, frozen=True):
    """An institution, its sandbox, and an award in each of equal achievements."""

    ledger: Running
    school: Institution
    achievement: str
    award: dict[str, Any]
    live: dict[str, Any]

    @property
    def sandbox(self) -> Institution:
        return self.school.its_sandbox

    def page(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.ledger.url('registry')}{path}", headers=HTML)


@pytest.fixture(scope="module")
def box(ledger: Running) -> Box:
    school = ledger.institution("boxed", name="Boxed University")
    sandbox = school.its_sandbox
    achievement = ledger.achievement(sandbox, "Sandcastles")
    award = ledger.award(sandbox, achievement, "sand@learner.example")
    live = ledger.award(school, ledger.achievement(school, "Castles"), "sand@learner.example")
    return Box(ledger, school, achievement, award, live)


def test_an_institution_comes_with_a_sandbox_of_its_own(box: Box) -> None:
    profile = box.ledger.get("issuance", "/v1/profile", key=box.sandbox.api_key).json()
    own = box.ledger.get("issuance", "/v1/profile", key=box.school.api_key).json()

    assert box.sandbox.id == ids.sandbox_of(box.school.id)
    assert (box.sandbox.slug, box.sandbox.did) == ("boxed-sandbox", f"{box.school.did}-sandbox")
    assert (box.school.api_key[:8], box.sandbox.api_key[:8]) == ("cl_live_", "cl_test_")
    assert (profile["name"], profile["sandbox_of"]) == ("Boxed University (sandbox)", box.school.id)
    assert {key["id"] for key in profile["keys"]}.isdisjoint(key["id"] for key in own["keys"])
    assert "sandbox_of" not in own


def test_documents_and_answers_say_test(box: Box) -> None:
    credential, listed = box.award["credential"], box.ledger.get("issuance", "/v1/awards", key=box.sandbox.api_key)

    assert credential["name"] == "TEST — Sandcastles"
    assert "made in an institution's sandbox" in credential["description"]
    assert "sandbox" not in box.live["credential"]["description"]
    assert box.award["test"] is True
    assert (listed.json()["test"], listed.headers["test-mode"]) == (True, "TEST")
    assert "test" not in box.ledger.get("issuance", "/v1/awards", key=box.school.api_key).json()
    fetched = httpx.get(box.award["credential_url"] + ".json")
    assert fetched.json() == credential  # what is signed is sent as it is
    assert fetched.headers["x-robots-tag"] == "noindex"


def test_pages_say_test(box: Box) -> None:
    path = box.award["credential_url"].removeprefix(box.ledger.url("registry"))
    pages = [f"/issuers/{box.sandbox.slug}", f"/achievements/{box.achievement}/versions/1",
             f"/v1/awards/{box.award['id']}", path]  # fmt: skip

    for address in pages:
        page = box.page(address)
        assert page.status_code == 200, page.text
        assert "This is an institution&#39;s sandbox" in page.text or "This is an institution's sandbox" in page.text
        assert ">TEST</span>" in page.text
    for address in ("/issuers/boxed", f"/v1/awards/{box.live['id']}"):
        assert "sandbox" not in box.page(address).text


@pytest.mark.parametrize("path", ["/v1/issuers/{slug}", "/v1/achievements/{achievement}", "/v1/awards/{award}"])
def test_what_anybody_may_read_by_its_address_says_test_first(box: Box, path: str) -> None:
    answer = box.ledger.get(
        "registry",
        path.format(slug=box.sandbox.slug, achievement=box.achievement, award=box.award["id"]),
        accept="application/json",
    )

    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b'{"test":true,')
    assert answer.headers["content-length"] == str(len(answer.content))


def test_events_say_test_in_the_envelope_the_history_and_the_message(box: Box) -> None:
    text = box.ledger.get("registry", "/v1/events?limit=1000", key=box.sandbox.api_key).text
    events = [msgspec.json.decode(line) for line in text.splitlines()]

    assert {event["envelope"]["inst"] for event in events} == {box.sandbox.id}
    assert {event["test"] for event in events} == {True}
    assert {"institution.created", "award.awarded"} <= {event["type"] for event in events}
    live = box.ledger.get("registry", "/v1/events?limit=1000", key=box.school.api_key).text
    assert {msgspec.json.decode(line)["test"] for line in live.splitlines()} == {False}


def test_nothing_of_a_sandbox_is_listed_found_or_counted(box: Box) -> None:
    ledger = box.ledger
    issuers = ledger.get("registry", "/v1/issuers?limit=200").text
    achievements = ledger.get("registry", "/v1/achievements?q=castles&limit=200").json()["data"]

    assert box.school.id in issuers
    assert "test_" not in issuers
    assert [one["name"] for one in achievements if one["issuer"]["slug"].startswith("boxed")] == ["Castles"]
    catalogue = box.page("/?q=castles").text
    assert ("Sandcastles" in catalogue, "boxed-sandbox" in catalogue) == (False, False)
    assert "Sandcastles" not in box.page("/?provider=boxed-sandbox").text
    assert "boxed-sandbox" not in box.page("/issuers").text
    own = ledger.get("registry", f"/v1/achievements?issuer={box.sandbox.slug}").json()
    assert ([one["id"] for one in own["data"]], own["test"]) == ([box.achievement], True)


def test_a_sandbox_is_never_recognised_whatever_it_signs(box: Box) -> None:
    verdict = box.ledger.verify(credential=box.award["credential"])
    live = box.ledger.verify(credential=box.live["credential"])

    assert (verdict["verified"], verdict["issuer_recognised"], verdict["test"]) == (True, False, True)
    (check,) = [check for check in verdict["checks"] if check["name"] == "issuer_recognised"]
    assert check["status"] == "skipped"
    assert check["detail"] == "It is signed in a sandbox: it proves nothing."
    assert (live["verified"], live["issuer_recognised"]) == (True, True)


def test_a_sandbox_borrows_no_name(box: Box) -> None:
    """A sandbox may call itself like an institution, and is still not it."""
    ledger, sandbox = box.ledger, box.ledger.institution("borrower").its_sandbox
    etag = ledger.get("issuance", "/v1/profile", key=sandbox.api_key).headers["etag"]
    ledger.call("PUT", "issuance", "/v1/profile", {"name": "Boxed University", "url": "https://boxed.example"},
                key=sandbox.api_key, if_match=etag)  # fmt: skip
    award = ledger.award(sandbox, ledger.achievement(sandbox), "borrowed@learner.example")

    verdict = ledger.verify(credential=award["credential"])

    assert verdict["issuer_recognised"] is False
    assert "sandbox" in next(c["detail"] for c in verdict["checks"] if c["name"] == "issuer_recognised")


def test_what_a_sandbox_endorses_endorses_nothing_outside(box: Box) -> None:
    beside = Place(box.ledger, box.sandbox, "", {})
    given = secure(endorsement(box.sandbox.did), beside.stolen("Ed25519"), NOON)
    body = {"name": "Endorsed", "description": "D.", "criteria": {"narrative": "C."}, "endorsements": [given]}

    refused = checked_problem(
        box.ledger.post("issuance", "/v1/achievements", body, key=box.school.api_key), 400, "malformed"
    )
    inside = box.ledger.post("issuance", "/v1/achievements", body, key=box.sandbox.api_key)

    assert "signed in a sandbox" in refused["errors"][0]["detail"]
    assert inside.status_code == 201, inside.text


def test_a_sandbox_suspends_revokes_and_erases_in_its_own_lists(box: Box) -> None:
    ledger, sandbox = box.ledger, box.sandbox
    award = ledger.award(sandbox, box.achievement, "washed@learner.example")

    revoked = ledger.post("revocation", f"/v1/awards/{award['id']}/revocation", {"reason_code": "issued_in_error"},
                          key=sandbox.api_key)  # fmt: skip

    assert revoked.status_code == 200, revoked.text
    assert revoked.json()["test"] is True
    url = award["credential"]["credentialStatus"]["statusListCredential"]
    assert url != box.live["credential"]["credentialStatus"]["statusListCredential"]
    wait_until(lambda: ledger.verify(credential=award["credential"])["by_name"]["status"] == "failed", 2, "it shows")
    erased = ledger.post("issuance", f"/v1/learners/{award['learner_id']}/erasure", {}, key=sandbox.api_key)
    assert (erased.status_code, erased.json()["test"]) == (200, True)


def test_the_same_person_is_another_learner_there(box: Box) -> None:
    assert box.award["learner_id"] != box.live["learner_id"]


def test_the_operator_sees_both_and_tells_them_apart(box: Box) -> None:
    ledger = box.ledger

    def listed(path: str) -> dict[str, bool]:
        found: dict[str, bool] = {}
        cursor = ""
        while True:
            page = ledger.get("issuance", f"{path}limit=200{cursor}", key=ledger.operator).json()
            found |= {one["id"]: one.get("test", False) for one in page["data"]}
            if not page["has_more"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    institutions = listed("/v1/institutions?")
    assert (institutions[box.school.id], institutions[box.sandbox.id]) == (False, True)
    assert set(listed("/v1/institutions?test=true&").values()) == {True}
    assert box.school.id in (live := listed("/v1/institutions?test=false&"))
    assert set(live.values()) == {False}
    assert set(listed("/v1/keys?test=true&").values()) == {True}
    assert set(listed("/v1/keys?test=false&").values()) == {False}


def test_a_slug_of_a_sandbox_cannot_be_wished_for(ledger: Running) -> None:
    body = {"slug": "wished-sandbox", "name": "Wished", "url": "https://wished.example"}

    refused = checked_problem(ledger.post("issuance", "/v1/institutions", body, key=ledger.operator), 400, "malformed")

    assert refused["errors"][0]["pointer"].removeprefix("#") == "/slug"


def test_a_sandbox_may_write_while_its_institution_may(ledger: Running) -> None:
    school = ledger.institution("boxed-stopped")
    sandbox, achievement = school.its_sandbox, ledger.achievement(school.its_sandbox)

    def awarded(email: str) -> int:
        body = {"achievement_id": achievement, "learner": {"email": email}}
        return ledger.post("issuance", "/v1/awards", body, key=sandbox.api_key).status_code

    assert awarded("before@learner.example") == 201
    change(ledger, school, stop=True)
    assert awarded("stopped@learner.example") == 403
    assert ledger.get("issuance", "/v1/awards", key=sandbox.api_key).status_code == 200  # it may still read
    change(ledger, school, stop=False)
    assert awarded("after@learner.example") == 201


def change(ledger: Running, school: Institution, *, stop: bool) -> None:
    path = f"/v1/institutions/{school.id}/{'suspension' if stop else 'reinstatement'}"
    turn = {"reason_code": "under_review", "authority": "Rule 4"}
    answer = ledger.post("issuance", path, turn, key=ledger.operator)
    assert answer.status_code == 200, answer.text


def test_a_key_to_the_sandbox_is_had_again_by_the_institution_and_the_operator_and_by_nobody_else(
    ledger: Running, box: Box
) -> None:
    other = ledger.institution("boxed-other")
    own = ledger.post("issuance", "/v1/sandbox", {}, key=box.school.api_key, idempotency_key="sandbox-again")
    again = ledger.post("issuance", "/v1/sandbox", {}, key=box.school.api_key, idempotency_key="sandbox-again")
    operators = ledger.post("issuance", "/v1/sandbox", {"institution_id": box.school.id}, key=ledger.operator)

    assert (own.status_code, own.content) == (201, again.content)
    assert {own.json()["id"], operators.json()["id"]} == {box.sandbox.id}
    assert ledger.get("issuance", "/v1/profile", key=own.json()["api_key"]).json()["id"] == box.sandbox.id
    refusals = [
        (other.api_key, {"institution_id": box.school.id}, 404),
        (box.sandbox.api_key, {}, 403),
        (ledger.operator, {}, 400),
        (ledger.operator, {"institution_id": box.sandbox.id}, 404),
    ]
    for key, body, status in refusals:
        assert ledger.post("issuance", "/v1/sandbox", body, key=key).status_code == status


def joined_before(ledger: Running, slug: str) -> tuple[str, str]:
    """The id and the key of an institution as a release without sandboxes left it: its events, as they were."""
    told = {name: bytes.fromhex(ledger.environment("issuance")[f"CREDLEDGER_{name}"])
            for name in ("SERVER_SECRET", "KEY_PEPPER")}  # fmt: skip
    tenant, secret = ids.named_id(told["SERVER_SECRET"], "inst", slug), secrets.token_bytes(32)
    key_id = ids.text_id("key", secrets.token_bytes(16))
    created = InstitutionCreated(slug=slug, did=f"did:web:x:{slug}", name=slug.title(), url="https://old.example")
    key = KeyCreated(key_id=key_id, name="old", role="institution", scopes=sorted(ROLE_SCOPES["institution"]),
                     secret_hash=secret_hash(told["KEY_PEPPER"], secret))  # fmt: skip

    async def append() -> None:
        store = await Store.open(ledger.environment("issuance")["CREDLEDGER_DATABASE_URL"])
        try:
            for stream, event in ((f"institution/{tenant}", created), (f"access/{key_id}", key)):
                fact = Fact(event=event, at=NOON)
                wish = Wish(tenant=tenant, command=uuid.uuid4(), actor=Actor(key="key_test", role="operator"))
                await store.decide(stream, lambda _, fact=fact: [fact], wish=wish)
        finally:
            await store.close()

    run_apart(append())
    return tenant, new_token(key_id, secret, live=False)  # as keys of test mode read until then


def test_an_institution_from_before_there_were_sandboxes_gets_one_when_it_asks(ledger: Running) -> None:
    tenant, key = joined_before(ledger, "boxed-before")

    opened = [ledger.post("issuance", "/v1/sandbox", {}, key=key) for _ in range(2)]

    assert [answer.status_code for answer in opened] == [201, 201]
    assert {answer.json()["id"] for answer in opened} == {ids.sandbox_of(tenant)}
    assert "test" not in ledger.get("issuance", "/v1/profile", key=key).json()  # its own key is a live one all along
    made = opened[0].json()["api_key"]
    sandbox = ledger.get("issuance", "/v1/profile", key=made).json()
    assert (sandbox["slug"], sandbox["sandbox_of"], len(sandbox["keys"])) == ("boxed-before-sandbox", tenant, 2)


def test_a_sandbox_is_opened_once_however_many_ask_at_once(ledger: Running) -> None:
    _, key = joined_before(ledger, "boxed-together")

    with ThreadPoolExecutor(4) as askers:
        opened = list(askers.map(lambda _: ledger.post("issuance", "/v1/sandbox", {}, key=key), range(4)))

    assert [answer.status_code for answer in opened] == [201] * 4
    sandbox = opened[0].json()["id"]
    history = ledger.get("registry", "/v1/events?limit=100", key=opened[0].json()["api_key"]).text
    types = [msgspec.json.decode(line)["type"] for line in history.splitlines()]
    assert {answer.json()["id"] for answer in opened} == {sandbox}
    assert Counter(types) == {"institution.created": 1, "issuer.key_changed": 2, "access.key_created": 4}


def test_a_slug_that_a_sandbox_would_need_stays_with_who_has_it(ledger: Running) -> None:
    joined_before(ledger, "boxed-name-sandbox")
    _, key = joined_before(ledger, "boxed-name")

    refused = checked_problem(ledger.post("issuance", "/v1/sandbox", {}, key=key), 422, "refused")

    assert "joined before there were sandboxes" in refused["detail"]


@pytest.mark.parametrize("event_type", SAMPLES)
def test_a_sample_event_is_made_where_it_says(box: Box, event_type: str) -> None:
    key, url = box.sandbox.api_key, box.ledger.url
    with Api(url("issuance"), key) as issuance, Api(url("revocation"), key) as revocation, Api(url("registry")) as read:
        sandbox = Sandbox(issuance, revocation, read)
        SAMPLES[event_type][0](sandbox)

    made = sandbox.events[-1]
    event = box.ledger.get("registry", f"/v1/events/{made.position}", key=key).json()
    assert (made.type, event["type"], event["tenant"]) == (event_type, event_type, box.sandbox.id)


def test_a_machine_reads_what_was_made(box: Box, tmp_path: Path) -> None:
    ended = trigger(box, tmp_path, "learner.erased", "--json", key=box.sandbox.api_key)

    assert ended.status == 0, ended.err
    made = json.loads(ended.out)
    assert (made["test"], made["type"], made["position"]) == (True, "learner.erased", made["events"][-1]["position"])
    assert made["events"][-2]["type"] == "award.awarded"


def test_samples_are_told_to_people_and_refused_to_live_keys(box: Box, tmp_path: Path) -> None:
    shown = trigger(box, tmp_path, "award.revoked", key=box.sandbox.api_key)
    listed = trigger(box, tmp_path, "--list")
    head = box.ledger.get("registry", "/v1/events?limit=100000", key=box.school.api_key).text
    old = f"cl_test_{box.school.api_key.removeprefix('cl_live_')}"  # what a key says of itself decides nothing
    refused = [trigger(box, tmp_path, "award.awarded", key=key) for key in (box.school.api_key, old)]
    unknown = trigger(box, tmp_path, "award.eaten", key=box.sandbox.api_key)

    assert shown.out.startswith("TEST: in Boxed University (sandbox)\n"), shown.err
    assert [line.split()[0] for line in shown.out.splitlines()[2:-1]] == ["award.awarded", "award.revoked"]
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == list(SAMPLES)
    assert {(ended.status, ended.err) for ended in refused} == {(2, f"credledger: {ONLY_SANDBOXES}\n")}
    assert "award.eaten" in unknown.err
    assert box.ledger.get("registry", "/v1/events?limit=100000", key=box.school.api_key).text == head


def trigger(box: Box, folder: Path, *arguments: str, key: str | None = None) -> Ended:
    settings = {"API_KEY": key} if key else {}
    return credledger("trigger", *arguments, data=folder, PORT=str(box.ledger.port), **settings)
