"""CloudEvents 1.0 over NATS: header values by the binding's rules; an event is the same from bus and store."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.event_samples import NOON, SAMPLES, TENANT

from ledger import codec
from ledger.bus.headers import decode_value, encode_value, headers_for, read_headers
from ledger.codec import Actor, Fact, Place, Recorded
from ledger.events import Event

SOURCE = "http://localhost:8000/log"
RECORDED_AT = datetime(2026, 3, 1, 12, 0, 1, 123456, UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]))


def recorded(event: Event, position: int) -> Recorded:
    command = UUID(int=position)
    place = Place(
        tenant=TENANT, stream="award/awd_a", version=3, command=command, ordinal=0, actor=Actor("key_a", "institution")
    )
    row = codec.encode(Fact(event=event, at=NOON, subject="lrn_secret"), place, bytes)
    return Recorded(
        log_id=0,
        position=position,
        stream=place.stream,
        version=place.version,
        command_id=command,
        topic=row.topic,
        recorded_at=RECORDED_AT,
        leaf=row.leaf,
        state=row.state,
    )


@given(text=texts)
def test_any_text_survives_a_header(text: str) -> None:
    value = encode_value(text)

    assert re.fullmatch(r"[!#-$&-~]*(%[0-9A-F]{2}[!#-$&-~]*)*", value)
    assert decode_value(value) == text


@given(text=texts)
def test_lower_case_escapes_are_read_too(text: str) -> None:
    value = re.sub("%[0-9A-F]{2}", lambda m: m.group().lower(), encode_value(text))

    assert decode_value(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),  # the binding's own example
        ('say "hi"', "say%20%22hi%22"),
        ("100%", "100%25"),
        ("plain-text/1.0~", "plain-text/1.0~"),
    ],
)
def test_values_are_encoded_as_the_binding_says(text: str, value: str) -> None:
    assert encode_value(text) == value


def test_a_quoted_value_is_read_without_its_quotes() -> None:
    assert decode_value(r'"a \"b\" %E2%82%AC"') == 'a "b" €'


@pytest.mark.parametrize("value", ["%C0%A0", "%FF", "%ED%A0%80"])
def test_invalid_utf_8_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="utf-8"):
        decode_value(value)


def test_the_headers_of_a_message_are_a_cloudevent() -> None:
    event = recorded(SAMPLES[4], 41)

    assert headers_for(event, SOURCE) == {
        "ce-specversion": "1.0",
        "ce-id": "41",
        "ce-source": "http://localhost:8000/log",
        "ce-type": "org.credledger.institution.created.v1",
        "ce-subject": "award/awd_a",
        "ce-time": "2026-03-01T12:00:01.123456Z",
        "ce-datacontenttype": "application/json",
        "ce-dataschema": "http://localhost:8000/schemas/institution.created.v1.json",
        "ce-sequence": "00000000000000000041",
        "ce-streamversion": "3",
        "ce-tenant": TENANT,
        "ce-leaf": headers_for(event, SOURCE)["ce-leaf"],
    }


def test_attribute_names_are_lower_case_letters_and_digits() -> None:
    names = [name.removeprefix("ce-") for name in headers_for(recorded(SAMPLES[0], 1), SOURCE)]

    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in names)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.TOPIC)
def test_an_event_is_the_same_from_the_bus_as_from_the_store(event: Event) -> None:
    row = recorded(event, 7)

    headers = {name.title(): value for name, value in headers_for(row, SOURCE).items()}  # names compare without case

    assert codec.seen_from_public(read_headers(headers), codec.public_body(row)) == codec.seen(row, private=False)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.TOPIC)
def test_no_learner_and_no_private_field_is_on_the_bus(event: Event) -> None:
    row = recorded(event, 7)

    message = codec.public_body(row).decode() + str(headers_for(row, SOURCE))

    assert "lrn_secret" not in message
    assert not [name for name in type(event).PRIVATE if f'"{name}"' in message]
