"""The rules of signing keys: when they rotate by schedule, between which positions they signed, issuing that anew."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, TENANT, placed

from issuance import institutions, signing_keys
from issuance.institution_life import Turn, suspend
from issuance.institutions import CreateInstitution, NewKey
from issuance.signing_keys import NEVER, OrderReissue, Schedule, SetSchedule, Span
from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.events import IssuerKeyChanged, KeyScheduleSet, ReissueCompleted, ReissueOrdered

STREAM = f"institution/{TENANT}"
DID = "did:web:localhost%3A8000:issuers:nova"
DAY = timedelta(days=1)
WISH = CreateInstitution(slug="nova", name="Nova", url="https://nova.example")


def keys(generation: str) -> list[NewKey]:
    return [NewKey(f"key_{generation}_{algorithm}", algorithm, "z6Mk") for algorithm in institutions.ALGORITHMS]


def founded(at: datetime = NOON) -> list[Recorded]:
    """Created at position 1, with its keys at 2 and 3."""
    return placed(STREAM, institutions.create(WISH, [], did=DID, keys=keys("a"), at=at))


def scheduled(history: Sequence[Recorded], days: int, starting: datetime) -> list[Recorded]:
    return placed(STREAM, signing_keys.set_schedule(SetSchedule(days, starting), history, at=NOON), history)


def test_a_schedule_begins_one_interval_from_now_unless_it_says_when() -> None:
    facts = signing_keys.set_schedule(SetSchedule(30), founded(), at=NOON)

    assert facts == [Fact(event=KeyScheduleSet(every_days=30, starting=format_time(NOON + 30 * DAY)), at=NOON)]


def test_a_schedule_that_is_in_force_is_not_set_again_and_can_be_lifted() -> None:
    history = scheduled(founded(), 30, NOON + DAY)

    assert signing_keys.set_schedule(SetSchedule(30, NOON + DAY), history, at=NOON) == []
    lifted = placed(STREAM, signing_keys.set_schedule(SetSchedule(), history, at=NOON), history)
    assert signing_keys.schedule_of(lifted) is None
    assert signing_keys.set_schedule(SetSchedule(), lifted, at=NOON) == []


def test_a_schedule_needs_a_zone() -> None:
    with pytest.raises(errors.Malformed) as raised:
        signing_keys.set_schedule(SetSchedule(30, NOON.replace(tzinfo=None)), founded(), at=NOON)

    assert [field.pointer for field in raised.value.errors] == ["/starting"]


def test_keys_are_due_from_the_scheduled_time_on_and_no_longer_once_they_are_fresh() -> None:
    history = scheduled(founded(), 30, NOON + DAY)

    assert not signing_keys.is_due(history, at=NOON + DAY - timedelta(seconds=1))
    assert signing_keys.is_due(history, at=NOON + DAY)
    facts = signing_keys.rotate_due(history, new=keys("b"), at=NOON + 2 * DAY)
    rotated = placed(STREAM, facts, history)
    changes = [(f.event.change, f.event.key_id) for f in facts if isinstance(f.event, IssuerKeyChanged)]
    assert changes == [
        ("retired", "key_a_Ed25519"), ("added", "key_b_Ed25519"), ("retired", "key_a_P-256"), ("added", "key_b_P-256"),
    ]  # fmt: skip
    assert signing_keys.rotate_due(rotated, new=keys("c"), at=NOON + 30 * DAY) == []
    assert signing_keys.is_due(rotated, at=NOON + 31 * DAY)


def test_without_a_schedule_nothing_is_ever_due() -> None:
    assert not signing_keys.is_due(founded(), at=NOON + 10_000 * DAY)


def test_the_keys_of_a_suspended_institution_do_not_rotate() -> None:
    history = scheduled(founded(), 1, NOON)
    away = placed(STREAM, suspend(Turn(reason_code="unpaid", authority="Board"), history, at=NOON), history)

    assert signing_keys.rotate_due(away, new=keys("b"), at=NOON + 5 * DAY) == []


@given(st.integers(1, 400), st.integers(-500, 5000))
def test_scheduled_times_are_the_beginning_and_whole_intervals(days: int, hours: int) -> None:
    schedule, at = Schedule(days, format_time(NOON)), NOON + timedelta(hours=hours)

    last, next_one = schedule.last_before(at), schedule.next_after(at)

    times = [NOON + n * days * DAY for n in range(5000 // 24 // days + 3)]
    assert last == max((time for time in times if time <= at), default=None)
    assert next_one == min(time for time in times if time > at)


def test_a_key_signed_between_the_positions_of_its_beginning_and_its_end() -> None:
    history = placed(STREAM, institutions.rotate(founded(), new=keys("b"), at=NOON), founded())
    since = NOON - DAY
    new = keys("c")[0]
    whole = placed(STREAM, institutions.compromise("key_b_Ed25519", history, since=since, new=new, at=NOON), history)
    later = placed(STREAM, institutions.compromise("key_a_Ed25519", whole, since=since, new=new, at=NOON), whole)

    assert signing_keys.span_of("key_a_Ed25519", history) == Span("key_a_Ed25519", 2, 4)
    assert signing_keys.span_of("key_b_Ed25519", history) == Span("key_b_Ed25519", 5, NEVER)
    assert signing_keys.span_of("key_b_Ed25519", whole) == Span("key_b_Ed25519", 5, 8, since)
    assert signing_keys.span_of("key_c_Ed25519", whole) == Span("key_c_Ed25519", 9, NEVER)
    assert signing_keys.span_of("key_a_Ed25519", later) == Span("key_a_Ed25519", 2, 4, since)
    with pytest.raises(errors.NotFound):
        signing_keys.span_of("key_x", whole)


ROTATED = placed(STREAM, institutions.rotate(founded(), new=keys("b"), at=NOON), founded())
OLD = ("key_a_Ed25519", 40)
ORDER = "access/reissue-key_a_Ed25519"


def ordered() -> list[Recorded]:
    return placed(ORDER, signing_keys.order_reissue(OrderReissue(), [], ROTATED, key=OLD, at=NOON))


def test_what_an_ended_key_signed_can_be_ordered_anew_once_at_a_time() -> None:
    history = ordered()

    assert [r.event for r in history] == [
        ReissueOrdered(key_id="key_a_Ed25519", reason_code="key_compromised", documents=40)
    ]
    with pytest.raises(errors.Refused, match="already"):
        signing_keys.order_reissue(OrderReissue(), history, ROTATED, key=OLD, at=NOON)
    done = placed(ORDER, signing_keys.complete_reissue(history, left=2, at=NOON), history)
    assert done[-1].event == ReissueCompleted(key_id="key_a_Ed25519", reissued=38, left_out=2)
    assert signing_keys.complete_reissue(done, left=2, at=NOON) == []
    assert len(signing_keys.order_reissue(OrderReissue(), done, ROTATED, key=OLD, at=NOON)) == 1


def test_a_key_that_still_signs_or_is_anothers_is_refused() -> None:
    with pytest.raises(errors.Refused, match="still signs"):
        signing_keys.order_reissue(OrderReissue(), [], ROTATED, key=("key_b_Ed25519", 1), at=NOON)
    with pytest.raises(errors.NotFound):
        signing_keys.order_reissue(OrderReissue(), [], ROTATED, key=("key_x", 1), at=NOON)
