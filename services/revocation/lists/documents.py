"""What a status list says: Bitstring Status List 1.0, as a pure function of its bits and its publication.

Rules. One list, one purpose, one string; `ttl` and `Cache-Control` together never let a reader show what was true more
than a second ago. There is no `validUntil`: a list is signed when it changes, not because time passes.
"""

import base64
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ledger.codec import format_time

VISIBLE_SECONDS = 1.0  # from the answer to a change until every reader sees it
TTL_MILLISECONDS = 500  # leaves as much for publishing and fetching
CONTEXTS = ["https://www.w3.org/ns/credentials/v2"]


def bits_after(bits: bytes, flips: Iterable[tuple[int, bool]]) -> bytes:
    """The bits after these changes (place, value), in order; place 0 is the left-most bit of the first byte."""
    changed = bytearray(bits)
    for place, value in flips:
        mask = 0x80 >> (place & 7)
        changed[place >> 3] = changed[place >> 3] | mask if value else changed[place >> 3] & ~mask
    return bytes(changed)


def encoded_list(bits: bytes) -> str:
    """`encodedList`: `u` and base64url of gzip, without time or name, at the level that pays."""
    return "u" + base64.urlsafe_b64encode(zlib.compress(bits, 1, wbits=31)).decode().rstrip("=")


def list_credential(url: str, issuer: str, purpose: str, bits: bytes, *, valid_from: datetime) -> dict[str, Any]:
    """The unsigned BitstringStatusListCredential at `url` (§4.3 of the standard)."""
    return {
        "@context": CONTEXTS,
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": format_time(valid_from),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "ttl": TTL_MILLISECONDS,
            "encodedList": encoded_list(bits),
        },
    }
