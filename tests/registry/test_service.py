"""The registry as a process sees itself: ready without a bus, closed to other addresses, open about its own state."""

import asyncio

import httpx
import pytest
from tests.conftest import Database
from tests.registry.world import World, settings

from ledger import opening
from ledger.events import LEDGER_TENANT, LedgerOpened
from ledger.opening import AddressesDiffer
from ledger.store import Store


async def test_it_is_ready_without_the_bus_and_says_so(registry: httpx.AsyncClient) -> None:
    answer = await registry.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {
        "parts": "ok",
        "database": "ok",
        "projections": "ok",
        "bus": "away; everything goes on without it",
    }


async def test_its_figures_tell_how_far_each_projection_is(told: httpx.AsyncClient) -> None:
    figures = (await told.get("/metrics")).text

    assert 'projection_position{projection="registry"}' in figures
    assert 'projection_position{projection="access"}' in figures
    assert "bus_connected 0.0" in figures


async def test_the_addresses_are_the_first_fact_and_are_recorded_once(database: Database) -> None:
    configured = settings(database)
    store = await Store.open(database.registry)

    first = await opening.open_ledger(store, configured)
    again = await opening.open_ledger(store, configured)

    assert first == again == LedgerOpened(public_url="http://localhost:8000", status_url="http://localhost:8002")
    assert [(r.position, r.stream, r.tenant) for r in await store.read(0)] == [(1, "ledger/settings", LEDGER_TENANT)]
    await store.close()


@pytest.mark.parametrize("name", ["CREDLEDGER_PUBLIC_URL", "CREDLEDGER_STATUS_URL"])
async def test_other_addresses_are_refused_in_a_sentence_that_names_both(database: Database, name: str) -> None:
    store = await Store.open(database.registry)
    await opening.open_ledger(store, settings(database))
    moved = settings(database, **{name: "https://elsewhere.example"})

    for refuse in (opening.open_ledger, opening.opened):
        with pytest.raises(
            AddressesDiffer, match=rf"{name} is https://elsewhere.example.*http://localhost:800"
        ) as said:
            await refuse(store, moved)
        assert str(said.value).endswith("or start an empty ledger.")
    await store.close()


async def test_the_other_services_wait_until_the_ledger_is_opened(world: World, database: Database) -> None:
    waiting = asyncio.create_task(opening.opened(world.issuance, settings(database)))
    registry = await Store.open(database.registry)

    recorded = await opening.open_ledger(registry, settings(database))

    assert await asyncio.wait_for(waiting, 10) == recorded
    await registry.close()
