"""Institutions' signing keys: made, kept, used, destroyed. The port is `SigningKeys`; keys lie sealed in the vault, or
in an HSM.

Used only where something is signed: issuance (credentials) and revocation (status lists).
"""

import asyncpg

from ledger.keyring import Keyring
from ledger.keys.port import KeyGone, NotExtractable, Private, SigningKeys
from ledger.keys.vault import VaultKeys
from ledger.settings import SettingsError, Token

__all__ = ["KeyGone", "NotExtractable", "Private", "SigningKeys", "VaultKeys", "signing_keys_for"]


def signing_keys_for(pool: asyncpg.Pool, signing_kek: Keyring, token: Token | None) -> SigningKeys:
    """The key store that the settings ask for. Raises SettingsError where a token cannot be used."""
    vault = VaultKeys(pool, signing_kek)
    if token is None:
        return vault
    try:
        from ledger.keys.pkcs11 import Pkcs11Keys  # noqa: PLC0415 - an extra that few installations have
    except ImportError as error:
        raise SettingsError("CREDLEDGER_PKCS11_MODULE needs the package python-pkcs11 (the extra hsm)") from error
    return Pkcs11Keys(pool, vault, token)
