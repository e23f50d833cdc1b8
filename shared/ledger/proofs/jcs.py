"""JSON Canonicalization Scheme (RFC 8785).

The general path is `rfc8785`. msgspec with sorted keys gives the same bytes, sixty times faster, for values that pass
these guards: no number with a fraction but credits (at most two places, under 10,000), integers within ±(2^53 − 1),
ASCII keys, and nothing but JSON's own types. Strings need no guard: both refuse lone surrogates.
"""

from typing import Any, Final

import msgspec
import rfc8785

EXACT_INTEGER: Final = 2**53 - 1
LEVELS: Final = 100

_encode: Final = msgspec.json.Encoder(order="sorted").encode


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value. Raises ValueError for what JSON cannot hold exactly (NaN, 2^53, a lone
    surrogate) and RecursionError for a value nested hundreds of levels deep."""
    return canonical_plain(value) if is_plain(value) else rfc8785.dumps(value)


def canonical_plain(value: Any) -> bytes:
    """The canonical bytes of a value that `is_plain`. Raises ValueError for a lone surrogate."""
    return _encode(value)


def is_credit(number: float) -> bool:
    """Whether a fraction is one that all writers print alike: above 0, under 10,000, at most two places."""
    return 0 < number < 10_000 and round(number, 2) == number and not number.is_integer()


def is_plain(value: Any, levels: int = LEVELS) -> bool:
    """Whether a value passes the guards, and none in it stands deeper than so many levels."""
    kind = type(value)
    if kind is dict:
        for name, member in value.items():  # a loop: it is run for each document, and costs a third of all(…)
            if levels == 0 or type(name) is not str or not name.isascii():
                return False
            if type(member) is not str and not is_plain(member, levels - 1):
                return False
        return True
    if kind is list:
        for member in value:
            if levels == 0 or (type(member) is not str and not is_plain(member, levels - 1)):
                return False
        return True
    if kind is int:
        return bool(-EXACT_INTEGER <= value <= EXACT_INTEGER)
    return kind is str or kind is bool or value is None or (kind is float and is_credit(value))
