"""The rules of key-encryption epochs: when one begins, when all is sealed anew, when an old one may go."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, placed

from issuance import epochs
from issuance.epochs import STREAM, Known, Policy
from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.events import LEDGER_TENANT, EpochBegun, EpochDestroyed, RewrapOrdered, Rewrapped

POLICY = Policy(rotation_days=90, retention_days=30)
DAY = timedelta(days=1)


def began(epoch: int, at: datetime = NOON, ring: str = "data") -> Fact:
    return Fact(event=EpochBegun(ring=ring, epoch=epoch, check=f"check-{epoch}"), at=at)


def rewrapped(epoch: int, counts: Mapping[str, int], at: datetime = NOON) -> Fact:
    return Fact(event=Rewrapped(ring="data", epoch=epoch, rewrapped=dict(counts)), at=at)


def history(*facts: Fact) -> list[Recorded]:
    return placed(STREAM, facts, tenant=LEDGER_TENANT)


def known(sealed: Mapping[int, int], current: int = 2, keyring: Sequence[int] = (2, 1)) -> Known:
    return Known("data", current, tuple(keyring), sealed)


ROTATED = history(began(1, NOON - 100 * DAY), began(2), rewrapped(2, {"1": 7}))


def test_an_epoch_begins_once() -> None:
    first = epochs.begin("data", 1, "c", [], at=NOON)

    assert first == [Fact(event=EpochBegun(ring="data", epoch=1, check="c"), at=NOON)]
    assert epochs.begin("data", 1, "c", history(*first), at=NOON) == []
    assert epochs.begin("signing", 1, "c", history(*first), at=NOON) != []


def test_another_key_under_a_known_number_is_refused() -> None:
    with pytest.raises(errors.Refused, match="was another key"):
        epochs.begin("data", 1, "other", history(began(1)), at=NOON)


def test_a_destroyed_epoch_cannot_seal_again() -> None:
    gone = history(began(1), Fact(event=EpochDestroyed(ring="data", epoch=1), at=NOON))

    with pytest.raises(errors.Refused, match="destroyed"):
        epochs.begin("data", 1, "check-1", gone, at=NOON)


def test_an_operators_order_is_recorded_each_time() -> None:
    ordered = epochs.order({"data": 2}, [], at=NOON)

    assert ordered == [Fact(event=RewrapOrdered(epochs={"data": 2}), at=NOON)]
    assert epochs.order({"data": 2}, history(*ordered), at=NOON) == ordered


def test_that_all_is_sealed_anew_is_recorded_with_the_counts_and_again_when_they_grow() -> None:
    before = history(began(1), began(2))

    assert epochs.finish("data", 2, {"1": 7}, before, at=NOON) == [rewrapped(2, {"1": 7})]
    assert epochs.finish("data", 2, {"1": 7}, ROTATED, at=NOON) == []
    assert epochs.finish("data", 2, {"1": 9}, ROTATED, at=NOON) == [rewrapped(2, {"1": 9})]
    assert epochs.finish("data", 2, {}, before, at=NOON) == [rewrapped(2, {})]


def test_the_first_epoch_has_nothing_to_seal_anew() -> None:
    assert epochs.finish("data", 1, {}, history(began(1)), at=NOON) == []


def test_while_something_lies_under_an_old_epoch_it_is_needed() -> None:
    status = epochs.status_of(known({1: 3, 2: 4}), history(began(1), began(2)), policy=POLICY, at=NOON)

    assert (status.left, status.current_epoch) == (3, 2)
    assert [(e.epoch, e.sealed, e.destroyable) for e in status.epochs] == [(2, 4, False), (1, 3, False)]
    assert status.epochs[1].what_next == "3 keys are still to be sealed anew."
    with pytest.raises(errors.Refused, match="still needed"):
        epochs.destroy(known({1: 3, 2: 4}), 1, history(began(1), began(2)), policy=POLICY, at=NOON)


def test_an_old_epoch_is_kept_until_the_last_backup_that_needs_it_has_expired() -> None:
    end = NOON + 30 * DAY
    early = epochs.status_of(known({2: 7}), ROTATED, policy=POLICY, at=end - timedelta(seconds=1)).epochs[1]
    due = epochs.status_of(known({2: 7}), ROTATED, policy=POLICY, at=end).epochs[1]

    assert (early.destroyable, early.destroyable_from, early.rewrapped_away) == (False, format_time(end), 7)
    assert early.what_next == f"Keep it until {format_time(end)}, when the last backup that needs it expires."
    assert (due.destroyable, due.what_next) == (True, "The last backup that needs it has expired: destroy it.")


def test_an_old_epoch_is_destroyed_once() -> None:
    end = NOON + 30 * DAY
    facts = epochs.destroy(known({2: 7}), 1, ROTATED, policy=POLICY, at=end)
    after = placed(STREAM, facts, ROTATED)

    assert facts == [Fact(event=EpochDestroyed(ring="data", epoch=1), at=end)]
    assert epochs.destroy(known({2: 7}), 1, after, policy=POLICY, at=end) == []
    status = epochs.status_of(known({2: 7}), after, policy=POLICY, at=end).epochs[1]
    assert (status.destroyable, status.destroyed_at) == (False, format_time(end))
    assert status.what_next == "Destroyed. Take it out of the keyring."


@pytest.mark.parametrize(("epoch", "why"), [(2, "It seals"), (3, "does not seal yet")])
def test_the_epoch_that_seals_and_one_to_come_are_never_destroyed(epoch: int, why: str) -> None:
    whole = placed(STREAM, [began(3)], ROTATED)

    with pytest.raises(errors.Refused, match=why):
        epochs.destroy(known({2: 7}, keyring=(2, 3, 1)), epoch, whole, policy=POLICY, at=NOON + 99 * DAY)


def test_an_epoch_that_never_was_is_not_found() -> None:
    with pytest.raises(errors.NotFound):
        epochs.destroy(known({2: 7}), 9, ROTATED, policy=POLICY, at=NOON)


def test_what_was_sealed_late_under_an_old_epoch_puts_its_end_off() -> None:
    late = placed(STREAM, [rewrapped(2, {"1": 8}, NOON + 5 * DAY)], ROTATED)

    status = epochs.status_of(known({2: 8}), late, policy=POLICY, at=NOON + 6 * DAY).epochs[1]

    assert status.destroyable_from == format_time(NOON + 35 * DAY)


def test_a_rotation_is_overdue_when_the_interval_has_passed() -> None:
    def status(at: datetime) -> tuple[str | None, bool]:
        found = epochs.status_of(known({2: 7}), ROTATED, policy=POLICY, at=at)
        return found.rotate_by, found.rotation_overdue

    due = NOON + 90 * DAY
    assert status(due - timedelta(seconds=1)) == (format_time(due), False)
    assert status(due) == (format_time(due), True)


def test_keys_in_a_hardware_module_are_no_epoch() -> None:
    status = epochs.status_of(known({0: 2, 2: 7}), ROTATED, policy=POLICY, at=NOON)

    assert ([e.epoch for e in status.epochs], status.left) == ([2, 1], 0)


def test_a_missing_key_under_which_something_lies_is_called_for() -> None:
    status = epochs.status_of(known({1: 3, 2: 4}, keyring=(2,)), ROTATED, policy=POLICY, at=NOON + 99 * DAY)

    assert status.epochs[1].what_next == "3 keys lie under it and this keyring lacks it: bring it back."
    assert not status.epochs[1].destroyable


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.dictionaries(st.integers(1, 5), st.integers(1, 9), max_size=3)), max_size=8
    ),
    st.integers(0, 60),
)
def test_an_epoch_is_destroyable_only_a_retention_after_it_was_last_left(
    steps: list[tuple[int, dict[int, int]]], day: int
) -> None:
    facts = [began(number, NOON) for number in range(1, 6)]
    for number, (epoch, counts) in enumerate(steps):
        older = {str(old): count for old, count in counts.items() if old < epoch}
        facts.append(rewrapped(epoch, older, NOON + number * DAY))
    at = NOON + day * DAY

    status = epochs.status_of(known({5: 1}, 5, range(5, 0, -1)), history(*facts), policy=POLICY, at=at)

    latest = {}  # what holds of each epoch is what was said of it last
    for number, (epoch, counts) in enumerate(steps):
        latest[epoch] = (NOON + number * DAY, {old for old in counts if old < epoch})
    for entry in status.epochs:
        left = [when for epoch, (when, old) in latest.items() if epoch > entry.epoch and entry.epoch in old]
        ever = [when for epoch, (when, _) in latest.items() if epoch > entry.epoch]
        end = (max(left) if left else min(ever) if ever else datetime.max.replace(tzinfo=UTC) - 31 * DAY) + 30 * DAY
        assert entry.destroyable == (entry.epoch < 5 and end <= at)
