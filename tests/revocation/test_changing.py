"""Suspending, reinstating and revoking over HTTP: the answers, retries, other institutions, bad input."""

from typing import Any

import httpx
import pytest
from tests.revocation.histories import AWARD
from tests.revocation.world import STATUS_URL, Institution, World, bearer

WHY = {"reason_code": "issued_in_error"}


async def change(
    client: httpx.AsyncClient,
    institution: Institution,
    award_id: str,
    kind: str,
    body: Any = None,
    key: str | None = None,
) -> httpx.Response:
    headers = bearer(institution, key)
    return await client.post(f"/v1/awards/{award_id}/{kind}", json=WHY if body is None else body, headers=headers)


async def standing(client: httpx.AsyncClient, institution: Institution, award_id: str) -> httpx.Response:
    return await client.get(f"/v1/awards/{award_id}/standing", headers=bearer(institution))


async def test_an_award_is_suspended_reinstated_and_revoked_and_its_history_says_so(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution(profile="full")
    (award_id,) = await world.awards(institution, 1)

    answers = [
        await change(client, institution, award_id, kind) for kind in ("suspension", "reinstatement", "revocation")
    ]

    assert [a.status_code for a in answers] == [200, 200, 200], [a.text for a in answers]
    assert [a.json()["standing"]["status"] for a in answers] == ["suspended", "valid", "revoked"]
    told = (await standing(client, institution, award_id)).json()
    assert told["standing"] == answers[-1].json()["standing"]
    assert [(h["type"], h["position"]) for h in told["history"]] == [
        (topic, a.json()["position"])
        for topic, a in zip(("award.suspended", "award.reinstated", "award.revoked"), answers, strict=True)
    ]


async def test_the_answer_says_why_since_when_where_in_the_log_and_where_it_is_published(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    ((award_id, entries),) = (await world.awards(institution, 1)).items()
    body = {**WHY, "authority": "Examination board"}

    answer = (await change(client, institution, award_id, "revocation", body)).json()

    (event,) = await world.events(institution, "award.revoked")
    assert answer["award_id"] == award_id
    assert answer["position"] == answer["standing"]["position"] == event.position
    assert answer["standing"]["authority"] == "Examination board"
    assert answer["standing"]["since"] == event.envelope["at"]
    assert answer["published"] == {
        "lists": [{"purpose": "revocation", "url": f"{STATUS_URL}/status-lists/{entries[0].list_id}"}],
        "within_seconds": 1.0,
    }
    assert "note" not in answer


async def test_a_suspension_that_only_this_ledger_shows_is_answered_with_a_note(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution(profile="certified")
    (award_id,) = await world.awards(institution, 1)

    answer = await change(client, institution, award_id, "suspension", {"reason_code": "under_review"})

    assert "registry and verification" in answer.json()["note"]


async def test_the_same_request_again_gets_the_same_bytes_even_after_the_standing_moved_on(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    (award_id,) = await world.awards(institution, 1)
    first = await change(client, institution, award_id, "suspension", key="once")
    await change(client, institution, award_id, "revocation")

    again = await change(client, institution, award_id, "suspension", key='"once"')

    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await world.revocation.load(f"standing/{award_id}")) == 2


async def test_the_same_key_with_another_wish_is_refused(world: World, client: httpx.AsyncClient) -> None:
    institution = await world.institution()
    one, two = await world.awards(institution, 2)
    await change(client, institution, one, "revocation", key="once")

    other_body = await change(client, institution, one, "revocation", {"reason_code": "other"}, key="once")
    other_award = await change(client, institution, two, "revocation", key="once")

    assert [a.json()["code"] for a in (other_body, other_award)] == ["idempotency_key_reused"] * 2
    assert (await standing(client, institution, two)).json()["history"] == []


async def test_revoking_what_is_revoked_records_nothing_and_answers_the_present_standing(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    (award_id,) = await world.awards(institution, 1)
    first = await change(client, institution, award_id, "revocation")

    again = await change(client, institution, award_id, "revocation", {"reason_code": "other"})

    assert again.json() == first.json()
    assert len(await world.revocation.load(f"standing/{award_id}")) == 1


@pytest.mark.parametrize("kind", ["suspension", "reinstatement"])
async def test_a_revoked_award_can_neither_be_suspended_nor_reinstated(
    world: World, client: httpx.AsyncClient, kind: str
) -> None:
    institution = await world.institution()
    (award_id,) = await world.awards(institution, 1)
    await change(client, institution, award_id, "revocation")

    answer = await change(client, institution, award_id, kind)

    assert (answer.status_code, answer.json()["code"]) == (422, "refused")


@pytest.mark.parametrize("kind", ["suspension", "reinstatement", "revocation", "standing"])
async def test_another_institutions_award_gets_the_answer_of_one_that_does_not_exist(
    world: World, client: httpx.AsyncClient, kind: str
) -> None:
    owner, stranger = await world.institution(), await world.institution()
    (award_id,) = await world.awards(owner, 1)

    if kind == "standing":
        found = [await standing(client, stranger, a) for a in (award_id, AWARD, "nonsense")]
    else:
        found = [await change(client, stranger, a, kind) for a in (award_id, AWARD, "nonsense")]

    assert [a.status_code for a in found] == [404, 404, 404]
    assert len({(a.json()["detail"], a.json()["code"]) for a in found}) == 1
    assert await world.revocation.load(f"standing/{award_id}") == []
    assert (await standing(client, owner, award_id)).status_code == 200


async def test_without_an_idempotency_key_or_an_api_key_nothing_is_changed(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    (award_id,) = await world.awards(institution, 1)
    url = f"/v1/awards/{award_id}/revocation"

    unnamed = await client.post(url, json=WHY, headers={"authorization": f"Bearer {institution.token}"})
    nobody = await client.post(url, json=WHY, headers={"idempotency-key": "k"})

    assert (unnamed.status_code, nobody.status_code) == (400, 401)
    assert unnamed.json()["code"] == "idempotency_key_missing"
    assert await world.revocation.load(f"standing/{award_id}") == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason_code"),
        ({"reason_code": "because"}, "/reason_code"),
        ({**WHY, "reason": ""}, "/reason"),
        ({**WHY, "reason": 7}, "/reason"),
        ({**WHY, "authority": "x" * 201}, "/authority"),
        ({**WHY, "effective": "2026-03-01T12:00:00"}, "/effective"),
        ({**WHY, "effective": "yesterday"}, "/effective"),
        ({**WHY, "colour": "red"}, "/colour"),
    ],
)
async def test_a_bad_field_is_named_and_nothing_is_recorded(
    world: World, client: httpx.AsyncClient, body: Any, pointer: str
) -> None:
    institution = await world.institution()
    (award_id,) = await world.awards(institution, 1)

    answer = await change(client, institution, award_id, "revocation", body)

    assert answer.status_code == 400, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await world.revocation.load(f"standing/{award_id}") == []


async def test_free_text_is_refused_for_the_moment_while_nobody_can_seal_it(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    (award_id,) = await world.awards(institution, 1)

    answer = await change(client, institution, award_id, "revocation", {**WHY, "reason": "Copied from a friend"})

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert await world.revocation.load(f"standing/{award_id}") == []
