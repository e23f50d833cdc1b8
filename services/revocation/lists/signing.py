"""From a published list to its signed credential: the same bytes whenever, and wherever, it is signed again."""

import asyncio
from datetime import datetime

import msgspec

from ledger import errors
from ledger.bitstring import status_list_credential
from ledger.keys import SigningKeys
from ledger.proofs import secure
from revocation.lists import TTL_MILLISECONDS


class ListIssuer(msgspec.Struct, frozen=True):
    """Who signs a list: the institution's DID and the Ed25519 key that is active, with the time it was added."""

    did: str
    key_id: str
    key_since: datetime


class ListSigner:
    """Signs lists with institutions' keys, with both suites that their awards carry."""

    def __init__(self, status_url: str, keys: SigningKeys) -> None:
        self._status_url, self._keys = status_url, keys

    async def sign(
        self, list_id: str, purpose: str, bits: bytes, *, issuer: ListIssuer | None, valid_from: datetime
    ) -> bytes:
        """The signed credential as JSON. Raises Unavailable when there is no such key (any more).

        A proof is never older than its key: where a destroyed key's list is signed anew, it takes the time at which
        the newer key was added.
        """
        if issuer is None:
            raise errors.Unavailable("This institution has no active key to sign its lists.")
        signer = await self._keys.signer(issuer.key_id, f"{issuer.did}#{issuer.key_id}")
        url = f"{self._status_url}/status-lists/{list_id}"
        unsigned = status_list_credential(
            url, issuer.did, purpose, bits, valid_from=valid_from, ttl_milliseconds=TTL_MILLISECONDS
        )
        at = max(valid_from, issuer.key_since)
        if self._keys.repeatable:
            return msgspec.json.encode(secure(unsigned, signer, at))
        return msgspec.json.encode(await asyncio.to_thread(secure, unsigned, signer, at))  # a module may take its time
