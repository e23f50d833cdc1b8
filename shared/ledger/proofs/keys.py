"""Keys of both kinds: Ed25519 (RFC 8032) for embedded proofs and P-256 (ES256, RFC 7518 §3.4) for `vc+jwt`.

Rules. Signing is deterministic, P-256 by RFC 6979: the same event gives the same bytes. A signature is 64 bytes, P-256
as r ‖ s. Hostile public keys are refused where a key is read, not where it is used: libraries disagree on Ed25519 keys
of small order and on non-canonical ones, so that a verdict would depend on what is installed.
"""

import base64
import functools
from typing import Any, Final, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.proofs import base58

ED25519: Final = "Ed25519"
P256: Final = "P-256"

_MULTICODEC: Final = {ED25519: b"\xed\x01", P256: b"\x80\x24"}
_SIZE: Final = {ED25519: 32, P256: 33}
_FIELD: Final = 2**255 - 19
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# The y coordinates of the eight points whose order divides 8; on four of them every message has a trivial signature.
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    }
)
_CURVE: Final = ec.SECP256R1()
_ES256: Final = ec.ECDSA(SHA256())
_ES256_DETERMINISTIC: Final = ec.ECDSA(SHA256(), deterministic_signing=True)


class Signer(Protocol):
    """What can sign under one verification method: a key at hand, or one that a KMS or HSM keeps."""

    @property
    def algorithm(self) -> str:
        """`Ed25519` or `P-256`."""
        ...

    @property
    def verification_method(self) -> str:
        """The DID URL under which verifiers find the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes: the Ed25519 signature, or r ‖ s of ECDSA over SHA-256 of the message, by RFC 6979."""
        ...


class PublicKey(msgspec.Struct, frozen=True):
    """A public key that was looked at: 32 bytes for Ed25519, the 33 bytes of the compressed point for P-256."""

    algorithm: str
    raw: bytes

    @property
    def multibase(self) -> str:
        """`z…` with the multicodec prefix, as in Multikey and did:key."""
        return base58.to_multibase(_MULTICODEC[self.algorithm] + self.raw)

    def jwk(self) -> dict[str, str]:
        """The public members of the JSON Web Key (RFC 7517, RFC 8037)."""
        if self.algorithm == ED25519:
            return {"kty": "OKP", "crv": ED25519, "x": _base64url(self.raw)}
        point = _p256(self.raw).public_numbers()
        x, y = (_base64url(part.to_bytes(32, "big")) for part in (point.x, point.y))
        return {"kty": "EC", "crv": P256, "x": x, "y": y}

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` (64 bytes) is this key's over `message`."""
        if len(signature) != 64:
            return False
        try:
            if self.algorithm == ED25519:
                Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
            else:
                r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                _p256(self.raw).verify(encode_dss_signature(r, s), message, _ES256)
        except InvalidSignature:
            return False
        return True


def public_key(algorithm: str, raw: bytes) -> PublicKey:
    """A key from its raw bytes. Raises ValueError for a wrong size, a small-order or non-canonical Ed25519 key, and a
    P-256 point that is not on the curve."""
    if algorithm not in _SIZE:
        raise ValueError(f"keys of the kind {algorithm} are not known here")
    if len(raw) != _SIZE[algorithm]:
        raise ValueError(f"a public {algorithm} key has {_SIZE[algorithm]} bytes here, not {len(raw)}")
    if algorithm == P256:
        _p256(raw)
        return PublicKey(algorithm, raw)
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _FIELD:
        raise ValueError("the Ed25519 key is not in canonical form")
    if y in _SMALL_ORDER_Y:
        raise ValueError("the Ed25519 key is of small order: anybody can sign for it")
    return PublicKey(algorithm, raw)


def from_multibase(text: str) -> PublicKey:
    """A key from `publicKeyMultibase` or the name of a did:key. Raises ValueError."""
    coded = base58.from_multibase(text, size_limit=128)
    for algorithm, prefix in _MULTICODEC.items():
        if coded.startswith(prefix):
            return public_key(algorithm, coded[len(prefix) :])
    raise ValueError("the key is of a kind that is not known here; Ed25519 and P-256 are")


def from_jwk(jwk: Any) -> PublicKey:
    """A key from `publicKeyJwk`. Raises ValueError, also where a private part (`d`) stands in it."""
    if not isinstance(jwk, dict) or "d" in jwk:
        raise ValueError("publicKeyJwk must be an object without the private part d")
    match jwk:
        case {"kty": "OKP", "crv": "Ed25519", "x": str(x)}:
            return public_key(ED25519, from_base64url(x))
        case {"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y)}:
            return _from_point(from_base64url(x), from_base64url(y))
    raise ValueError("the JWK is of a kind that is not known here; OKP Ed25519 and EC P-256 are")


def from_base64url(text: str) -> bytes:
    """Strict base64url (RFC 7515 §2): no padding, no other characters, no stray bits. Raises ValueError."""
    if not text.isascii() or "=" in text:
        raise ValueError("not base64url without padding")
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _base64url(raw) != text:
        raise ValueError("not base64url in its one canonical form")
    return raw


class LocalSigner:
    """A signer over a private key at hand: 32 bytes, the seed for Ed25519, the scalar for P-256."""

    def __init__(self, algorithm: str, private: bytes, verification_method: str) -> None:
        if algorithm not in _SIZE or len(private) != 32:
            raise ValueError("a private key has 32 bytes and is of the kind Ed25519 or P-256")
        self.algorithm = algorithm
        self.verification_method = verification_method
        # Importing costs more than a signature, so the key object is kept.
        self._key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey
        if algorithm == ED25519:
            self._key = Ed25519PrivateKey.from_private_bytes(private)
            raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        else:
            scalar = int.from_bytes(private, "big")
            if not 0 < scalar < _ORDER:
                raise ValueError("the P-256 scalar is out of range")
            self._key = ec.derive_private_key(scalar, _CURVE)
            raw = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        self.key = PublicKey(algorithm, raw)

    @property
    def public_key(self) -> str:
        """The public key as multibase, `z…`."""
        return self.key.multibase

    def sign(self, message: bytes) -> bytes:
        """64 bytes, as `Signer.sign`."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, _ES256_DETERMINISTIC))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@functools.lru_cache(maxsize=256)
def _p256(raw: bytes) -> ec.EllipticCurvePublicKey:
    """The point behind compressed bytes; decompressing takes a square root. Raises ValueError."""
    if raw[:1] not in (b"\x02", b"\x03"):
        raise ValueError("a P-256 key is a compressed point")
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, raw)


def _from_point(x: bytes, y: bytes) -> PublicKey:
    if len(x) != 32 or len(y) != 32:
        raise ValueError("the coordinates of a P-256 key have 32 bytes")
    point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x04" + x + y)
    return PublicKey(P256, point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
