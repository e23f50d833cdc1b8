"""Leases of places: blocks never overlap, a generation is filled before the next, and lists are opened first."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.revocation.histories import NOON, TENANT, institution_history, placed

from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.events import LeaseGranted
from revocation.lists import leases
from revocation.lists.leases import LENGTH, LeaseRequest

SECRET = b"s" * 32
STREAM = f"lease/{TENANT}"
PURPOSES = ("revocation", "suspension")


def request(count: int) -> LeaseRequest:
    return LeaseRequest(institution=TENANT, holder="h", command=UUID(int=1), count=count)


def lists(generation: int) -> dict[str, str]:
    return leases.lists_for(SECRET, TENANT, generation, PURPOSES)


def opened(generation: int) -> list[list[Recorded]]:
    return [
        placed(f"list/{list_id}", leases.open_list(list_id, purpose, [], at=NOON))
        for purpose, list_id in lists(generation).items()
    ]


def granted(history: list[Recorded], count: int) -> list[Fact]:
    generation = leases.current(history).generation
    return leases.grant(
        request(count),
        history,
        institution_history(),
        *opened(generation),
        lists=lists(generation),
        generation=generation,
        at=NOON,
    )


@settings(max_examples=25)
@given(st.lists(st.integers(1, leases.BLOCK_LIMIT), min_size=1, max_size=60))
def test_no_counter_of_any_list_is_given_out_twice_and_none_is_left_out(counts: list[int]) -> None:
    history: list[Recorded] = []
    reached: dict[str, int] = {}
    for count in counts:
        history = placed(STREAM, granted(history, count), history)
        event = history[-1].event
        assert isinstance(event, LeaseGranted)
        for list_id in event.lists.values():
            assert event.first == reached.get(list_id, 0)
            reached[list_id] = event.first + event.count
            assert reached[list_id] <= LENGTH


def test_the_last_block_of_a_generation_is_as_long_as_what_is_left_and_the_next_begins_at_nought() -> None:
    full = LeaseGranted(lists=lists(0), first=0, count=LENGTH - 10)
    history = placed(STREAM, [Fact(event=full, at=NOON)])

    history = placed(STREAM, granted(history, 1024), history)
    history = placed(STREAM, granted(history, 1024), history)

    tail, fresh = history[-2].event, history[-1].event
    assert tail == LeaseGranted(lists=lists(0), first=LENGTH - 10, count=10, holder="h")
    assert fresh == LeaseGranted(lists=lists(1), first=0, count=1024, holder="h")


def test_lists_of_different_purposes_and_generations_have_different_ids() -> None:
    found = [list_id for generation in range(3) for list_id in lists(generation).values()]

    assert len(set(found)) == len(found)


def test_a_lease_names_no_list_that_is_not_open() -> None:
    with pytest.raises(errors.Conflict):
        leases.grant(request(1), [], institution_history(), *opened(0)[:1], [], lists=lists(0), generation=0, at=NOON)


def test_a_lease_of_a_generation_that_is_full_meanwhile_is_decided_anew() -> None:
    history = placed(STREAM, [Fact(event=LeaseGranted(lists=lists(0), first=0, count=LENGTH), at=NOON)])

    with pytest.raises(errors.Conflict):
        leases.grant(request(1), history, institution_history(), *opened(0), lists=lists(0), generation=0, at=NOON)


def test_an_open_list_is_not_opened_again() -> None:
    history = placed("list/sl_x", leases.open_list("sl_x", "revocation", [], at=NOON))

    assert leases.open_list("sl_x", "revocation", history, at=NOON) == []
