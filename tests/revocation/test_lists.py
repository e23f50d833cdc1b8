"""Status lists as verifiers get them: what they say, when, to whom, and that nothing is ever lost."""

import asyncio
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.running import credledger
from tests.revocation.reader import bit, fetched, set_bits
from tests.revocation.world import KEK, STATUS_URL, Institution, World, bearer, eventually

from ledger.codec import format_time
from ledger.events import IssuerKeyChanged, StatusListPublished
from ledger.keyring import Keyring
from ledger.projector import rebuild
from revocation.app import projections_for


async def change(client: httpx.AsyncClient, institution: Institution, award_id: str, kind: str = "revocation") -> None:
    body = {"reason_code": "other"}
    answer = await client.post(f"/v1/awards/{award_id}/{kind}", json=body, headers=bearer(institution))
    assert answer.status_code == 200, answer.text


async def published(world: World, institution: Institution) -> list[StatusListPublished]:
    found = [r.event for r in await world.events(institution, "status_list.published")]
    return [event for event in found if isinstance(event, StatusListPublished)]


async def test_a_list_that_was_just_opened_is_signed_and_all_clear(world: World, client: httpx.AsyncClient) -> None:
    institution = await world.institution()
    ((_, (entry,)),) = (await world.awards(institution, 1)).items()

    credential = await fetched(client, entry.list_id)

    url = f"{STATUS_URL}/status-lists/{entry.list_id}"
    assert credential["id"] == url
    assert credential["issuer"] == institution.did
    assert credential["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert credential["credentialSubject"]["id"] == f"{url}#list"
    assert credential["credentialSubject"]["statusPurpose"] == "revocation"
    assert [p["cryptosuite"] for p in credential["proof"]] == ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
    assert set_bits(credential) == set()


async def test_each_purpose_has_a_list_and_a_revocation_bit_is_never_cleared(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution(profile="full")
    ((award_id, entries),) = (await world.awards(institution, 1)).items()
    places = {entry.purpose: entry for entry in entries}
    seen = []
    for kind in ("suspension", "reinstatement", "suspension", "revocation"):
        await change(client, institution, award_id, kind)
        seen.append({p: bit(await fetched(client, entry.list_id), entry.index) for p, entry in sorted(places.items())})

    assert seen == [
        {"revocation": False, "suspension": True},
        {"revocation": False, "suspension": False},
        {"revocation": False, "suspension": True},
        {"revocation": True, "suspension": True},
    ]


async def test_many_revocations_at_once_through_two_processes_lose_no_bit(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    made = await world.awards(institution, 200)
    chosen = list(made)[::2]

    async with world.service() as second:
        both = (client, second)
        await asyncio.gather(*(change(both[n % 2], institution, a) for n, a in enumerate(chosen)))
        (list_id,) = {entries[0].list_id for entries in made.values()}
        lists = [await fetched(each, list_id) for each in both]

    wanted = {made[a][0].index for a in chosen}
    assert [set_bits(credential) for credential in lists] == [wanted, wanted]
    positions = [event.position for event in await published(world, institution)]
    assert len(set(positions)) == len(positions)


async def test_what_is_published_is_bound_by_the_digest_of_the_bits_in_a_public_statement(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    ((award_id, (entry,)),) = (await world.awards(institution, 1)).items()
    await fetched(client, entry.list_id)
    await change(client, institution, award_id)
    await fetched(client, entry.list_id)

    bits = bytearray(16384)
    empty = hashlib.sha256(bits).hexdigest()
    bits[entry.index // 8] |= 0x80 >> entry.index % 8
    assert [event.digest for event in await published(world, institution)] == [empty, hashlib.sha256(bits).hexdigest()]
    statements = [r.leaf for r in await world.events(institution, "status_list.published")]
    assert all(leaf[:1] == b"\x02" and entry.list_id.encode() in leaf for leaf in statements)


async def test_a_reader_that_caches_as_it_is_told_sees_a_change_within_a_second(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    made = await world.awards(institution, 5)
    reader = CachingReader(client)
    waits = []
    for award_id, (entry,) in made.items():
        assert not bit(await reader.get(entry.list_id), entry.index)
        await change(client, institution, award_id)
        began = time.monotonic()
        await eventually(lambda e=entry: reader.shows(e.list_id, e.index), 5, "the change shows")
        waits.append(time.monotonic() - began)

    assert max(waits) < 1.0, waits


class CachingReader:
    """Keeps a list as long as `Cache-Control` and `ttl` both allow, then asks again with its ETag."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._kept: dict[str, tuple[float, str, Any]] = {}

    async def shows(self, list_id: str, index: int) -> bool:
        return bit(await self.get(list_id), index)

    async def get(self, list_id: str) -> Any:
        kept = self._kept.get(list_id)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[2]
        headers = {"if-none-match": kept[1]} if kept else {}
        answer = await self._client.get(f"/status-lists/{list_id}", headers=headers)
        document = kept[2] if answer.status_code == 304 and kept else answer.json()
        directives = [part.strip() for part in answer.headers["cache-control"].split(",")]
        ages = [int(part[8:]) for part in directives if part.startswith("max-age=")]
        # A verifier that reads `ttl` may not look at HTTP at all: the longer of the two must be short enough.
        age = 0 if "no-cache" in directives else max(ages)
        until = time.monotonic() + max(age, document["credentialSubject"]["ttl"] / 1000)
        self._kept[list_id] = (until, answer.headers["etag"], document)
        return document


async def test_a_list_answers_head_and_not_modified_and_anybody_may_read_it(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    ((_, (entry,)),) = (await world.awards(institution, 1)).items()
    url = f"/status-lists/{entry.list_id}"

    whole = await client.get(url)
    head = await client.head(url)
    same = await client.get(url, headers={"if-none-match": whole.headers["etag"]})

    assert whole.headers["content-type"].startswith("application/vc")
    assert not whole.headers["etag"].startswith("W/")
    assert whole.headers["cache-control"] == "public, no-cache"
    assert whole.headers["access-control-allow-origin"] == "*"
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", whole.headers["etag"])
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", whole.headers["etag"])


async def test_a_list_can_be_had_as_it_was_at_any_time_since_it_was_opened(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    before = datetime.now(UTC) - timedelta(seconds=1)
    made = await world.awards(institution, 3)
    (list_id,) = {entries[0].list_id for entries in made.values()}
    seen: list[Any] = [await fetched(client, list_id)]
    for award_id in made:
        await change(client, institution, award_id)
        seen.append(await fetched(client, list_id))

    for credential in seen:
        moment = credential["validFrom"]
        assert await fetched(client, list_id, timestamp=moment) == credential
        assert await fetched(client, list_id, timestamp=moment.replace("Z", "+00:00")) == credential
    assert len({credential["validFrom"] for credential in seen}) == 4
    too_early = await client.get(f"/status-lists/{list_id}", params={"timestamp": format_time(before)})
    assert (too_early.status_code, too_early.json()["title"]) == (404, "STATUS_RETRIEVAL_ERROR")


@pytest.mark.parametrize("timestamp", ["yesterday", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", ""])
async def test_a_time_without_a_zone_or_sense_is_malformed(
    world: World, client: httpx.AsyncClient, timestamp: str
) -> None:
    institution = await world.institution()
    ((_, (entry,)),) = (await world.awards(institution, 1)).items()

    answer = await client.get(f"/status-lists/{entry.list_id}", params={"timestamp": timestamp})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_a_time_that_has_not_come_and_a_list_that_is_not_there_are_not_found(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    ((_, (entry,)),) = (await world.awards(institution, 1)).items()

    future = await client.get(f"/status-lists/{entry.list_id}", params={"timestamp": "2999-01-01T00:00:00Z"})
    unknown = [await client.get(f"/status-lists/{name}") for name in ("sl_" + "a" * 26, "nonsense")]

    assert future.json()["code"] == "status_retrieval_error"
    assert [answer.json()["code"] for answer in unknown] == ["not_found"] * 2


async def test_a_new_key_signs_the_lists_anew_and_what_the_old_one_signed_can_still_be_had(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    ((_, (entry,)),) = (await world.awards(institution, 1)).items()
    old = await fetched(client, entry.list_id)
    added = await world.new_key(institution.id, institution.did)
    await world.append(f"institution/{institution.id}", institution.id, retired(old, institution), added)

    new = await fetched(client, entry.list_id)

    method = f"{institution.did}#{added.key_id}"
    assert {proof["verificationMethod"] for proof in new["proof"]} == {method}
    assert {proof["verificationMethod"] for proof in old["proof"]} != {method}
    assert new["credentialSubject"] == old["credentialSubject"]
    assert await fetched(client, entry.list_id, timestamp=old["validFrom"]) == old


def retired(signed: dict[str, Any], institution: Institution, change: str = "retired") -> IssuerKeyChanged:
    return IssuerKeyChanged(
        issuer=institution.did,
        key_id=signed["proof"][0]["verificationMethod"].partition("#")[2],
        change=change,
        algorithm="Ed25519",
        public_key="z6Mk",
        effective=format_time(datetime.now(UTC)),
    )


async def test_the_rebuilt_tables_hash_equal_to_the_live_ones(fresh: World, tmp_path: Path) -> None:
    institution = await fresh.institution(profile="full")
    made = await fresh.awards(institution, 4)
    async with fresh.service() as client:
        for award_id, entries in made.items():
            await change(client, institution, award_id, "suspension")
            for entry in entries:
                await fetched(client, entry.list_id)
        await change(client, institution, next(iter(made)), "revocation")
        for entry in next(iter(made.values())):
            await fetched(client, entry.list_id)

    settings = {"DATABASE_URL": fresh.database.revocation, "SIGNING_KEK": KEK.hex()}
    ended = await asyncio.to_thread(credledger, "rebuild", "revocation", "--json", data=tmp_path, **settings)

    assert ended.status == 0, ended.out + ended.err
    (rebuilt,) = json.loads(ended.out)
    assert rebuilt["changed"] == []
    assert rebuilt["after"] == rebuilt["before"]
    tables = {"api_keys", "approvals", "flips", "issuers", "list_versions", "lists", "positions", "tenants"}
    assert set(rebuilt["after"]) == tables


async def test_after_a_compromise_the_new_key_signs_even_what_is_rebuilt_of_the_old_one(fresh: World) -> None:
    institution = await fresh.institution()
    ((_, (entry,)),) = (await fresh.awards(institution, 1)).items()
    async with fresh.service() as client:
        old = await fetched(client, entry.list_id)
        added = await fresh.new_key(institution.id, institution.did)
        await fresh.append(
            f"institution/{institution.id}", institution.id, retired(old, institution, "compromised"), added
        )
        await fresh.keys.destroy(retired(old, institution).key_id)
        await fetched(client, entry.list_id)
    store = fresh.revocation
    await rebuild(projections_for(store, STATUS_URL, Keyring.single(KEK)), store)

    async with fresh.service() as client:
        again = await fetched(client, entry.list_id, timestamp=old["validFrom"])

    assert again["validFrom"] == old["validFrom"]
    assert again["credentialSubject"] == old["credentialSubject"]
    assert {proof["verificationMethod"] for proof in again["proof"]} == {f"{institution.did}#{added.key_id}"}
    assert {proof["created"] for proof in again["proof"]} == {added.effective}
