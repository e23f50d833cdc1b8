"""Institutions' signing keys: made, kept, used, destroyed. The port is `SigningKeys`; keys lie sealed in the vault, or
in an HSM.

Used only where something is signed: issuance (credentials) and revocation (status lists).
"""

from ledger.keys.port import KeyGone, NotExtractable, Private, SigningKeys
from ledger.keys.vault import VaultKeys

__all__ = ["KeyGone", "NotExtractable", "Private", "SigningKeys", "VaultKeys"]
