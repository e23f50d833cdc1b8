"""NATS identities: nkeys (Ed25519 keys in base32 with a checksum) and the JWTs signed with them. Pure.

Formats: NATS nkeys (prefix byte, 32 bytes, CRC-16/XMODEM little-endian, base32 without padding; a seed carries two
prefix bytes) and NATS JWT v2 (`alg` ed25519-nkey; `jti` = base32 of SHA-512/256 over the claims).
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3
HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class KeyPair(msgspec.Struct, frozen=True):
    """An nkey: its kind (OPERATOR, ACCOUNT or USER) and its 32 secret bytes."""

    kind: int
    secret: bytes

    @property
    def public(self) -> str:
        """The public key: O…, A… or U…, 56 characters."""
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _base32(_checked(bytes([self.kind]) + raw))

    @property
    def seed(self) -> str:
        """The secret seed: SO…, SA… or SU…, 58 characters."""
        # The kind's five bits are spread over the seed's two prefix bytes.
        prefix = bytes([SEED | self.kind >> 5, (self.kind & 31) << 3])
        return _base32(_checked(prefix + self.secret))

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature."""
        return self._private.sign(message)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


def key_pair(seed: str) -> KeyPair:
    """The key pair behind a seed. Raises ValueError for what is none."""
    raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    if len(raw) != 36 or raw != _checked(raw[:-2]) or raw[0] & 248 != SEED:
        raise ValueError("this is not an nkey seed")
    return KeyPair((raw[0] & 7) << 5 | raw[1] >> 3, raw[2:34])


def jwt(issuer: KeyPair, subject: str, name: str, nats: Mapping[str, Any], *, issued_at: int) -> str:
    """A NATS JWT about `subject`, signed by `issuer`; `issued_at` in Unix seconds."""
    claims = {"iat": issued_at, "iss": issuer.public, "name": name, "nats": dict(nats), "sub": subject}
    digest = hashlib.new("sha512_256", msgspec.json.encode(claims, order="sorted")).digest()
    claims["jti"] = _base32(digest)
    signed = f"{_base64(HEADER)}.{_base64(claims)}"
    return f"{signed}.{base64.urlsafe_b64encode(issuer.sign(signed.encode())).decode().rstrip('=')}"


def credentials_text(user_jwt: str, seed: str) -> str:
    """A credentials file as `nsc` writes it."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n"
        "NKEYs are sensitive and should be treated as secrets.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n\n"
        "*************************************************************\n"
    )


def credentials_of(text: str) -> tuple[str, KeyPair]:
    """The user JWT and the key pair in a credentials file. Raises ValueError when either is missing."""
    blocks = [block.strip() for block in re.findall(r"-{3,}BEGIN [^-]+-{3,}\s+(\S+)\s+-{3,}END", text)]
    if len(blocks) != 2:
        raise ValueError("this is not a NATS credentials file")
    return blocks[0], key_pair(blocks[1])


def _base64(claims: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


def _checked(raw: bytes) -> bytes:
    crc = 0
    for byte in raw:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return raw + crc.to_bytes(2, "little")
