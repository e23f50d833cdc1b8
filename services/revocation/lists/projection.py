"""Status lists as a projection of the log: no bit is ever read, changed and written back, so none can be lost.

A list that was published is signed here, in log order: its bits as of the position that the event names, its issuer's
key as of the event. So every table, the signed lists too, is rebuilt to the same bytes, but for lists whose key was
destroyed since: those are signed by today's key when they are asked for.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import structlog

from ledger import errors
from ledger.codec import Seen, parse_time
from ledger.events import (
    AwardCorrected,
    AwardReinstated,
    InstitutionCreated,
    InstitutionMoved,
    IssuerKeyChanged,
    StandingChanged,
    StatusListOpened,
    StatusListPublished,
)
from revocation.lists.bits import Bits
from revocation.lists.signing import ListIssuer, ListSigner

ALGORITHM = "Ed25519"  # signs embedded proofs, in awards as in lists

log = structlog.get_logger()


class ListProjection:
    """The projection `lists`; its tables are in tables.sql. It reads the store, since places are private.

    `forget_key` hears of every signing key that may no longer be used.
    """

    name = "lists"
    schema = "revocation"
    private = True

    def __init__(self, signer: ListSigner, forget_key: Callable[[str], None]) -> None:
        self.signer, self._forget_key = signer, forget_key
        self._bits = Bits()

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what one event changes, on the projector's asyncpg connection."""
        match seen.event:
            case InstitutionCreated(did=did):
                await connection.execute(ISSUER, seen.tenant, did)
            case InstitutionMoved(did=did):
                await connection.execute(MOVED, seen.tenant, did)
                await connection.execute(TOUCHED, seen.tenant, seen.position)
            case IssuerKeyChanged(algorithm=algorithm) as event if algorithm == ALGORITHM:
                await self._key_changed(connection, seen, event)
            case StatusListOpened(list_id=list_id, purpose=purpose, length=length):
                await connection.execute(OPENED, list_id, seen.tenant, purpose, length, seen.position)
            case StandingChanged(entries=entries) as event:
                value = not isinstance(event, AwardReinstated)
                for entry in entries:
                    await connection.execute(FLIP, entry.list_id, seen.position, entry.index, value)
            case AwardCorrected(superseded=entries):  # for ever: no later event names the places of an old document
                for entry in entries:
                    if entry.purpose == "revocation":
                        await connection.execute(FLIP, entry.list_id, seen.position, entry.index, True)
            case StatusListPublished() as event:
                await self._published(connection, seen, event)

    async def _key_changed(self, connection: Any, seen: Seen, event: IssuerKeyChanged) -> None:
        """A fresh key signs every list anew. Until there is one, nothing of a key that is gone is published."""
        if event.change == "added":
            await connection.execute(KEY_ADDED, seen.tenant, event.key_id, parse_time(event.effective))
            await connection.execute(TOUCHED, seen.tenant, seen.position)
        else:
            await connection.execute(KEY_GONE, seen.tenant, event.key_id)
        if event.change == "compromised":
            self._forget_key(event.key_id)

    async def _published(self, connection: Any, seen: Seen, event: StatusListPublished) -> None:
        length = await connection.fetchval(LENGTH, event.list_id)
        bits = await self._bits.at(connection, event.list_id, length, event.position)
        if hashlib.sha256(bits).hexdigest() != event.digest:
            raise RuntimeError(f"position {seen.position} published other bits of {event.list_id} than its flips make")
        issuer = await issuer_of(connection, seen.tenant)
        credential = None
        try:
            credential = await self.signer.sign(event.list_id, event.purpose, bits, issuer=issuer, valid_from=seen.at)
        except errors.Unavailable:
            log.warning("list cannot be signed", list_id=event.list_id, position=event.position)
        row = (event.list_id, event.position, seen.position, seen.at, event.digest, credential)
        await connection.execute(PUBLISHED, *row)


async def issuer_of(database: Any, tenant: str) -> ListIssuer | None:
    """Who signs the institution's lists, as far as the projection has come; None while it has no active key."""
    row = await database.fetchrow(SIGNS, tenant)
    return None if row is None else ListIssuer(*row)


ISSUER = "INSERT INTO revocation.issuers (tenant, did) VALUES ($1, $2)"
MOVED = "UPDATE revocation.issuers SET did = $2 WHERE tenant = $1"
KEY_ADDED = "UPDATE revocation.issuers SET key_id = $2, key_since = $3 WHERE tenant = $1"
KEY_GONE = "UPDATE revocation.issuers SET key_id = NULL, key_since = NULL WHERE tenant = $1 AND key_id = $2"
SIGNS = "SELECT did, key_id, key_since FROM revocation.issuers WHERE tenant = $1 AND key_id IS NOT NULL"
OPENED = "INSERT INTO revocation.lists (list_id, tenant, purpose, length, touched) VALUES ($1, $2, $3, $4, $5)"
TOUCHED = "UPDATE revocation.lists SET touched = $2 WHERE tenant = $1"
FLIP = """
WITH flip AS (INSERT INTO revocation.flips (list_id, position, place, value) VALUES ($1, $2, $3, $4))
UPDATE revocation.lists SET touched = $2 WHERE list_id = $1
"""
LENGTH = "SELECT length FROM revocation.lists WHERE list_id = $1"
PUBLISHED = """
INSERT INTO revocation.list_versions (list_id, position, published, valid_from, digest, credential)
VALUES ($1, $2, $3, $4, $5, $6)
"""
