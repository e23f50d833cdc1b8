"""base58btc and its multibase form `z…` (Multibase, draft-multiformats-multibase; the Bitcoin alphabet).

Decoding is strict: any other character, white space too, is an error. Ten digits are taken at a time: long division
by 58 is what such a codec spends its time on.
"""

from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {digit: value for value, digit in enumerate(ALPHABET)}
_PAIRS: Final = tuple(high + low for high in ALPHABET for low in ALPHABET)
_CHUNK: Final = 58**10
_PAIR: Final = 58**2


def encode(raw: bytes) -> str:
    """The base58btc digits of `raw`, one `1` for each leading zero byte."""
    number = int.from_bytes(raw, "big")
    pairs: list[str] = []
    while number:
        number, chunk = divmod(number, _CHUNK)
        for _ in range(5):
            chunk, pair = divmod(chunk, _PAIR)
            pairs.append(_PAIRS[pair])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(pairs)).lstrip("1")


def decode(text: str) -> bytes:
    """The bytes behind base58btc digits. Raises ValueError for any other character."""
    number = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError("not base58btc: a character outside its alphabet")
        number = number * 58 + _VALUES[digit]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def to_multibase(raw: bytes) -> str:
    """`z` and the base58btc digits."""
    return "z" + encode(raw)


def from_multibase(text: str, *, size_limit: int = 512) -> bytes:
    """The bytes behind `z…`. Raises ValueError for another base or more than `size_limit` characters."""
    if not text.startswith("z"):
        raise ValueError("not multibase base58btc: it must begin with z")
    if len(text) > size_limit:  # decoding takes quadratic time
        raise ValueError(f"longer than {size_limit} characters")
    return decode(text[1:])
