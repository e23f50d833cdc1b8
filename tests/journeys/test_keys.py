"""API keys over their life: made, scoped, rotated, expired, revoked; dead everywhere within a second, never told."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger.codec import format_time, parse_time

Json = dict[str, Any]
DEAD_SECONDS = 1.0


class World(msgspec.Struct, frozen=True):
    """An institution with an award, and one read in each service that needs a key."""

    ledger: Running
    client: httpx.Client
    institution: Institution
    achievement: str
    award: str

    def make(self, name: str, *, key: str | None = None, **fields: Any) -> Json:
        """A new key, as it was answered."""
        key = key or self.institution.api_key
        answer = self.ledger.post("issuance", "/v1/keys", {"name": name, **fields}, key=key)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    def post(self, path: str, body: Any, *, key: str | None = None) -> httpx.Response:
        return self.ledger.post("issuance", path, body, key=key or self.institution.api_key)

    def read(self, service: str, key: str) -> httpx.Response:
        """Something of the institution from one service."""
        path = {
            "issuance": "/v1/profile",
            "registry": "/v1/events?limit=1",
            "revocation": f"/v1/awards/{self.award}/standing",
        }
        headers = {"authorization": f"Bearer {key}"}
        return self.client.get(self.ledger.url(service) + path[service], headers=headers)

    def opens(self, key: str) -> dict[str, int]:
        return {name: self.read(name, key).status_code for name in ("issuance", "registry", "revocation")}


@pytest.fixture(scope="module")
def world(ledger: Running) -> Iterator[World]:
    institution = ledger.institution("keys")
    achievement = ledger.achievement(institution)
    with httpx.Client(timeout=30) as client:
        yield World(ledger, client, institution, achievement, ledger.award(institution, achievement)["id"])


def everywhere(status: int) -> dict[str, int]:
    return dict.fromkeys(("issuance", "registry", "revocation"), status)


def test_a_new_key_opens_every_service_at_once(world: World) -> None:
    made = world.make("everything")

    assert world.opens(made["api_key"]) == everywhere(200)


def test_a_scoped_key_opens_what_its_scopes_say_and_no_more(world: World) -> None:
    made = world.make("a reader", scopes=["awards:read", "standings:read"])

    assert made["scopes"] == ["awards:read", "standings:read"]
    assert world.opens(made["api_key"]) == {"issuance": 200, "registry": 403, "revocation": 200}
    award = {"achievement_id": world.achievement, "learner": {"email": "x@learner.example"}}
    assert (
        "awards:write"
        in checked_problem(world.post("/v1/awards", award, key=made["api_key"]), 403, "forbidden")["detail"]
    )


def test_a_key_makes_no_key_that_opens_more_than_itself(world: World) -> None:
    strong = world.make("strong")
    weak = world.make("a maker", scopes=["keys:write", "awards:read"])

    more = world.post("/v1/keys", {"name": "more", "scopes": ["awards:write"]}, key=weak["api_key"])
    rotated = world.post(f"/v1/keys/{strong['id']}/rotation", {}, key=weak["api_key"])
    operator = world.post("/v1/keys", {"name": "operator", "role": "operator"})
    unheard = world.post("/v1/keys", {"name": "unheard", "scopes": ["awards:read", "everything"]})

    assert world.make("the same", key=weak["api_key"])["scopes"] == ["awards:read", "keys:write"]
    for refused in (more, rotated, operator):
        checked_problem(refused, 403, "forbidden")
    assert [e["pointer"] for e in checked_problem(unheard, 400, "malformed")["errors"]] == ["/scopes/1"]


def test_a_secret_is_shown_again_to_the_key_that_made_it_and_to_no_other(world: World) -> None:
    weak = world.make("a maker", scopes=["keys:write"])["api_key"]
    asked = ("issuance", "/v1/keys", {"name": "once"})

    first = world.ledger.post(*asked, key=weak, idempotency_key="keys-once")
    again = world.ledger.post(*asked, key=weak, idempotency_key="keys-once")
    other = world.ledger.post(*asked, key=world.institution.api_key, idempotency_key="keys-once")

    assert first.json()["scopes"] == ["keys:write"]
    assert again.content == first.content
    checked_problem(other, 403, "forbidden")
    assert first.json()["api_key"] not in other.text


def test_a_weak_key_of_the_operator_makes_no_stronger_one(world: World) -> None:
    weak = world.make("clerk", key=world.ledger.operator, scopes=["keys:write", "keys:read"])

    more = world.post("/v1/keys", {"name": "more", "scopes": ["institutions:write"]}, key=weak["api_key"])
    auditor = world.post("/v1/keys", {"name": "auditor", "role": "auditor"}, key=weak["api_key"])

    assert weak["scopes"] == ["keys:read", "keys:write"]
    assert world.make("the same", key=weak["api_key"])["scopes"] == weak["scopes"]
    for refused in (more, auditor):
        checked_problem(refused, 403, "forbidden")
    theirs = world.make("theirs", key=weak["api_key"], institution_id=world.institution.id, scopes=["awards:read"])
    assert (theirs["institution_id"], theirs["role"]) == (world.institution.id, "owner")


def test_an_auditor_reads_the_whole_history_and_changes_nothing(world: World) -> None:
    auditor = world.make("the auditor", key=world.ledger.operator, role="auditor")["api_key"]

    lines = world.ledger.get("registry", "/v1/events?limit=100000", key=auditor).text.splitlines()
    whole = world.ledger.get("registry", "/v1/events?limit=100000", key=world.ledger.operator).text.splitlines()

    assert lines == whole[: len(lines)]
    assert len(lines) > 10
    checked_problem(world.post("/v1/keys", {"name": "more"}, key=auditor), 403, "forbidden")
    checked_problem(world.post("/v1/institutions", {"slug": "a", "name": "A", "url": "https://a.example"}, key=auditor),
                    403, "forbidden")  # fmt: skip


def test_a_rotated_key_works_beside_its_heir_until_the_overlap_ends(world: World) -> None:
    old = world.make("rotating", scopes=["awards:read", "audit:read", "standings:read"])

    heir = world.post(f"/v1/keys/{old['id']}/rotation", {"overlap_seconds": 2})
    assert heir.status_code == 201, heir.text
    new = heir.json()

    assert (new["name"], new["scopes"]) == (old["name"], old["scopes"])
    assert new["api_key"] != old["api_key"]
    assert world.opens(old["api_key"]) == everywhere(200)
    assert world.opens(new["api_key"]) == everywhere(200)
    wait_until(lambda: world.opens(old["api_key"]) == everywhere(401), 4, "the overlap ends")
    assert "expired" in world.read("registry", old["api_key"]).json()["detail"]
    assert world.opens(new["api_key"]) == everywhere(200)
    checked_problem(world.post(f"/v1/keys/{old['id']}/rotation", {}), 422, "refused")


def test_a_key_ends_at_its_time_in_every_service(world: World) -> None:
    ends = format_time(datetime.now(UTC) + timedelta(seconds=1.5))
    brief = world.make("brief", expires_at=ends)

    assert brief["expires_at"] == ends
    assert world.opens(brief["api_key"]) == everywhere(200)
    wait_until(lambda: datetime.now(UTC) >= parse_time(ends), 3, "its time has come")
    assert world.opens(brief["api_key"]) == everywhere(401)
    past = world.post("/v1/keys", {"name": "past", "expires_at": "2001-01-01T00:00:00Z"})
    assert [e["pointer"] for e in checked_problem(past, 400, "malformed")["errors"]] == ["/expires_at"]


@pytest.mark.parametrize("_", range(3))
def test_a_revoked_key_is_refused_by_every_service_within_a_second(world: World, _: int) -> None:
    doomed = world.make("doomed")
    assert world.opens(doomed["api_key"]) == everywhere(200)  # every service remembers it

    def dead_after(service: str) -> float:
        wait_until(lambda: world.read(service, doomed["api_key"]).status_code == 401, 5, f"{service} refuses")
        return time.monotonic() - revoked

    answer = world.post(f"/v1/keys/{doomed['id']}/revocation", {"reason_code": "lost"})
    revoked = time.monotonic()
    assert answer.status_code == 200, answer.text
    with ThreadPoolExecutor(3) as threads:
        took = dict(zip(everywhere(0), threads.map(dead_after, everywhere(0)), strict=True))

    assert max(took.values()) < DEAD_SECONDS, took
    assert answer.json()["revoked"]


def test_a_suspended_institutions_key_reads_and_does_not_write_until_it_is_reinstated(world: World) -> None:
    ledger, other = world.ledger, world.ledger.institution("keys-suspended")
    achievement = ledger.achievement(other)
    award = ledger.award(other, achievement)["id"]

    def writes() -> dict[str, int]:
        learner = {"email": "x@learner.example"}
        return {
            "awards": ledger.post("issuance", "/v1/awards", {"achievement_id": achievement, "learner": learner},
                                  key=other.api_key).status_code,
            "keys": ledger.post("issuance", "/v1/keys", {"name": "more"}, key=other.api_key).status_code,
            "standings": ledger.post("revocation", f"/v1/awards/{award}/suspension", {"reason_code": "other"},
                                     key=other.api_key).status_code,
        }  # fmt: skip

    def reads() -> set[int]:
        paths = {
            "issuance": f"/v1/awards/{award}",
            "registry": "/v1/events",
            "revocation": f"/v1/awards/{award}/standing",
        }
        return {ledger.get(service, path, key=other.api_key).status_code for service, path in paths.items()}

    off = ledger.post(
        "issuance",
        f"/v1/institutions/{other.id}/suspension",
        {"reason_code": "unpaid", "authority": "Rule 4"},
        key=ledger.operator,
    )
    assert off.status_code == 200, off.text
    wait_until(lambda: set(writes().values()) == {403}, 1.0, "it may write nowhere")
    assert reads() == {200}

    on = ledger.post(
        "issuance",
        f"/v1/institutions/{other.id}/reinstatement",
        {"reason_code": "paid", "authority": "Rule 4"},
        key=ledger.operator,
    )
    assert on.status_code == 200, on.text
    wait_until(lambda: set(writes().values()) <= {200, 201}, 1.0, "it may write again")


def test_no_secret_stands_in_an_event_a_log_line_or_an_answer_to_a_reader(world: World) -> None:
    made = [world.make(f"secret {n}") for n in range(3)]
    heir = world.post(f"/v1/keys/{made[0]['id']}/rotation", {}).json()
    assert world.post(f"/v1/keys/{made[1]['id']}/revocation", {}).status_code == 200
    tokens = [key["api_key"] for key in [*made, heir]] + [world.institution.api_key, world.ledger.operator]
    for token in tokens:
        world.opens(token)
        world.read("registry", token[:-1])  # a slip of the pen: nearly the secret
        world.client.get(world.ledger.url("registry") + f"/v1/issuers?cursor={token}")
        world.client.get(world.ledger.url("issuance") + f"/{token}")
    operator, institution = world.ledger.operator, world.institution
    told = {
        **{f"log of {service}": world.ledger.log(service) for service in everywhere(0)},
        **{f"figures of {s}": world.client.get(world.ledger.url(s) + "/metrics").text for s in everywhere(0)},
        "events": world.ledger.get("registry", "/v1/events?limit=100000", key=operator).text,
        "keys": world.ledger.get("issuance", "/v1/keys?limit=200", key=institution.api_key).text,
        "profile": world.ledger.get("issuance", "/v1/profile", key=institution.api_key).text,
        "all keys": world.ledger.get("issuance", "/v1/keys?limit=200", key=operator).text,
        "institution": world.ledger.get("issuance", f"/v1/institutions/{institution.id}", key=operator).text,
        "issuer": world.ledger.get("registry", f"/v1/issuers/{institution.slug}").text,
    }

    assert made[2]["id"] in told["keys"]
    assert made[2]["id"] in told["events"]
    for where, text in told.items():
        for token in tokens:
            assert token[-43:-23] not in text, where  # the secret's first half
            assert token[-23:] not in text, where
