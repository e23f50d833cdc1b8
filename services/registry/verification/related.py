"""`relatedResource` (VC Data Model 2.0 §5.3): the digests of resources that a verifier makes use of must match. ● Pure.

What is made use of here are the contexts, which are held byte for byte; nothing else is fetched, so nothing else is
compared. A digest by another function than SHA-2 cannot be compared and fails: it would be taken for a match.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from typing import Any, Final

from ledger import contexts
from ledger.errors import FieldError
from ledger.proofs import base58

_SRI: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_MULTIHASH: Final = {b"\x12\x20": hashlib.sha256, b"\x20\x30": hashlib.sha384, b"\x13\x40": hashlib.sha512}


def digest_faults(document: dict[str, Any]) -> list[FieldError]:
    """The related resources whose stated digest is not that of the context held here; empty when all agree."""
    return list(_faults(document.get("relatedResource")))


def _faults(related: Any) -> Iterator[FieldError]:
    many = isinstance(related, list)
    for index, resource in enumerate(related if many else [related]):
        if not isinstance(resource, dict) or resource.get("id") not in contexts.KNOWN:
            continue
        at = f"/relatedResource/{index}" if many else "/relatedResource"
        content = contexts.content(resource["id"])
        for name, agrees in (("digestSRI", _is_sri), ("digestMultibase", _is_multibase)):
            if name in resource and not (isinstance(resource[name], str) and agrees(resource[name], content)):
                yield FieldError(f"{at}/{name}", "is not the digest of this context")


def _is_sri(text: str, content: bytes) -> bool:
    """Subresource Integrity: one or several digests with spaces between, each of which must be right."""
    digests = text.split()
    return bool(digests) and all(_is_one_sri(digest, content) for digest in digests)


def _is_one_sri(digest: str, content: bytes) -> bool:
    name, _, value = digest.partition("?")[0].partition("-")
    return name in _SRI and value == base64.b64encode(_SRI[name](content).digest()).decode()


def _is_multibase(text: str, content: bytes) -> bool:
    """A multihash in multibase: `u` base64url without padding, or `z` base58btc."""
    try:
        if text.startswith("u"):
            raw = base64.b64decode(text[1:] + "=" * (-(len(text) - 1) % 4), altchars=b"-_", validate=True)
        else:
            raw = base58.from_multibase(text)
    except (binascii.Error, ValueError):
        return False
    hashed = _MULTIHASH.get(raw[:2])
    return hashed is not None and raw[2:] == hashed(content).digest()
