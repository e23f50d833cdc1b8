"""`SigningKeys` over `vault.signing_keys`, each key sealed by the signing key-encryption key of its row's epoch.

Opened keys are cached as key objects, since importing one costs more than a signature; a destroyed key leaves the
cache at once in the process that destroyed it, and elsewhere when `forget` is called by the follower that sees the
event.
"""

import secrets

import asyncpg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.errors import Unavailable
from ledger.keyring import Keyring
from ledger.keys.port import KeyGone, Private
from ledger.proofs.keys import LocalSigner
from ledger.vault import sealing
from ledger.vault.rewrapping import MODULE_EPOCH


class VaultKeys:
    """Signing keys sealed in the vault. Signing is deterministic (RFC 8032, RFC 6979)."""

    repeatable = True

    def __init__(self, pool: asyncpg.Pool, signing_kek: Keyring) -> None:
        self._pool, self._kek = pool, signing_kek
        self._signers: dict[tuple[str, str], LocalSigner] = {}
        self._forgotten = 0

    async def create(self, tenant: str, key_id: str, algorithm: str) -> str:
        """The public key of the key under this id, made where there is none."""
        await self.take_in(tenant, Private(key_id, algorithm, _generate(algorithm)))  # a retry finds the first one
        return (await self._open(key_id, "")).public_key

    async def signer(self, key_id: str, verification_method: str) -> LocalSigner:
        """As `SigningKeys.signer`."""
        if (signer := self._signers.get((key_id, verification_method))) is None:
            began = self._forgotten
            signer = await self._open(key_id, verification_method)
            if began == self._forgotten:  # a key that was forgotten while it was opened is not kept
                self._signers[key_id, verification_method] = signer
        return signer

    async def destroy(self, key_id: str) -> None:
        """As `SigningKeys.destroy`."""
        self.forget(key_id)
        await self._pool.execute("DELETE FROM vault.signing_keys WHERE key_id = $1", key_id)
        self.forget(key_id)

    def forget(self, key_id: str) -> None:
        """Drop an opened key from the cache."""
        self._forgotten += 1
        for known in [k for k in self._signers if k[0] == key_id]:
            del self._signers[known]

    async def take_out(self, key_id: str) -> Private:
        """As `SigningKeys.take_out`."""
        row = await self._pool.fetchrow(OPEN, key_id)
        if row is None:
            raise KeyGone("The signing key is gone; it was destroyed or is not in this vault.")
        if row["epoch"] == MODULE_EPOCH:
            raise Unavailable("The signing key lies in a hardware security module that this service was not given.")
        purpose = sealing.signing_key_purpose(row["tenant"], key_id)
        return Private(key_id, row["algorithm"], sealing.unseal(self._kek.key(row["epoch"]), row["sealed"], purpose))

    async def take_in(self, tenant: str, private: Private) -> bool:
        """As `SigningKeys.take_in`."""
        epoch, kek = self._kek.current()
        purpose = sealing.signing_key_purpose(tenant, private.key_id)
        sealed = sealing.seal(kek, secrets.token_bytes(12), private.raw, purpose)
        row = (private.key_id, tenant, private.algorithm, epoch, sealed)
        return await self._pool.fetchval(KEEP, *row) is not None

    async def _open(self, key_id: str, verification_method: str) -> LocalSigner:
        private = await self.take_out(key_id)
        return LocalSigner(private.algorithm, private.raw, verification_method)


def _generate(algorithm: str) -> bytes:
    """A fresh private key: 32 raw bytes for both kinds."""
    if algorithm == "Ed25519":
        return Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    if algorithm == "P-256":
        return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
    raise ValueError(f"no signing keys of kind {algorithm!r}")


OPEN = "SELECT tenant, algorithm, epoch, sealed FROM vault.signing_keys WHERE key_id = $1"
KEEP = """
INSERT INTO vault.signing_keys (key_id, tenant, algorithm, epoch, sealed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING 1
"""
