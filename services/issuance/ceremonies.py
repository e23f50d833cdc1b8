"""Taking an institution's signing keys out, sealed, and into another vault: the shell around `ledger.keys.ceremony`.

The fact comes first, then the keys. Nothing but the sealed file leaves, and only what is proven to belong to the public
key that the log holds comes in. Keys that were found compromised do neither.
"""

from collections.abc import Sequence

from issuance.clock import now
from issuance.institutions import Institution
from issuance.parts import Issuance
from ledger import errors
from ledger.codec import Fact
from ledger.errors import FieldError
from ledger.events import KeysExported, KeysImported
from ledger.keyring import Keyring
from ledger.keys import KeyGone, Private, ceremony
from ledger.keys.ceremony import Export, ExportedKey, NotOpened
from ledger.settings import SettingsError
from ledger.store import Decision, Wish


async def export(issuance: Issuance, wish: Wish, recipient: str) -> Export:
    """The institution's keys, sealed for a recipient. Raises NotFound, Malformed, Refused or NotExtractable."""
    try:
        fingerprint = ceremony.fingerprint(recipient)
    except ValueError as error:
        where = [FieldError("/recipient", "must be an X25519 public key: 32 bytes in base64url")]
        raise errors.Malformed("The recipient's key cannot be used.", errors=where) from error
    institution = await issuance.institution(wish.tenant)
    found = await _taken_out(issuance, institution)
    if not found:
        raise errors.Refused("No signing key of this institution is in this vault.")
    key_ids = [key.id for key, _ in found]
    await _record(issuance, wish, KeysExported(key_ids=key_ids, recipient=fingerprint))
    return ceremony.sealed_for(recipient, institution.id, institution.did, found)


async def take_in(issuance: Issuance, wish: Wish, export: Export) -> tuple[list[str], Decision]:
    """The ids of the keys that the file held, all of them in this vault now. Raises NotFound or Refused."""
    institution = await issuance.institution(wish.tenant)
    privates = _proven(issuance, institution, export)
    for private in privates:
        await issuance.keys.take_in(institution.id, private)
    key_ids = [private.key_id for private in privates]
    return key_ids, await _record(issuance, wish, KeysImported(key_ids=key_ids))


def recipient(issuance: Issuance) -> str:
    """The public key that a file for this vault is sealed for."""
    keyring = _keyring(issuance)
    return ceremony.public_text(ceremony.recipient_of(keyring, keyring.epoch))


def _proven(issuance: Issuance, institution: Institution, export: Export) -> Sequence[Private]:
    """The file's keys, which must be this institution's as the log has them."""
    known = {key.id: key.public_key for key in institution.keys if key.compromised is None}
    if export.did != institution.did or any(known.get(key.id) != key.public_key for key in export.keys):
        raise errors.Refused("The file holds keys that are not this institution's, or that were found compromised.")
    keyring = _keyring(issuance)
    candidates = [ceremony.recipient_of(keyring, epoch) for epoch in keyring.epochs]
    private = next((c for c in candidates if ceremony.public_text(c) == export.recipient), candidates[0])
    try:
        return ceremony.opened(export, private)
    except NotOpened as error:
        raise errors.Refused(str(error)) from error


async def _taken_out(issuance: Issuance, institution: Institution) -> list[tuple[ExportedKey, Private]]:
    found = []
    for key in institution.keys:
        if key.compromised is not None:
            continue
        try:
            private = await issuance.keys.take_out(key.id)
        except KeyGone:  # one that an earlier restore lost
            continue
        found.append((ExportedKey(key.id, key.algorithm, key.public_key), private))
    return found


async def _record(issuance: Issuance, wish: Wish, event: KeysExported | KeysImported) -> Decision:
    at = now()
    stream = f"access/ceremony-{wish.tenant}"
    return await issuance.store.decide(stream, lambda _: [Fact(event=event, at=at)], wish=wish)


def _keyring(issuance: Issuance) -> Keyring:
    if issuance.settings.signing_kek is None:
        raise SettingsError("issuance needs CREDLEDGER_SIGNING_KEK")
    return issuance.settings.signing_kek
