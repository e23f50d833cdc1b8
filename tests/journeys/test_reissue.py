"""The same content under new keys: what a compromise drill does to each award, by a second process of issuance."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import msgspec
import pytest
from tests.conftest import run_apart
from tests.journeys.test_corrections import bit_of, change, made
from tests.running import Running
from tests.servers import wait_until

from issuance.app import run
from issuance.correcting import reissue
from issuance.parts import Issuance
from ledger.access import Keys
from ledger.codec import Actor
from ledger.errors import NotFound, Refused
from ledger.proofs import methods_of
from ledger.settings import Settings
from ledger.store import Wish

T = TypeVar("T")


def with_issuance(ledger: Running, work: Callable[[Issuance], Awaitable[T]]) -> T:
    """What `work` gives in a process of issuance beside the running one."""

    async def lived() -> T:
        settings = Settings.from_environment("issuance", ledger.environment("issuance"))
        opened: asyncio.Future[Issuance] = asyncio.get_running_loop().create_future()
        living = asyncio.create_task(run(settings, Keys("issuance", settings.pepper), opened.set_result))
        try:
            await asyncio.wait([living, opened], return_when=asyncio.FIRST_COMPLETED, timeout=20)
            return await work(opened.result())
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)

    return run_apart(lived())


def wish(tenant: str) -> Wish:
    return Wish(tenant=tenant, command=uuid4(), actor=Actor(key="issuance", role="service"))


def test_a_reissued_award_says_the_same_under_the_new_keys(ledger: Running) -> None:
    institution, old = made(ledger, "reissuing")
    rotated = ledger.post("issuance", "/v1/signing-keys/rotation", None, key=institution.api_key)
    assert rotated.is_success, rotated.text
    asked = wish(institution.id)

    async def twice(issuance: Issuance) -> list[bytes]:
        return [msgspec.json.encode(await reissue(issuance, asked, old["id"], "key_compromise")) for _ in range(2)]

    first, again = with_issuance(ledger, twice)

    new = msgspec.json.decode(first)
    assert first == again
    assert new["superseded"][0]["reason_code"] == "key_compromise"
    assert new["credential"]["credentialSubject"] == old["credential"]["credentialSubject"]
    assert set(methods_of(new["credential"])).isdisjoint(methods_of(old["credential"]))
    assert httpx.get(new["credential_url"]).json() == new["credential"]
    wait_until(lambda: bit_of(old["credential"]), 1.0, "the old document counts no longer")
    assert ledger.verify(credential=new["credential"])["verified"]


def test_what_was_revoked_or_is_anothers_is_not_reissued(ledger: Running) -> None:
    institution, award = made(ledger, "reissuing-revoked")
    other = ledger.institution("reissuing-other")
    assert change(ledger, institution, award["id"], "revocation").is_success

    async def refused(issuance: Issuance) -> Any:
        with pytest.raises(Refused, match="revoked"):
            await reissue(issuance, wish(institution.id), award["id"], "key_compromise")
        with pytest.raises(NotFound):
            await reissue(issuance, wish(other.id), award["id"], "key_compromise")

    with_issuance(ledger, refused)
