"""The same change of many awards over HTTP: the preview, carrying it out, staleness, resuming."""

import asyncio
from typing import Any

import httpx
from tests.revocation.histories import AWARD
from tests.revocation.reader import fetched, set_bits
from tests.revocation.world import Institution, World, bearer, eventually

from ledger import ids


async def preview(client: httpx.AsyncClient, institution: Institution, award_ids: list[str], **varied: Any) -> Any:
    body = {"award_ids": award_ids, "change": "revoke", "reason_code": "superseded", **varied}
    headers = {"authorization": f"Bearer {institution.token}"}
    answer = await client.post("/v1/standings/previews", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def carry_out(
    client: httpx.AsyncClient, institution: Institution, previewed: Any, key: str | None = None
) -> httpx.Response:
    body = {"preview_token": previewed["preview_token"]}
    return await client.post("/v1/standings/changes", json=body, headers=bearer(institution, key))


async def revoke(client: httpx.AsyncClient, institution: Institution, award_id: str) -> None:
    body = {"reason_code": "other"}
    answer = await client.post(f"/v1/awards/{award_id}/revocation", json=body, headers=bearer(institution))
    assert answer.status_code == 200, answer.text


async def standings(world: World, institution: Institution) -> list[str]:
    return [r.stream for r in await world.events(institution, "award.") if r.stream.startswith("standing/")]


async def test_what_the_preview_says_is_what_happens(world: World, client: httpx.AsyncClient) -> None:
    institution, other = await world.institution(), await world.institution()
    fresh, revoked = await world.awards(institution, 2)
    (foreign,) = await world.awards(other, 1)
    await revoke(client, institution, revoked)
    before = len(await standings(world, institution))

    previewed = await preview(client, institution, [fresh, revoked, foreign, AWARD])
    quiet = len(await standings(world, institution))
    answer = (await carry_out(client, institution, previewed)).json()

    assert [item["outlook"] for item in previewed["data"]] == ["change", "nothing", "unknown", "unknown"]
    assert previewed["counts"] == {"change": 1, "nothing": 1, "unknown": 2}
    assert quiet == before
    assert [item["outcome"] for item in answer["data"]] == ["changed", "nothing", "unknown", "unknown"]
    assert answer["effective"] == previewed["effective"] == answer["data"][0]["standing"]["since"]
    assert await world.revocation.load(f"standing/{foreign}") == []


async def test_a_preview_that_the_rules_refuse_says_why_and_changes_nothing(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    (award_id,) = await world.awards(institution, 1)
    await revoke(client, institution, award_id)

    previewed = await preview(client, institution, [award_id], change="suspend")
    answer = (await carry_out(client, institution, previewed)).json()

    assert previewed["data"][0]["outlook"] == "refused"
    assert "final" in previewed["data"][0]["detail"]
    assert answer["data"][0]["outcome"] == "refused"
    assert len(await world.revocation.load(f"standing/{award_id}")) == 1


async def test_a_stale_preview_changes_nothing_at_all(world: World, client: httpx.AsyncClient) -> None:
    institution = await world.institution()
    award_ids = list(await world.awards(institution, 3))
    previewed = await preview(client, institution, award_ids)
    await revoke(client, institution, award_ids[1])

    answer = await carry_out(client, institution, previewed)

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert award_ids[1] in answer.json()["errors"][0]["detail"]
    assert await standings(world, institution) == [f"standing/{award_ids[1]}"]


async def test_the_same_request_again_gets_the_same_bytes_and_another_preview_under_its_key_is_refused(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    award_ids = list(await world.awards(institution, 3))
    previewed = await preview(client, institution, award_ids[:2])
    first = await carry_out(client, institution, previewed, key="bulk")

    again = await carry_out(client, institution, previewed, key="bulk")
    other = await carry_out(client, institution, await preview(client, institution, award_ids[2:]), key="bulk")

    assert again.content == first.content
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert other.json()["code"] == "idempotency_key_reused"
    assert len(await standings(world, institution)) == 2


async def test_what_was_stopped_half_way_is_completed_by_the_same_request_with_one_event_an_award(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    made = await world.awards(institution, 300)
    previewed = await preview(client, institution, list(made))
    stopped = asyncio.create_task(carry_out(client, institution, previewed, key="resumed"))

    async def begun() -> bool:
        return bool(await standings(world, institution))

    await eventually(begun, 10, "the first award is revoked")
    stopped.cancel()
    await asyncio.wait({stopped})

    whole = await carry_out(client, institution, previewed, key="resumed")
    again = await carry_out(client, institution, previewed, key="resumed")

    assert stopped.cancelled()
    assert whole.json()["counts"] == {"changed": 300}
    assert again.content == whole.content
    streams = await standings(world, institution)
    assert sorted(streams) == sorted(f"standing/{award_id}" for award_id in made)


async def test_two_tries_at_once_make_each_change_once(world: World, client: httpx.AsyncClient) -> None:
    institution = await world.institution()
    made = await world.awards(institution, 20)
    previewed = await preview(client, institution, list(made))

    async with world.service() as second:
        answers = await _both(
            carry_out(client, institution, previewed, key="twice"),
            carry_out(second, institution, previewed, key="twice"),
        )

    assert [a.status_code for a in answers] == [200, 200], [a.text for a in answers]
    assert answers[0].content == answers[1].content
    assert sorted(await standings(world, institution)) == sorted(f"standing/{award_id}" for award_id in made)


async def test_a_thousand_revocations_show_in_the_list_and_nothing_else_does(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    made = await world.awards(institution, 1020)
    chosen = list(made)[10:1010]
    previewed = await preview(client, institution, chosen)

    answer = await carry_out(client, institution, previewed)

    assert answer.json()["counts"] == {"changed": 1000}
    (entry,) = made[chosen[0]]
    assert set_bits(await fetched(client, entry.list_id)) == {made[a][0].index for a in chosen}


async def test_more_than_a_thousand_awards_and_one_named_twice_are_pointed_at(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    headers = {"authorization": f"Bearer {institution.token}"}
    many = [ids.text_id("awd", number.to_bytes(16, "big")) for number in range(1001)]
    for award_ids, pointer in ((many, "/award_ids"), ([AWARD, AWARD], "/award_ids/1"), (["x"], "/award_ids/0")):
        body = {"award_ids": award_ids, "change": "revoke", "reason_code": "other"}

        answer = await client.post("/v1/standings/previews", json=body, headers=headers)

        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def _both(*wishes: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*wishes))
