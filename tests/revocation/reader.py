"""What a verifier does with a status list, written from the standard and from no code of ours."""

import base64
import gzip
from typing import Any

import httpx


def bits_of(credential: dict[str, Any]) -> bytes:
    """The list's bits: base64url, gunzip (Bitstring Status List 1.0, §4.3)."""
    subject = credential["credentialSubject"]
    assert subject["type"] == "BitstringStatusList"
    assert subject["encodedList"].startswith("u")
    text = subject["encodedList"][1:]
    bits = gzip.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert len(bits) * 8 >= 131_072
    return bits


def bit(credential: dict[str, Any], index: int) -> bool:
    """The bit at an index: index 0 is the left-most (§3.2)."""
    return bool(bits_of(credential)[index // 8] >> (7 - index % 8) & 1)


def set_bits(credential: dict[str, Any]) -> set[int]:
    """Every index whose bit is set."""
    whole = "".join(f"{byte:08b}" for byte in bits_of(credential))
    return {index for index, value in enumerate(whole) if value == "1"}


async def fetched(client: httpx.AsyncClient, list_id: str, **parameters: str) -> dict[str, Any]:
    """The list as anybody gets it."""
    answer = await client.get(f"/status-lists/{list_id}", params=parameters)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
