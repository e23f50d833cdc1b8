"""base58btc and its multibase form `z…` (Multibase, draft-multiformats-multibase; the Bitcoin alphabet).

Decoding is strict: any other character, white space too, is an error. Ten digits are taken at a time: long division
by 58 is what such a codec spends its time on.
"""

from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {digit: value for value, digit in enumerate(ALPHABET)}
_PAIRS: Final = tuple(high + low for high in ALPHABET for low in ALPHABET)
_CHUNK: Final = 58**10
_HALF: Final = 58**5


def encode(raw: bytes) -> str:
    """The base58btc digits of `raw`, one `1` for each leading zero byte."""
    number = int.from_bytes(raw, "big")
    chunks: list[str] = []
    while number:
        number, chunk = divmod(number, _CHUNK)
        # Halves of a chunk fit into one digit of Python's integers, where division is cheap.
        high, low = divmod(chunk, _HALF)
        chunks.append(
            f"{ALPHABET[high // 11316496]}{_PAIRS[high // 3364 % 3364]}{_PAIRS[high % 3364]}"
            f"{ALPHABET[low // 11316496]}{_PAIRS[low // 3364 % 3364]}{_PAIRS[low % 3364]}"
        )
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(chunks)).lstrip("1")


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
