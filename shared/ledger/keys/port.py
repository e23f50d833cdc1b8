"""What a key store must do, and how it says that it cannot."""

from typing import Protocol

import msgspec

from ledger.errors import Refused, Unavailable
from ledger.proofs.keys import Signer


class KeyGone(Unavailable):
    """A signing key was destroyed. What it signed and was kept stays; nothing more will be signed with it."""

    code, title = "signing_key_gone", "The signing key is gone"


class NotExtractable(Refused):
    """The key lies in a module that gives no private key away."""

    code, title = "signing_key_not_extractable", "The key cannot leave its module"


class Private(msgspec.Struct, frozen=True):
    """A private key at hand: 32 raw bytes, the seed for Ed25519, the scalar for P-256."""

    key_id: str
    algorithm: str
    raw: bytes

    def __repr__(self) -> str:
        return f"Private({self.key_id!r})"


class SigningKeys(Protocol):
    """What a key store must do; ours keeps sealed keys in the vault, an HSM keeps them to itself."""

    @property
    def repeatable(self) -> bool:
        """Whether signing the same again gives the same bytes, for both kinds of key."""
        ...

    async def create(self, tenant: str, key_id: str, algorithm: str) -> str:
        """Make a key (`Ed25519` or `P-256`) under this id, once, and return its public key as multibase."""
        ...

    async def signer(self, key_id: str, verification_method: str) -> Signer:
        """A signer that names itself by this verification method. Raises Unavailable when the key is gone."""
        ...

    async def destroy(self, key_id: str) -> None:
        """Destroy the private key, for good."""
        ...

    def forget(self, key_id: str) -> None:
        """Drop what is cached of a key: another process destroyed it."""
        ...

    async def take_out(self, key_id: str) -> Private:
        """The private key, for a sealed export. Raises KeyGone or NotExtractable."""
        ...

    async def take_in(self, tenant: str, private: Private) -> bool:
        """Keep a private key from an import; False when there is one under this id already."""
        ...
