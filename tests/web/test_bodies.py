"""What JSON may enter, and how a value that does not fit its type is told about."""

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FieldError, Malformed
from ledger.web import convert, read_json

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_every_ordinary_value_is_read_as_it_was_written(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else_happens(raw: bytes) -> None:
    try:
        value = read_json(raw)
    except Malformed:
        return
    assert value == json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "pointer", "detail"),
    [
        (b'{"a":1,"a":2}', "/a", "Given twice"),
        (b'{"x":[{"b":1,"b":1}]}', "/x/0/b", "Given twice"),
        (b'{"a":"\\u0000"}', "/a", "Holds U+0000, which is not allowed"),
        (b'{"a":["\\u001b"]}', "/a/0", "Holds U+001B, which is not allowed"),
        (b'{"a":"\\ud800"}', "/a", "Holds U+D800, which is not allowed"),
        (b'"\xe2\x80\xae gnp.exe"', "", "Holds U+202E, which is not allowed"),
        (b'"\xc2\x85"', "", "Holds U+0085, which is not allowed"),
        (b'{"\\u0000":1}', "", "A member's name is too long or holds characters that are not allowed"),
        (b'{"n":9007199254740992}', "/n", "Whole numbers go from -(2^53-1) to 2^53-1"),
        (b'{"n":1e999}', "/n", "The number is too large"),
        (b'{"t":"' + b"a" * 65_537 + b'"}', "/t", "Longer than 65536 characters"),
    ],
)
def test_what_json_here_may_not_hold_is_pointed_at(raw: bytes, pointer: str, detail: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read_json(raw)

    assert refusal.value.errors == (FieldError(pointer, detail),)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b'{"a":', "The body is not JSON: Expecting value in line 1, column 6."),
        (b"{'a':1}", "The body is not JSON: Expecting property name enclosed in double quotes in line 1, column 2."),
        (b'"\xff"', "The body is not UTF-8: byte 1 is out of place."),
        (b'"\xed\xa0\x80"', "The body is not UTF-8: byte 1 is out of place."),
        (b"NaN", "The body is not JSON: NaN is no number there."),
        (b"1" * 5000, "The body holds a number that is too long."),
        (b"[" * 33 + b"]" * 33, "The body nests deeper than 32 levels."),
        (b"[" * 100_000, "The body nests deeper than 32 levels."),
    ],
)
def test_what_is_not_json_is_refused_with_a_sentence(raw: bytes, sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read_json(raw)

    assert refusal.value.detail == sentence


def test_thirty_two_levels_are_allowed_and_brackets_in_text_do_not_count() -> None:
    deepest = b"[" * 32 + b"]" * 32
    quoted = json.dumps(["[" * 100, '"[[' * 20, "\\"])

    assert read_json(deepest) is not None
    assert read_json(quoted.encode()) == json.loads(quoted)


def test_prose_in_any_script_is_allowed() -> None:
    text = "שלום العربية\r\n\t日本語 👩‍🎓 café\u200f"

    assert read_json(json.dumps(text).encode()) == text


class Cat(msgspec.Struct, tag_field="kind", tag="cat", forbid_unknown_fields=True):
    lives: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Dog(msgspec.Struct, tag_field="kind", tag="dog", forbid_unknown_fields=True):
    name: str


class Span(msgspec.Struct, forbid_unknown_fields=True):
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("It ends before it starts")


class Home(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    pets: list[Cat | Dog] = []
    open_hours: Span | None = None
    rooms: dict[str, list[int]] = {}
    size: float | None = None
    pair: tuple[int, str] | None = None


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        ({"pets": [{"kind": "cat", "lives": 10}, {"kind": "dog"}]}, {"/pets/0/lives", "/pets/1/name"}),
        ({"pets": [{"kind": "cow"}, 5]}, {"/pets/0/kind", "/pets/1"}),
        ({"openHours": {"start": 9, "end": 8}}, {"/openHours"}),
        ({"openHours": {"start": "9"}}, {"/openHours/start", "/openHours/end"}),
        ({"rooms": {"a/b": [1, "x"], "c": 3}}, {"/rooms/a~1b/1", "/rooms/c"}),
        ({"open_hours": None, "size": "1"}, {"/open_hours", "/size"}),
        ({"pair": [1, 2]}, {"/pair/1"}),
        ([], {""}),
        (None, {""}),
    ],
)
def test_every_place_that_does_not_fit_is_found(value: Any, errors: set[str]) -> None:
    with pytest.raises(Malformed) as refusal:
        convert(value, Home)

    assert {error.pointer for error in refusal.value.errors} == errors


def test_a_rule_across_members_keeps_its_sentence() -> None:
    with pytest.raises(Malformed) as refusal:
        convert({"start": 2, "end": 1}, Span)

    assert refusal.value.errors == (FieldError("", "It ends before it starts"),)
    assert refusal.value.detail == "One field is not as it should be."


def test_at_most_a_hundred_places_are_named() -> None:
    with pytest.raises(Malformed) as refusal:
        convert({"pets": [0] * 500}, Home)

    assert len(refusal.value.errors) == 100


@given(JSON)
def test_whatever_msgspec_refuses_is_pointed_at_and_whatever_it_takes_is_taken(value: Any) -> None:
    try:
        expected = msgspec.convert(value, Home, strict=True)
    except msgspec.ValidationError:
        with pytest.raises(Malformed) as refusal:
            convert(value, Home)
        assert refusal.value.errors
    else:
        assert convert(value, Home) == expected
