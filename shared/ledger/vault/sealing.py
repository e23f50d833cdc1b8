"""How the vault seals: AES-256-GCM, a fresh 12-byte nonce before the ciphertext, and what the value is for as
associated data, so that no sealed value can be passed off as another.

A learner's data key seals the openings of that learner's events. A document is sealed under a key made from the
capability in its URL *and* a share in the vault: the registry opens it only for a visitor who brings the URL, and
erasure destroys the share.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class Unsealable(Exception):
    """The key, the purpose or the bytes are not the ones that were sealed."""


def seal(key: bytes, nonce: bytes, value: bytes, purpose: bytes) -> bytes:
    """nonce ‖ AES-256-GCM(key, value, aad = purpose)."""
    return nonce + AESGCM(key).encrypt(nonce, value, purpose)


def unseal(key: bytes, blob: bytes, purpose: bytes) -> bytes:
    """The value behind `blob`. Raises Unsealable."""
    try:
        return AESGCM(key).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], purpose)
    except (InvalidTag, ValueError) as error:
        raise Unsealable("a sealed value does not open") from error


def value_purpose(event_id: str, name: str) -> bytes:
    """What a sealed value of an event is bound to."""
    return event_id.encode() + b"\0" + name.encode()


def thing_purpose(thing: str, place: str) -> bytes:
    """What a sealed value of something that is no learner is bound to: the thing, and its place there."""
    return f"credledger/thing/v1\0{thing}\0{place}".encode()


def data_key_purpose(tenant: str, pseudonym: str) -> bytes:
    return f"credledger/data-key/v1\0{tenant}\0{pseudonym}".encode()


def signing_key_purpose(tenant: str, key_id: str) -> bytes:
    return f"credledger/signing-key/v1\0{tenant}\0{key_id}".encode()


def lookup_of(capability: str) -> bytes:
    """How a document is found without the vault knowing its URL."""
    return hashlib.sha256(b"credledger/lookup/v1\0" + capability.encode()).digest()


def document_keys(capability: str, share: bytes) -> tuple[bytes, bytes]:
    """The sealing key and the MAC key of a document (HKDF-SHA256 by hand: one extract, two one-block expands)."""
    secret = hmac.digest(share, capability.encode(), "sha256")
    return (
        hmac.digest(secret, b"credledger/document/seal/v1\x01", "sha256"),
        hmac.digest(secret, b"credledger/document/mac/v1\x01", "sha256"),
    )
