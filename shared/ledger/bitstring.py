"""Bitstring Status Lists (Bitstring Status List 1.0): bits, encoding, documents, places in a list. ● Pure.

Rules. Index 0 is the left-most bit of the first byte. A list has at least 131,072 entries. `encodedList` is `u` and
base64url, without padding, of GZIP; the compressed bytes differ between zlib builds, so commit to the bits. Which place
an award gets looks random to outsiders and costs no memory: a keyed permutation of counters.
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from ledger import contexts, ids
from ledger.proofs.keys import from_base64url
from ledger.proofs.problems import MALFORMED, RANGE, ProofError

LEAST_ENTRIES: Final = 131_072
MOST_BYTES: Final = 2 * 1024 * 1024  # unpacked; a foreign list may say 1,000 bytes for a million

LENGTH: Final = "STATUS_LIST_LENGTH_ERROR"

Json = dict[str, Any]

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_ROUNDS: Final = 12


def empty(length: int = LEAST_ENTRIES) -> bytes:
    """The bits of a new list. `length` is a multiple of 8 and at least 131,072."""
    if length < LEAST_ENTRIES or length % 8:
        raise ValueError(f"a list has at least {LEAST_ENTRIES} entries, in whole bytes")
    return bytes(length // 8)


def encode(bits: bytes) -> str:
    """`encodedList` of these bits. Raises ValueError for a list that is too short."""
    empty(len(bits) * 8)
    # Level 9 takes a hundred times as long as 1 for little. wbits=31 is GZIP without a time stamp.
    return "u" + base64.urlsafe_b64encode(zlib.compress(bits, 1, wbits=31)).decode().rstrip("=")


def decode(encoded: Any, *, most_bytes: int = MOST_BYTES) -> bytes:
    """The bits behind `encodedList`. Raises ProofError for another form or fewer than 131,072 bits, and where it
    unpacks to more than `most_bytes`."""
    if not isinstance(encoded, str) or not encoded.startswith("u"):
        raise ProofError(MALFORMED, "encodedList is multibase base64url: it begins with u.")
    try:
        packed = from_base64url(encoded[1:])
        unpacking = zlib.decompressobj(wbits=31)
        bits = unpacking.decompress(packed, most_bytes + 1)
    except (ValueError, zlib.error) as error:
        raise ProofError(MALFORMED, "encodedList is not base64url, without padding, of GZIP.") from error
    if len(bits) > most_bytes:
        raise ProofError(RANGE, f"The status list unpacks to more than {most_bytes} bytes.")
    if not unpacking.eof or unpacking.unused_data:
        raise ProofError(MALFORMED, "The GZIP data is cut off, or something follows it.")
    if len(bits) * 8 < LEAST_ENTRIES:
        raise ProofError(LENGTH, f"A status list has at least {LEAST_ENTRIES} entries; this one has {len(bits) * 8}.")
    return bits


def index_of(text: Any) -> int:
    """A `statusListIndex`: a decimal string, without sign or leading zeros. Raises ProofError."""
    if not isinstance(text, str) or _INDEX.fullmatch(text) is None:
        raise ProofError(
            MALFORMED, "statusListIndex is a whole number as a string.", "/credentialStatus/statusListIndex"
        )
    return int(text)


def bit(bits: bytes | bytearray, index: int) -> bool:
    """Whether the bit at `index` is set. Raises ProofError past the end."""
    if not 0 <= index < len(bits) * 8:
        raise ProofError(RANGE, f"The status index lies outside the list of {len(bits) * 8} entries.")
    return bool(bits[index >> 3] & (0x80 >> (index & 7)))


def with_bits(bits: bytes, indices: Iterable[int], *, to: bool = True) -> bytes:
    """The bits with those at `indices` set, or cleared. Raises ProofError past the end."""
    changed = bytearray(bits)
    for index in indices:
        if bit(changed, index) != to:
            changed[index >> 3] ^= 0x80 >> (index & 7)
    return bytes(changed)


def permuted(secret: bytes, list_id: str, counter: int, length: int) -> int:
    """The place of the `counter`-th entry of a list: a bijection of 0 … length - 1 that only the secret's holder can
    foresee. Never changes, since awards bear its results; twelve Feistel rounds, cycle-walked into the range."""
    if not 0 <= counter < length:
        raise ValueError("the counter lies outside the list")
    key = ids.keyed(secret, "credledger/status-index/v1", list_id, str(length))
    width = max(2, (length - 1).bit_length())
    place = _feistel(key, counter, width)
    while place >= length:
        place = _feistel(key, place, width)
    return place


def status_entry(list_url: str, purpose: str, index: int) -> Json:
    """The BitstringStatusListEntry of an award; its `id`, which Open Badges wants, is the list's URL with the index."""
    return {
        "id": f"{list_url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }


def status_list_credential(
    list_url: str, issuer: str, purpose: str, bits: bytes, *, valid_from: datetime, ttl_milliseconds: int
) -> Json:
    """The unsigned BitstringStatusListCredential of one purpose. `valid_from` is aware: since when it reads so."""
    if valid_from.tzinfo is None:
        raise ValueError("valid_from must have a zone")
    return {
        "@context": list(contexts.LIST),
        "id": list_url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": valid_from.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "credentialSubject": {
            "id": f"{list_url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encode(bits),
            "ttl": ttl_milliseconds,
        },
    }


def bits_of(credential: Json, purpose: str) -> bytes:
    """The bits of a status list credential whose proofs were judged. Raises ProofError for another purpose (a list may
    serve several), another type, or bits that are malformed."""
    subject = credential.get("credentialSubject")
    if not isinstance(subject, dict) or subject.get("type") not in ("BitstringStatusList", ["BitstringStatusList"]):
        raise ProofError(MALFORMED, "The status list holds no BitstringStatusList.")
    serves = subject.get("statusPurpose")
    if purpose not in (serves if isinstance(serves, list) else [serves]):
        raise ProofError(MALFORMED, f"The status list does not serve the purpose {purpose[:50]}.")
    return decode(subject.get("encodedList"))


def entry_value(credential: Json, purpose: str, index: int, size: int = 1) -> int:
    """What a list says of an entry of `size` bits (§ 3.2): 0 is unset. Raises ProofError as `bits_of`, for an index
    outside the list and for a list that is too short for its entries."""
    if not 1 <= size <= 32:
        raise ProofError(MALFORMED, "statusSize is between 1 and 32 bits here.")
    bits = bits_of(credential, purpose)
    entries = len(bits) * 8 // size
    if entries < LEAST_ENTRIES:
        raise ProofError(LENGTH, f"A status list has at least {LEAST_ENTRIES} entries; this one has {entries}.")
    if not 0 <= index < entries:
        raise ProofError(RANGE, f"The status index lies outside the list of {entries} entries.")
    value = 0
    for position in range(index * size, (index + 1) * size):
        value = value << 1 | bit(bits, position)
    return value


def _feistel(key: bytes, value: int, width: int) -> int:
    """A permutation of the numbers of `width` bits: the two halves are mixed into each other in turn."""
    low = width // 2
    left, right = value >> low, value & (1 << low) - 1
    for number in range(_ROUNDS):
        source = left if number % 2 else right
        message = number.to_bytes(1, "big") + source.to_bytes(8, "big")
        mixed = int.from_bytes(hashlib.blake2b(message, key=key, digest_size=8).digest(), "big")
        if number % 2:
            right ^= mixed & (1 << low) - 1
        else:
            left ^= mixed & (1 << width - low) - 1
    return left << low | right
