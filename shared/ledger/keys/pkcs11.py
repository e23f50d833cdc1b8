"""`SigningKeys` over a token of an HSM (PKCS#11 v2.40/3.0, the extra `hsm`): new keys are made inside and never leave.

Rules. A key's row in `vault.signing_keys` names its object in the token (epoch 0: sealed by nobody), so two processes
that make the same key keep the same one. Rows of other epochs are keys that were made in the vault; those go on there.
Ed25519 is deterministic, a module's ECDSA is not: `repeatable` is False, and what was signed first and kept counts
(decision record 0015). A module is loaded once a process, and is used by one thread of it at a time: not every module
bears two, whatever it promises.
"""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

import asyncpg
import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import PKCS11Error, UserAlreadyLoggedIn
from pkcs11.util.ec import encode_named_curve_parameters

from ledger.errors import Unavailable
from ledger.keys.port import KeyGone, NotExtractable, Private
from ledger.keys.vault import VaultKeys
from ledger.proofs.keys import ED25519, P256, PublicKey, Signer, public_key
from ledger.settings import SettingsError, Token
from ledger.vault.rewrapping import MODULE_EPOCH

CURVES: Final = {
    ED25519: (KeyType.EC_EDWARDS, "1.3.101.112", Mechanism.EC_EDWARDS_KEY_PAIR_GEN),
    P256: (KeyType.EC, "1.2.840.10045.3.1.7", Mechanism.EC_KEY_PAIR_GEN),
}
SIGNING: Final = {ED25519: Mechanism.EDDSA, P256: Mechanism.ECDSA}
OBJECT_BYTES: Final = 16
_ONE_AT_A_TIME: Final = threading.Lock()


class ModuleAway(Unavailable):
    """The hardware security module does not answer."""

    code, title = "signing_module_away", "The signing module is away"


class TokenSession:
    """A logged-in session with one token, opened when it is first needed and again after a fault."""

    def __init__(self, token: Token) -> None:
        """Raises SettingsError when the module cannot be loaded or the token cannot be opened."""
        self._token = token
        self._session: Any = None
        try:
            with self.use():
                pass
        except ModuleAway as error:
            raise SettingsError(f"CREDLEDGER_PKCS11_MODULE: the token {token.label!r} cannot be used") from error

    @contextlib.contextmanager
    def use(self) -> Iterator[Any]:
        """The session, for this thread alone. Raises ModuleAway, after which the next use opens a new one."""
        with _ONE_AT_A_TIME:
            try:
                if self._session is None:
                    self._session = self._open()
                yield self._session
            except (PKCS11Error, RuntimeError) as error:
                self._session = None
                raise ModuleAway("The module that keeps the signing keys does not answer.") from error

    def _open(self) -> Any:
        token = pkcs11.lib(self._token.module).get_token(token_label=self._token.label)
        try:
            return token.open(rw=True, user_pin=self._token.pin)
        except UserAlreadyLoggedIn:  # a login is the process's, not the session's
            return token.open(rw=True)


class TokenSigner:
    """A `Signer` whose private key stays in the token."""

    def __init__(self, session: TokenSession, name: bytes, key: PublicKey, verification_method: str) -> None:
        self.algorithm, self.verification_method, self.key = key.algorithm, verification_method, key
        self._session, self._name = session, name

    def sign(self, message: bytes) -> bytes:
        """64 bytes, as `Signer.sign`; P-256 with a random nonce. Raises ModuleAway or KeyGone."""
        data = sha256(message).digest() if self.algorithm == P256 else message
        with self._session.use() as session:
            private = _found(session, ObjectClass.PRIVATE_KEY, self._name)
            signature: bytes = private.sign(data, mechanism=SIGNING[self.algorithm])
        return signature


