"""What a verifier does with a status list, written from the standard and from no code of ours."""

import base64
import gzip
from typing import Any

import httpx


def bit(credential: dict[str, Any], index: int) -> bool:
    """The bit at an index: gunzip, index 0 is the left-most bit (Bitstring Status List 1.0, §3.2 and §4.3)."""
    subject = credential["credentialSubject"]
    assert subject["type"] == "BitstringStatusList"
    assert subject["encodedList"].startswith("u")
    text = subject["encodedList"][1:]
    raw = gzip.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert len(raw) * 8 >= 131_072
    return bool(raw[index // 8] >> (7 - index % 8) & 1)


def set_bits(credential: dict[str, Any], upto: int = 131_072) -> set[int]:
    """Every index whose bit is set."""
    return {index for index in range(upto) if bit(credential, index)}


async def fetched(client: httpx.AsyncClient, list_id: str, **parameters: str) -> dict[str, Any]:
    """The list as anybody gets it."""
    answer = await client.get(f"/status-lists/{list_id}", params=parameters)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
