"""The documents table: every signed format of every document of an award, sealed for whoever brings its URL.

Issuance writes, the registry reads: opening needs the capability of the URL and the share in the row, and nothing
that only issuance has.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from ledger.proofs.jcs import canonical
from ledger.vault import sealing


class Formats(msgspec.Struct, frozen=True):
    """The signed formats of one document: the credential with its embedded proofs (JSON text) and the `vc+jwt`."""

    vc: str
    jwt: str


class Opened(msgspec.Struct, frozen=True):
    """A document that its URL opened. `position` is that of the event that it follows from: an award has a document
    for itself and one for each of its corrections."""

    award_id: str
    position: int
    tenant: str
    formats: Formats


class Owner(msgspec.Struct, frozen=True):
    """Whose document it is, and of which event: erasure finds it by tenant and pseudonym."""

    tenant: str
    pseudonym: str
    award_id: str
    position: int


class Kept(msgspec.Struct, frozen=True):
    """Which document a text is: that of an award, by the event at a position."""

    award_id: str
    position: int


class Document(msgspec.Struct, frozen=True):
    """What is kept: whose it is, the capability of its URL, the credential without proofs, and what was signed."""

    owner: Owner
    capability: str
    unsecured: dict[str, Any]
    formats: Formats


class Documents:
    """Keeps and opens documents over the service's pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def keep(self, document: Document) -> bool:
        """Store what was signed; once stored it stays. False when the learner was erased meanwhile."""
        return await self._pool.fetchval(KEEP, *_row(document)) is not None

    async def keep_many(self, documents: Sequence[Document]) -> None:
        """Store many in one statement; those of learners that were erased meanwhile are left out."""
        # In one order of learners: two of these at once lock their data keys alike.
        rows = sorted(map(_row, documents), key=lambda row: row[1:3])
        if rows:
            await self._pool.execute(KEEP_MANY, *map(list, zip(*rows, strict=True)))

    async def open(self, capability: str) -> Opened | None:
        """The document at this capability, or None when there is none (any more)."""
        lookup = sealing.lookup_of(capability)
        row = await self._pool.fetchrow(OPEN, lookup)
        if row is None:
            return None
        seal_key, _ = sealing.document_keys(capability, row["share"])
        formats = msgspec.json.decode(sealing.unseal(seal_key, row["sealed"], lookup), type=Formats)
        return Opened(row["award_id"], row["position"], row["tenant"], formats)

    async def is_this(self, capability: str, unsecured: dict[str, Any]) -> Kept | None:
        """The award, and the event, whose credential, proofs aside, is exactly this one; None when it is not ours or
        was altered."""
        row = await self._pool.fetchrow(OPEN, sealing.lookup_of(capability))
        if row is None:
            return None
        _, mac_key = sealing.document_keys(capability, row["share"])
        mac = hmac.digest(mac_key, hashlib.sha256(canonical(unsecured)).digest(), "sha256")
        return Kept(row["award_id"], row["position"]) if hmac.compare_digest(mac, row["mac"]) else None


def _row(document: Document) -> tuple[Any, ...]:
    """lookup, tenant, pseudonym, award, position, mac, share, sealed."""
    owner, share, lookup = document.owner, secrets.token_bytes(32), sealing.lookup_of(document.capability)
    seal_key, mac_key = sealing.document_keys(document.capability, share)
    sealed = sealing.seal(seal_key, secrets.token_bytes(12), msgspec.json.encode(document.formats), lookup)
    mac = hmac.digest(mac_key, hashlib.sha256(canonical(document.unsecured)).digest(), "sha256")
    return lookup, owner.tenant, owner.pseudonym, owner.award_id, owner.position, mac, share, sealed


# The data key's row lock orders this against an erasure: a document is kept only while its learner is.
KEEP = """
WITH learner AS (SELECT FROM vault.data_keys WHERE tenant = $2 AND pseudonym = $3 FOR SHARE),
kept AS (
  INSERT INTO vault.documents (lookup, tenant, pseudonym, award_id, position, mac, share, sealed)
  SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM learner ON CONFLICT DO NOTHING)
SELECT 1 FROM learner
"""
KEEP_MANY = """
WITH given AS (
  SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[],
    $8::bytea[]) AS g(lookup, tenant, pseudonym, award_id, position, mac, share, sealed)),
learner AS (
  SELECT k.tenant, k.pseudonym FROM vault.data_keys k
  WHERE (k.tenant, k.pseudonym) IN (SELECT g.tenant, g.pseudonym FROM given g)
  ORDER BY k.tenant, k.pseudonym FOR SHARE)
INSERT INTO vault.documents (lookup, tenant, pseudonym, award_id, position, mac, share, sealed)
SELECT g.lookup, g.tenant, g.pseudonym, g.award_id, g.position, g.mac, g.share, g.sealed
FROM given g JOIN learner USING (tenant, pseudonym) ON CONFLICT DO NOTHING
"""
OPEN = "SELECT award_id, position, tenant, mac, share, sealed FROM vault.documents WHERE lookup = $1"