class Pkcs11Keys:
    """New keys in the token, older ones where they were made. `SigningKeys` of an installation with an HSM."""

    repeatable = False

    def __init__(self, pool: asyncpg.Pool, vault: VaultKeys, token: Token) -> None:
        self._pool, self._vault, self._session = pool, vault, TokenSession(token)
        self._signers: dict[tuple[str, str], TokenSigner] = {}
        self._forgotten = 0

    async def create(self, tenant: str, key_id: str, algorithm: str) -> str:
        """As `SigningKeys.create`."""
        row = await self._pool.fetchrow(PLACE, key_id)
        if row is None:
            name = secrets.token_bytes(OBJECT_BYTES)
            await asyncio.to_thread(self._make, name, key_id, algorithm)
            if await self._pool.fetchval(KEEP, key_id, tenant, algorithm, MODULE_EPOCH, name) is None:
                await asyncio.to_thread(self._delete, name)  # another process made the same key first
            row = await self._pool.fetchrow(PLACE, key_id)
        if row["epoch"] != MODULE_EPOCH:
            return await self._vault.create(tenant, key_id, algorithm)
        return (await asyncio.to_thread(self._public, row["sealed"], algorithm)).multibase

    async def signer(self, key_id: str, verification_method: str) -> Signer:
        """As `SigningKeys.signer`."""
        if (known := self._signers.get((key_id, verification_method))) is not None:
            return known
        began = self._forgotten
        row = await self._pool.fetchrow(PLACE, key_id)
        if row is None:
            raise KeyGone("The signing key is gone; it was destroyed or is not in this vault.")
        if row["epoch"] != MODULE_EPOCH:
            return await self._vault.signer(key_id, verification_method)
        key = await asyncio.to_thread(self._public, row["sealed"], row["algorithm"])
        signer = TokenSigner(self._session, row["sealed"], key, verification_method)
        if began == self._forgotten:
            self._signers[key_id, verification_method] = signer
        return signer

    async def destroy(self, key_id: str) -> None:
        """As `SigningKeys.destroy`: the object in the token first, then the row that names it."""
        self.forget(key_id)
        row = await self._pool.fetchrow(PLACE, key_id)
        if row is not None and row["epoch"] == MODULE_EPOCH:
            await asyncio.to_thread(self._delete, row["sealed"])
        await self._vault.destroy(key_id)
        self.forget(key_id)

    def forget(self, key_id: str) -> None:
        """As `SigningKeys.forget`."""
        self._forgotten += 1
        self._vault.forget(key_id)
        for known in [k for k in self._signers if k[0] == key_id]:
            del self._signers[known]

    async def take_out(self, key_id: str) -> Private:
        """As `SigningKeys.take_out`: a key in the token never leaves it."""
        row = await self._pool.fetchrow(PLACE, key_id)
        if row is not None and row["epoch"] == MODULE_EPOCH:
            raise NotExtractable(f"The key {key_id} lies in the hardware security module, which gives no key away.")
        return await self._vault.take_out(key_id)

    async def take_in(self, tenant: str, private: Private) -> bool:
        """As `SigningKeys.take_in`: the key is sealed in the vault, since modules refuse private keys from outside."""
        return await self._vault.take_in(tenant, private)

    def _make(self, name: bytes, label: str, algorithm: str) -> None:
        kind, curve, mechanism = CURVES[algorithm]
        with self._session.use() as session:
            parameters = session.create_domain_parameters(
                kind, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
            )
            parameters.generate_keypair(
                mechanism=mechanism,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                id=name,
                label=label,
                store=True,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )

    def _public(self, name: bytes, algorithm: str) -> PublicKey:
        with self._session.use() as session:
            point: bytes = _found(session, ObjectClass.PUBLIC_KEY, name)[Attribute.EC_POINT]
        raw = _unwrapped(point)
        if algorithm == P256:  # 04 ‖ x ‖ y → the compressed point
            raw = bytes([2 + (raw[-1] & 1)]) + raw[1:33]
        return public_key(algorithm, raw)

    def _delete(self, name: bytes) -> None:
        with self._session.use() as session:
            for found in list(session.get_objects({Attribute.ID: name})):
                found.destroy()


def _found(session: Any, kind: ObjectClass, name: bytes) -> Any:
    """The object of this kind and name. Raises KeyGone."""
    for found in session.get_objects({Attribute.CLASS: kind, Attribute.ID: name}):
        return found
    raise KeyGone("The signing key is gone; it was destroyed or is not in this token.")


def _unwrapped(point: bytes) -> bytes:
    """EC_POINT without its DER OCTET STRING, which some modules leave away."""
    return point[2:] if point[:1] == b"\x04" and len(point) == 2 + point[1] else point


PLACE = "SELECT tenant, algorithm, epoch, sealed FROM vault.signing_keys WHERE key_id = $1"
KEEP = """
INSERT INTO vault.signing_keys (key_id, tenant, algorithm, epoch, sealed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING 1
"""
