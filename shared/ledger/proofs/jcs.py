"""JSON Canonicalization Scheme (RFC 8785).

The general path is `rfc8785`. msgspec with sorted keys gives the same bytes, sixty times faster, for values that pass
these guards: no number with a fraction but credits (at most two places, under 10,000), integers within ±(2^53 − 1),
ASCII keys, and nothing but JSON's own types. Strings need no guard: both refuse lone surrogates.
"""

from typing import Any, Final

import msgspec
import rfc8785

EXACT_INTEGER: Final = 2**53 - 1

_encode: Final = msgspec.json.Encoder(order="sorted").encode


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value. Raises ValueError for what JSON cannot hold exactly (NaN, 2^53, a lone
    surrogate) and RecursionError for a value nested hundreds of levels deep."""
    if _is_plain(value):
        return _encode(value)
    return rfc8785.dumps(value)


def is_credit(number: float) -> bool:
    """Whether a fraction is one that all writers print alike: above 0, under 10,000, at most two places."""
    return 0 < number < 10_000 and round(number, 2) == number and not number.is_integer()


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_plain(item) for key, item in value.items())
    if kind is list:
        return all(map(_is_plain, value))
    if kind is int:
        return bool(-EXACT_INTEGER <= value <= EXACT_INTEGER)
    return kind is float and is_credit(value)
