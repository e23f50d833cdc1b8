"""Institutions' signing keys: made, sealed, opened, destroyed. The port where a KMS or an HSM fits is `SigningKeys`.

Used only where something is signed: issuance (credentials) and revocation (status lists). Opened keys are cached as
key objects, since importing one costs more than a signature; a destroyed key leaves the cache at once in the process
that destroyed it, and elsewhere when `forget` is called by the follower that sees the event.
"""

import secrets
from typing import Protocol

import asyncpg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.errors import Unavailable
from ledger.proofs.keys import LocalSigner, Signer
from ledger.vault import sealing

EPOCH = 1


class KeyGone(Unavailable):
    """A signing key was destroyed. What it signed and was kept stays; nothing more will be signed with it."""

    code, title = "signing_key_gone", "The signing key is gone"


class SigningKeys(Protocol):
    """What a key store must do; ours keeps sealed keys in the vault, a KMS would keep them to itself."""

    async def create(self, tenant: str, key_id: str, algorithm: str) -> str:
        """Make a key (`Ed25519` or `P-256`) under this id, once, and return its public key as multibase."""
        ...

    async def signer(self, key_id: str, verification_method: str) -> Signer:
        """A signer that names itself by this verification method. Raises Unavailable when the key is gone."""
        ...

    async def destroy(self, key_id: str) -> None:
        """Destroy the private key, for good."""
        ...


class VaultKeys:
    """`SigningKeys` over `vault.signing_keys`, sealed by the signing key-encryption key."""

    def __init__(self, pool: asyncpg.Pool, signing_kek: bytes) -> None:
        self._pool, self._kek = pool, signing_kek
        self._signers: dict[tuple[str, str], LocalSigner] = {}
        self._forgotten = 0

    async def create(self, tenant: str, key_id: str, algorithm: str) -> str:
        private = _generate(algorithm)
        sealed = sealing.seal(self._kek, secrets.token_bytes(12), private, sealing.signing_key_purpose(tenant, key_id))
        await self._pool.execute(CREATE, key_id, tenant, algorithm, EPOCH, sealed)  # a retry finds the first one
        return (await self._open(key_id, "")).public_key

    async def signer(self, key_id: str, verification_method: str) -> Signer:
        if (signer := self._signers.get((key_id, verification_method))) is None:
            began = self._forgotten
            signer = await self._open(key_id, verification_method)
            if began == self._forgotten:  # a key that was forgotten while it was opened is not kept
                self._signers[key_id, verification_method] = signer
        return signer

    async def destroy(self, key_id: str) -> None:
        self.forget(key_id)
        await self._pool.execute("DELETE FROM vault.signing_keys WHERE key_id = $1", key_id)
        self.forget(key_id)

    def forget(self, key_id: str) -> None:
        """Drop an opened key from the cache."""
        self._forgotten += 1
        for known in [k for k in self._signers if k[0] == key_id]:
            del self._signers[known]

    async def _open(self, key_id: str, verification_method: str) -> LocalSigner:
        row = await self._pool.fetchrow(OPEN, key_id)
        if row is None:
            raise KeyGone("The signing key is gone; it was destroyed or is not in this vault.")
        private = sealing.unseal(self._kek, row["sealed"], sealing.signing_key_purpose(row["tenant"], key_id))
        return LocalSigner(row["algorithm"], private, verification_method)


def _generate(algorithm: str) -> bytes:
    """A fresh private key: 32 raw bytes for both kinds."""
    if algorithm == "Ed25519":
        return Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    if algorithm == "P-256":
        return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
    raise ValueError(f"no signing keys of kind {algorithm!r}")


OPEN = "SELECT tenant, algorithm, sealed FROM vault.signing_keys WHERE key_id = $1"
CREATE = """
INSERT INTO vault.signing_keys (key_id, tenant, algorithm, epoch, sealed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
