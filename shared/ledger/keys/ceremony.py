"""Signing keys on their way from one vault to another, sealed for one recipient: the file of a key ceremony.

    {"format": "credledger-signing-keys/v1", "institution": "inst_…", "did": "did:web:…", "recipient": …,
     "keys": [{"id", "algorithm", "public_key"}, …], "sealed": …}

`recipient` is an X25519 public key (32 bytes), `sealed` the output of HPKE (RFC 9180, base mode, DHKEM(X25519,
HKDF-SHA256), HKDF-SHA256, AES-256-GCM): enc ‖ ciphertext; both base64url without padding. The plaintext is JSON, key id
→ private key (32 bytes, base64url); `info` is the format's name, a zero byte and the JCS form of all other members, so
none of them can be changed. Whoever opens it proves that each private key belongs to its public key.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger import ids
from ledger.keyring import Keyring
from ledger.keys.port import Private
from ledger.proofs.jcs import canonical
from ledger.proofs.keys import LocalSigner, from_base64url

FORMAT: Final = "credledger-signing-keys/v1"
SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class NotOpened(Exception):
    """The file does not open, or does not hold what it says; the message says which."""


class ExportedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key in the file: its id, its algorithm and its public key as multibase."""

    id: str
    algorithm: str
    public_key: str


class Export(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An institution's private signing keys, sealed for one recipient (see `ledger.keys.ceremony`)."""

    format: str = FORMAT
    institution: str
    did: str
    recipient: str
    keys: list[ExportedKey]
    sealed: str


def sealed_for(recipient: str, institution: str, did: str, keys: Sequence[tuple[ExportedKey, Private]]) -> Export:
    """The file for a recipient's public key. Raises ValueError where that is none."""
    public = X25519PublicKey.from_public_bytes(from_base64url(recipient))
    stated = Export(institution=institution, did=did, recipient=recipient, keys=[key for key, _ in keys], sealed="")
    plain = msgspec.json.encode({key.id: _text(private.raw) for key, private in keys})
    return msgspec.structs.replace(stated, sealed=_text(SUITE.encrypt(plain, public, info=_info(stated))))


def opened(export: Export, private: X25519PrivateKey) -> list[Private]:
    """The private keys, each proven to belong to its public key. Raises NotOpened."""
    if export.format != FORMAT:
        raise NotOpened(f"The file is of the format {export.format!r}; {FORMAT!r} is known here.")
    if export.recipient != public_text(private):
        raise NotOpened("The file is sealed for another recipient.")
    try:
        plain = SUITE.decrypt(from_base64url(export.sealed), private, info=_info(export))
        raws = {
            key_id: from_base64url(text) for key_id, text in msgspec.json.decode(plain, type=dict[str, str]).items()
        }
    except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
        raise NotOpened("The file does not open: it was altered, or is damaged.") from error
    return [_proven(key, raws.get(key.id)) for key in export.keys]


def public_text(private: X25519PrivateKey) -> str:
    """The recipient that a private key is, as the file names it."""
    return _text(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def fingerprint(recipient: str) -> str:
    """SHA-256 of a recipient's public key, in hex. Raises ValueError."""
    raw = from_base64url(recipient)
    X25519PublicKey.from_public_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def recipient_of(keyring: Keyring, epoch: int) -> X25519PrivateKey:
    """What a service opens imports with: it follows from a key-encryption key, so nothing more has to be kept."""
    return X25519PrivateKey.from_private_bytes(ids.keyed(keyring.key(epoch), "credledger/import-recipient/v1"))


def _proven(key: ExportedKey, raw: bytes | None) -> Private:
    try:
        if raw is not None and LocalSigner(key.algorithm, raw, "").public_key == key.public_key:
            return Private(key.id, key.algorithm, raw)
    except ValueError:
        pass
    raise NotOpened(f"The private key of {key.id} does not belong to the public key that the file states.")


def _info(export: Export) -> bytes:
    members = {name: value for name, value in msgspec.to_builtins(export).items() if name != "sealed"}
    return FORMAT.encode() + b"\0" + canonical({"format": FORMAT, **members})


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
