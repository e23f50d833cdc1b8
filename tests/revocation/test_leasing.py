"""Leases against a real log: no place is given out twice, whoever asks, however often, from however many processes."""

import asyncio
from uuid import uuid4

import pytest
from tests.revocation.world import SECRET, Institution, World

from ledger import errors
from ledger.events import InstitutionDeactivated, LeaseGranted, StatusListOpened
from ledger.store import Store
from revocation.lists.leases import LENGTH, LeaseRequest
from revocation.lists.leasing import Leasing


def request(institution: Institution, count: int = 1024) -> LeaseRequest:
    return LeaseRequest(institution.id, "start", uuid4(), count)


async def test_processes_that_ask_at_once_and_start_anew_never_get_the_same_place(world: World) -> None:
    institution = await world.institution()
    places: list[int] = []
    for _ in range(3):  # each round is a restart: nothing is remembered
        stores = [await Store.open(world.database.revocation) for _ in range(3)]
        leasings = [Leasing(store, SECRET) for store in stores]
        granted = await asyncio.gather(
            *(leasing.grant(request(institution, 100)) for leasing in leasings for _ in range(2))
        )
        places += [lease.first + n for lease in granted for n in range(lease.count)]
        for store in stores:
            await store.close()

    assert sorted(places) == list(range(1800))


async def test_the_same_command_gets_the_same_lease_and_takes_no_further_places(world: World) -> None:
    institution = await world.institution()
    wish = request(institution)

    first, again = [await world.leasing.grant(wish) for _ in range(2)]
    other = await world.leasing.grant(request(institution))

    assert again == first
    assert other.first == first.first + first.count
    assert other.lease_id != first.lease_id


async def test_the_profile_says_which_lists_a_lease_is_of(world: World) -> None:
    certified, full = await world.institution(), await world.institution(profile="full")

    leases = [await world.leasing.grant(request(institution)) for institution in (certified, full)]

    assert [set(lease.lists) for lease in leases] == [{"revocation"}, {"revocation", "suspension"}]
    assert len({list_id for lease in leases for list_id in lease.lists.values()}) == 3
    assert {lease.length for lease in leases} == {LENGTH}


async def test_the_next_list_is_open_before_the_last_is_full_and_every_list_is_opened_before_it_is_leased(
    world: World,
) -> None:
    institution = await world.institution()
    leases = [await world.leasing.grant(request(institution, 8192)) for _ in range(18)]

    events = await world.events(institution, "")
    opened = {e.event.list_id: e.position for e in events if isinstance(e.event, StatusListOpened)}
    granted = [e for e in events if isinstance(e.event, LeaseGranted)]
    first, second = opened
    last_of_first = max(e.position for e in granted if first in e.event.lists.values())  # type: ignore[union-attr]
    assert [lease.first for lease in leases[15:]] == [15 * 8192, 0, 8192]
    assert opened[second] < last_of_first
    for lease in granted:
        assert all(opened[i] < lease.position for i in lease.event.lists.values())  # type: ignore[union-attr]


async def test_an_institution_that_is_unknown_or_suspended_gets_no_lease(world: World) -> None:
    institution = await world.institution()
    await world.append(f"institution/{institution.id}", institution.id, InstitutionDeactivated(reason_code="other"))
    stranger = Institution("inst_" + "z" * 26, "", "")

    with pytest.raises(errors.NotFound):
        await world.leasing.grant(request(stranger))
    with pytest.raises(errors.Refused):
        await world.leasing.grant(request(institution))
    assert await world.events(institution, "lease.") == []
