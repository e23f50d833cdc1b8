"""The vault: everything that can be erased, sealed at rest (DESIGN §5)."""

from ledger.vault.documents import Document, Documents, Formats, Kept, Opened, Owner
from ledger.vault.sealing import Unsealable
from ledger.vault.vault import Erased, Vault

__all__ = ["Document", "Documents", "Erased", "Formats", "Kept", "Opened", "Owner", "Unsealable", "Vault"]
