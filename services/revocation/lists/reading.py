"""Signed lists as they are handed out: never one that is known to be behind, and any one that ever was in force.

A reader waits, for up to a second, until what was committed before it asked is in the signed list. If it still is not,
it hears Unavailable: an old list would call a revoked award good.
"""

import asyncio
from datetime import datetime
from typing import Any

from ledger import errors
from ledger.projector import Projector
from ledger.store import Store
from revocation.clock import now
from revocation.lists import VISIBLE_SECONDS
from revocation.lists.bits import Bits
from revocation.lists.projection import issuer_of
from revocation.lists.signing import ListSigner

LOOK_SECONDS = 0.1


class Lists:
    """Reads what the projection keeps."""

    def __init__(self, store: Store, projector: Projector, signer: ListSigner) -> None:
        self._store, self._projector, self._signer = store, projector, signer
        self._bits = Bits()

    async def newest(self, list_id: str) -> bytes:
        """The signed list, with everything that was committed before the call. Raises NotFound or Unavailable."""
        try:
            async with asyncio.timeout(VISIBLE_SECONDS):
                touched = await self._touched(list_id)
                while True:
                    row = await self._store.pool.fetchrow(NEWEST, list_id)
                    if row is not None and row["position"] >= touched:
                        return await self._credential(row)
                    await self._projector.wait_for(self._projector.position + 1, LOOK_SECONDS)
        except TimeoutError as error:
            detail = "The newest state of this list is not signed yet; an older one would mislead. Try again."
            raise errors.Unavailable(detail, retry_after_seconds=1) from error

    async def as_of(self, list_id: str, moment: datetime) -> bytes:
        """The signed list that was in force at a moment. Raises NotFound, StatusRetrievalError or Unavailable."""
        if moment > now():
            raise errors.StatusRetrievalError("That moment has not come.")
        await self._touched(list_id)
        row = await self._store.pool.fetchrow(AS_OF, list_id, moment)
        if row is None:
            raise errors.StatusRetrievalError("The list was not published yet at that moment.")
        return await self._credential(row)

    async def _touched(self, list_id: str) -> int:
        """The last event that changed what the list says, of all that the log holds now. Raises NotFound."""
        if not await self._projector.wait_for(await self._store.head(), VISIBLE_SECONDS):
            detail = "This service is behind the log; an older list would mislead. Try again."
            raise errors.Unavailable(detail, retry_after_seconds=1)
        touched: int | None = await self._store.pool.fetchval(TOUCHED, list_id)
        if touched is None:
            raise errors.NotFound("There is no such status list.")
        return touched

    async def _credential(self, row: Any) -> bytes:
        """The list as it was signed, or signed by today's key where the one that signed it was destroyed."""
        if row["credential"] is not None:
            credential: bytes = row["credential"]
            return credential
        bits = await self._bits.at(self._store.pool, row["list_id"], row["length"], row["position"])
        issuer = await issuer_of(self._store.pool, row["tenant"])
        return await self._signer.sign(
            row["list_id"], row["purpose"], bits, issuer=issuer, valid_from=row["valid_from"]
        )


TOUCHED = "SELECT touched FROM revocation.lists WHERE list_id = $1"
VERSION = """
SELECT l.list_id, l.tenant, l.purpose, l.length, v.position, v.valid_from, v.credential
FROM revocation.list_versions v JOIN revocation.lists l USING (list_id) WHERE v.list_id = $1
"""
NEWEST = VERSION + "ORDER BY v.position DESC LIMIT 1"
AS_OF = VERSION + "AND v.valid_from <= $2 ORDER BY v.position DESC LIMIT 1"
