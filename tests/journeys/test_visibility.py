"""A change of standing is seen within a second, through caches too; no list is ever lost, no index used twice."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec
import pytest
from openbadgeslib.ob3 import status as openbadgeslib_status
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_jcs import EddsaJcsProofSuite
from openvc.status.status_list import check_credential_status
from tests.revocation.reader import bit, set_bits
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger.codec import parse_time
from ledger.proofs import Outcome, judge, methods_of
from ledger.proofs.keys import from_multibase

Json = dict[str, Any]
SUITES = {"eddsa-rdfc-2022": DataIntegrityProofSuite, "eddsa-jcs-2022": EddsaJcsProofSuite}
SEEN_SECONDS = 1.0
AWARDS = 60


class Kept(msgspec.Struct, frozen=True):
    """An answer in a cache: when it came, for how long it is fresh, and its validator."""

    document: Json
    received: float
    fresh_seconds: float
    etag: str | None


class Cache:
    """A private cache (RFC 9111) that also believes `ttl`: it asks again only when both allow it.

    Freshness is max-age, else Expires less Date, else a tenth of the age since Last-Modified (§4.2); `no-cache` allows
    no use without validation (§5.2.2.4), `no-store` no storing (§5.2.2.5).
    """

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=30)
        self._kept: dict[str, Kept] = {}
        self.served_from_memory = self.not_modified = 0

    def close(self) -> None:
        self._client.close()

    def get(self, url: str) -> Json:
        kept = self._kept.get(url)
        if kept is not None and time.monotonic() - kept.received < kept.fresh_seconds:
            self.served_from_memory += 1
            return kept.document
        asked = time.monotonic()
        answer = self._client.get(url, headers={"if-none-match": kept.etag} if kept and kept.etag else {})
        if answer.status_code == 304 and kept is not None:
            self.not_modified += 1
            document = kept.document
        else:
            assert answer.status_code == 200, answer.text
            document = answer.json()
        self._keep(url, document, answer, asked)
        return document

    def _keep(self, url: str, document: Json, answer: httpx.Response, asked: float) -> None:
        directives = {part.strip().lower() for part in answer.headers.get("cache-control", "").split(",")}
        self._kept.pop(url, None)
        if "no-store" in directives:
            return
        fresh = 0.0 if "no-cache" in directives else _lifetime(answer, directives)
        ttl = document["credentialSubject"].get("ttl", 0) / 1000
        self._kept[url] = Kept(document, asked, max(fresh, ttl), answer.headers.get("etag"))


def _lifetime(answer: httpx.Response, directives: set[str]) -> float:
    age = float(answer.headers.get("age", 0))
    for directive in directives:
        if directive.startswith("max-age="):
            return float(directive[8:]) - age
    sent = answer.headers.get("date")
    for name, share in (("expires", 1.0), ("last-modified", -0.1)):
        if sent and (moment := answer.headers.get(name)):
            return share * (parsedate_to_datetime(moment) - parsedate_to_datetime(sent)).total_seconds() - age
    return 0.0


class World(msgspec.Struct, frozen=True):
    """An institution with sixty awards, made by several callers at once."""

    ledger: Running
    institution: Institution
    awards: list[Json]

    def place(self, award: Json) -> tuple[str, int]:
        """Where an award's revocation bit is: the list's URL and the index."""
        entry = award["credential"]["credentialStatus"]
        return entry["statusListCredential"], int(entry["statusListIndex"])

    def change(self, award: Json, kind: str = "revocation") -> None:
        answer = self.ledger.post("revocation", f"/v1/awards/{award['id']}/{kind}", {"reason_code": "other"},
                                  key=self.institution.api_key)  # fmt: skip
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def world(ledger: Running) -> World:
    institution = ledger.institution("visible")
    achievement = ledger.achievement(institution)
    with ThreadPoolExecutor(6) as threads:
        made = threads.map(lambda n: ledger.award(institution, achievement, f"l{n}@learner.example"), range(AWARDS))
        return World(ledger, institution, list(made))


@pytest.fixture
def cache() -> Iterator[Cache]:
    cache = Cache()
    yield cache
    cache.close()


def test_no_index_is_used_twice_and_none_tells_the_order_of_awards(world: World) -> None:
    places = [world.place(award) for award in world.awards]

    assert len(set(places)) == AWARDS
    indices = [
        index for _, index in sorted(zip([a["position"] for a in world.awards], [i for _, i in places], strict=True))
    ]
    assert indices != sorted(indices)
    assert max(indices) - min(indices) > 50_000


def test_ten_revocations_at_once_are_each_seen_within_a_second_of_their_answer(world: World, cache: Cache) -> None:
    chosen = world.awards[:10]
    (url,) = {world.place(award)[0] for award in chosen}
    assert set_bits(cache.get(url)) == set()

    def revoked(award: Json) -> tuple[float, int]:
        world.change(award)
        return time.monotonic(), world.place(award)[1]

    seen: dict[int, float] = {}
    with ThreadPoolExecutor(10) as threads:
        answers = [threads.submit(revoked, award) for award in chosen]

        def all_seen() -> bool:
            now_set = set_bits(cache.get(url))
            seen.update({index: time.monotonic() for index in now_set - seen.keys()})
            return len(seen) == len(chosen)

        wait_until(all_seen, 10, "every bit is set")
    waits = [max(0.0, seen[index] - answered) for answered, index in (answer.result() for answer in answers)]

    assert max(waits) < SEEN_SECONDS, waits
    assert cache.served_from_memory > 0  # it did rely on what it was told it may keep
    wait_until(lambda: bool(cache.get(url)) and cache.not_modified > 0, 2, "an unchanged list is not sent again")


def test_one_revocation_after_another_is_seen_by_a_reader_that_asked_just_before(world: World, cache: Cache) -> None:
    waits = []
    for award in world.awards[10:15]:
        url, index = world.place(award)
        assert not bit(cache.get(url), index)

        world.change(award)
        answered = time.monotonic()
        wait_until(lambda u=url, i=index: bit(cache.get(u), i), 5, "the bit is set")  # type: ignore[misc]
        waits.append(time.monotonic() - answered)

    assert max(waits) < SEEN_SECONDS, waits


def test_a_list_as_of_a_moment_is_the_one_that_was_served_then(world: World) -> None:
    award = world.awards[15]
    url, index = world.place(award)
    before = httpx.get(url)
    world.change(award)
    wait_until(lambda: bit(httpx.get(url).json(), index), 1, "the bit is set")
    after = httpx.get(url).json()

    old = httpx.get(url, params={"timestamp": before.json()["validFrom"]})
    new = httpx.get(url, params={"timestamp": after["validFrom"]})

    assert old.content == before.content
    assert not bit(old.json(), index)
    assert new.json() == after
    assert bit(new.json(), index)
    assert parse_time(before.json()["validFrom"]) < parse_time(after["validFrom"]) <= datetime.now(UTC)


def test_the_signed_list_is_accepted_by_ourselves_and_by_libraries_that_did_not_sign_it(world: World) -> None:
    world.change(award := world.awards[16])
    url, index = world.place(award)
    wait_until(lambda: bit(httpx.get(url).json(), index), 1, "the bit is set")
    signed, fresh = httpx.get(url).json(), world.awards[17]["credential"]
    document = httpx.get(f"{world.ledger.url('registry')}/issuers/{world.institution.slug}/did.json").json()
    (method,) = methods_of(signed)
    (key,) = [from_multibase(m["publicKeyMultibase"]) for m in document["verificationMethod"] if m["id"] == method]

    assert [verdict.outcome for verdict in judge(signed, {method: key}, at=datetime.now(UTC))] == [Outcome.VERIFIED] * 2
    for proof in signed["proof"]:
        alone = {**signed, "proof": proof}
        assert SUITES[proof["cryptosuite"]]().verify(alone, public_key_jwk=key.jwk()).issuer == world.institution.did
    lists = {url: signed}
    assert check_credential_status(award["credential"], resolve_status_list=lists.__getitem__).revoked
    assert not check_credential_status(fresh, resolve_status_list=lists.__getitem__).revoked
    bits = openbadgeslib_status.decode_encoded_list(signed["credentialSubject"]["encodedList"])
    assert index in openbadgeslib_status.set_indices(bits)
    assert set(openbadgeslib_status.set_indices(bits)) == set_bits(signed)


def test_a_revocation_bit_is_never_cleared_and_says_so(world: World) -> None:
    award = world.awards[18]
    world.change(award)

    refused = world.ledger.post("revocation", f"/v1/awards/{award['id']}/reinstatement", {"reason_code": "other"},
                                key=world.institution.api_key)  # fmt: skip

    assert (refused.status_code, refused.json()["code"]) in {(409, "conflict"), (422, "refused")}
    assert bit(httpx.get(world.place(award)[0]).json(), world.place(award)[1])


def test_the_public_standing_changes_with_the_list(world: World) -> None:
    award = world.awards[19]
    url = f"{world.ledger.url('registry')}/v1/awards/{award['id']}"
    assert re.search('"(?:status|standing)":"valid"', httpx.get(url).text)

    world.change(award)

    wait_until(lambda: '"revoked"' in httpx.get(url).text, SEEN_SECONDS, "the registry shows it")
