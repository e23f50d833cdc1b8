"""Names that may be taken once within a tenant: by one event, whoever asks at the same time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.conftest import Database
from tests.store.builders import TENANT, fact, wish

from ledger.store import Name, NameTaken, Store

NAME = Name(TENANT, "award.external_id", b"n" * 32)
OTHERS = Name("inst_bbbbbbbbbbbbbbbbbbbbbbbbbb", NAME.kind, NAME.hash)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    opened = await Store.open(database.issuance)
    yield opened
    await opened.close()


async def take(store: Store, key: str, *names: Name) -> int:
    """The position of a new event that takes these names."""
    decision = await store.decide(f"access/{key}", lambda _: [fact(key)], wish=wish(key), names=names)
    return decision.events[0].position


async def test_a_name_is_taken_once_and_says_who_has_it(store: Store) -> None:
    position = await take(store, "first", NAME)

    with pytest.raises(NameTaken) as taken:
        await take(store, "second", NAME)

    assert taken.value.position == position
    assert await store.load("access/second") == []
    assert await store.head() == position


async def test_a_retry_of_who_took_it_is_answered_as_before(store: Store) -> None:
    position = await take(store, "first", NAME)

    assert await take(store, "first", NAME) == position


async def test_another_tenant_and_another_kind_have_names_of_their_own(store: Store) -> None:
    await take(store, "first", NAME)

    await take(store, "second", OTHERS, Name(TENANT, "result.external_id", NAME.hash))

    assert await store.head() == 2


async def test_of_many_who_want_a_name_at_once_one_gets_it(store: Store, database: Database) -> None:
    rival = await Store.open(database.issuance)

    tries = [take(each, f"k{n}", NAME) for n, each in enumerate([store, rival] * 20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)

    got = [outcome for outcome in outcomes if isinstance(outcome, int)]
    refused = {outcome.position for outcome in outcomes if isinstance(outcome, NameTaken)}
    assert len(got) == 1
    assert refused == set(got)
    assert await store.head() == 1
    await rival.close()


async def test_a_command_that_is_refused_takes_no_name(store: Store) -> None:
    free = Name(TENANT, NAME.kind, b"f" * 32)
    await take(store, "first", NAME)

    with pytest.raises(NameTaken):
        await take(store, "second", NAME, free)

    await take(store, "third", free)
