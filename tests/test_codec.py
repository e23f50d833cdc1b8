"""Rows, envelopes and leaves: frozen vectors of every released event version, and what no row can hide."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import rfc8785
from eventsourcing.persistence import IntegrityError
from eventsourcing.utils import resolve_topic
from hypothesis import given
from hypothesis import strategies as st
from tests.event_samples import SAMPLES, Vector, vector_of

from ledger import codec, events
from ledger.codec import Recorded
from ledger.events import EVENTS, UnknownTopic, UnknownVersion

VECTORS = msgspec.json.decode((Path(__file__).parent / "vectors" / "events.json").read_bytes(), type=list[Vector])
AT = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)


def row_of(vector: Vector) -> Recorded:
    """The stored row behind a vector."""
    return Recorded(
        log_id=0,
        position=vector.version,
        stream=vector.stream,
        version=vector.version,
        command_id=UUID(int=vector.version),
        topic=vector.topic,
        recorded_at=AT,
        leaf=bytes.fromhex(vector.leaf),
        state=bytes.fromhex(vector.state),
    )


def test_every_event_type_has_a_frozen_row() -> None:
    assert {vector.topic for vector in VECTORS} == set(EVENTS)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.topic)
def test_a_row_of_the_first_release_still_reads_and_still_has_its_leaf(vector: Vector) -> None:
    recorded = row_of(vector)

    codec.check(recorded)
    assert events.public_form(recorded.event) == vector.public


@pytest.mark.parametrize(("number", "event"), list(enumerate(SAMPLES, 1)), ids=lambda x: getattr(x, "TOPIC", ""))
def test_what_is_written_today_is_byte_for_byte_what_was_released(number: int, event: events.Event) -> None:
    assert vector_of(number, event) == VECTORS[number - 1]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.topic)
def test_the_leaf_is_what_the_note_says(vector: Vector) -> None:
    """Recomputed from the specification's formulas alone."""
    state, leaf = bytes.fromhex(vector.state), bytes.fromhex(vector.leaf)
    r1, c_pub, envelope = state[:32], state[32:64], state[64:]
    c_env = hmac.new(r1, b"credledger/env/v1\x00" + envelope, hashlib.sha256).digest()

    assert rfc8785.dumps(msgspec.json.decode(envelope)) == envelope
    if leaf[0] == 1:
        assert leaf == b"\x01" + hashlib.sha256(b"credledger/leaf/v1\x00" + c_env + c_pub).digest()
    else:
        statement = msgspec.json.decode(leaf[1:])
        assert rfc8785.dumps(statement) == leaf[1:]
        assert len(leaf) <= 4097
        assert statement["type"] == vector.topic


@given(st.sampled_from(VECTORS), st.data())
def test_no_bit_of_a_row_changes_unseen(vector: Vector, data: st.DataObject) -> None:
    recorded = row_of(vector)
    state = bytearray(recorded.state)
    if recorded.leaf[0] == 2:  # c_pub of a public statement is random and bound by nothing
        places = st.one_of(st.integers(0, 31), st.integers(64, len(state) - 1))
    else:
        places = st.integers(0, len(state) - 1)
    state[data.draw(places)] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(IntegrityError):
        codec.check(msgspec.structs.replace(recorded, state=bytes(state)))


@pytest.mark.parametrize(
    "change", [{"stream": "sample/other"}, {"version": 99}, {"topic": "award.other"}, {"command_id": UUID(int=99)}]
)
def test_a_column_that_differs_from_the_envelope_is_an_integrity_error(change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="columns"):
        codec.check(msgspec.structs.replace(row_of(VECTORS[0]), **change))


def test_a_stored_topic_never_imports_anything() -> None:
    codec.register_topics()

    assert resolve_topic("award.awarded") is events.Awarded
    with pytest.raises(UnknownTopic):
        events.from_data(EVENTS, "os:system", 1, {})


def test_a_version_of_a_later_release_is_refused_and_not_guessed() -> None:
    with pytest.raises(UnknownVersion):
        events.from_data(EVENTS, "ledger.opened", 2, {"public_url": "", "status_url": ""})


def test_the_bus_carries_no_private_field_and_no_learner() -> None:
    awarded = row_of(next(v for v in VECTORS if v.topic == "award.awarded"))
    body = codec.public_body(awarded)

    assert awarded.subject is not None
    for hidden in (awarded.subject, "sl_", "94567", "Ada"):
        assert hidden.encode() not in body


def test_the_bus_says_test_of_a_sandbox_and_of_nobody_else() -> None:
    row = row_of(VECTORS[4])
    sandbox = msgspec.structs.replace(row, state=row.state.replace(b'"inst":"inst_', b'"inst":"test_'))

    bodies = [msgspec.json.decode(codec.public_body(recorded)) for recorded in (row, sandbox)]

    assert "test" not in bodies[0]
    assert bodies[1] == {**bodies[0], "tenant": sandbox.tenant, "test": True}
    assert codec.seen(sandbox, private=False).tenant.startswith("test_")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.topic)
def test_a_projection_sees_the_same_from_the_bus_and_from_the_store(vector: Vector) -> None:
    recorded = row_of(vector)
    headers = codec.Headers(
        position=recorded.position,
        stream=recorded.stream,
        version=recorded.version,
        topic=recorded.topic,
        recorded_at=recorded.recorded_at,
        leaf=recorded.leaf,
    )

    assert codec.seen_from_public(headers, codec.public_body(recorded)) == codec.seen(recorded, private=False)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=-7)))))
def test_a_time_is_written_in_utc_and_read_back_the_same(moment: datetime) -> None:
    if moment.year in (1, 9999):
        moment = moment.replace(year=2000)
    assert codec.parse_time(codec.format_time(moment)) == moment
    assert codec.format_time(moment).endswith("Z")


def test_the_library_reads_our_rows_in_its_own_words() -> None:
    recorded = row_of(VECTORS[0])
    stored = codec.to_stored_event(recorded)

    assert (stored.originator_id, stored.originator_version, stored.topic) == ("sample/1", 1, "ledger.opened")
    assert codec.to_domain_event(stored) == recorded.event
