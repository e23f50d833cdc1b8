"""Strict JSON (RFC 8259, I-JSON of RFC 7493): what may enter at all, before any type is looked at. Pure.

Refused, each with a pointer: a member given twice, nesting deeper than 32, strings that are too long or hold control
characters, lone surrogates or explicit direction changes (they make a text read other than it is), numbers that a
double cannot hold. Invalid UTF-8 and broken syntax end the reading at once.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from ledger.errors import FieldError, Malformed

DEPTH_LIMIT = 32
NAME_LIMIT = 256
TEXT_LIMIT = 65_536
EXACT_INTEGER = 2**53 - 1

# Tab, line feed and carriage return belong to prose. U+202A–202E and U+2066–2069 are the explicit direction controls;
# right-to-left scripts need none of them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class _Twice(dict[str, Any]):
    """An object that named a member twice; it lives only until `read_json` reports it."""

    names: tuple[str, ...] = ()


def read_json(raw: bytes, *, text_limit: int = TEXT_LIMIT) -> Any:
    """The JSON value in `raw`. Raises Malformed with a pointer to everything that is not allowed."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8: byte {error.start} is out of place.") from error
    if _deeper_than(raw, DEPTH_LIMIT):
        raise Malformed(f"The body nests deeper than {DEPTH_LIMIT} levels.")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise Malformed("The body holds a number that is too long.") from error
    problems = list(_problems(value, "", text_limit))
    if problems:
        raise Malformed("The body holds what JSON here may not.", errors=problems[:100])
    return value


def pointer_to(pointer: str, step: str | int) -> str:
    """`pointer` extended by one step (RFC 6901)."""
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    twice = _Twice(members)
    names = [name for name, _ in pairs]
    twice.names = tuple(sorted({name for name in names if names.count(name) > 1}))
    return twice


def _refuse_constant(name: str) -> Any:
    raise Malformed(f"The body is not JSON: {name} is no number there.")


def _deeper_than(raw: bytes, limit: int) -> bool:
    if raw.count(b"{") + raw.count(b"[") <= limit:
        return False
    depth = 0
    for byte in _STRINGS.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def _problems(value: Any, pointer: str, text_limit: int) -> Iterator[FieldError]:
    match value:
        case str():
            yield from _text_problems(value, pointer, text_limit)
        case dict():
            if isinstance(value, _Twice):
                yield from (FieldError(pointer_to(pointer, _printable(name)), "Given twice") for name in value.names)
            for name, member in value.items():
                if len(name) > NAME_LIMIT or _FORBIDDEN.search(name):
                    yield FieldError(pointer, "A member's name is too long or holds characters that are not allowed")
                else:
                    yield from _problems(member, pointer_to(pointer, name), text_limit)
        case list():
            for index, item in enumerate(value):
                yield from _problems(item, f"{pointer}/{index}", text_limit)
        case bool() | None:
            pass
        case int() if abs(value) > EXACT_INTEGER:
            yield FieldError(pointer, "Whole numbers go from -(2^53-1) to 2^53-1")
        case float() if not math.isfinite(value):
            yield FieldError(pointer, "The number is too large")


def _text_problems(text: str, pointer: str, text_limit: int) -> Iterator[FieldError]:
    if len(text) > text_limit:
        yield FieldError(pointer, f"Longer than {text_limit} characters")
    elif found := _FORBIDDEN.search(text):
        yield FieldError(pointer, f"Holds U+{ord(found.group()):04X}, which is not allowed")


def _printable(name: str) -> str:
    return _FORBIDDEN.sub("\ufffd", name)[:NAME_LIMIT]
