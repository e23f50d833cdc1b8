"""Sealing keys anew under the current key-encryption key, a batch in a transaction, while everything goes on.

Rules. A row is opened with its own epoch's key and sealed with the current one; reads see the one or the other, and
open both. Rows that somebody else holds are passed over and looked for again, so any number of processes may work at
once, and a crash loses at most the batch under way. How many were re-wrapped is counted in the same transaction.
"""

import secrets
from collections import Counter
from collections.abc import Callable

import asyncpg
import msgspec
import structlog

from ledger.keyring import Keyring
from ledger.vault import sealing

BATCH = 200
MODULE_EPOCH = 0  # signing keys in an HSM have a row that names them, sealed by nobody

log = structlog.get_logger()


class Ring(msgspec.Struct, frozen=True):
    """What one keyring seals: a table of the vault, the column that names a row, and the purpose it is sealed for."""

    name: str
    keyring: Keyring
    table: str
    column: str
    purpose: Callable[[str, str], bytes]


def data_ring(keyring: Keyring) -> Ring:
    """Learners' and institutions' data keys."""
    return Ring("data", keyring, "vault.data_keys", "pseudonym", sealing.data_key_purpose)


def signing_ring(keyring: Keyring) -> Ring:
    """Institutions' signing keys."""
    return Ring("signing", keyring, "vault.signing_keys", "key_id", sealing.signing_key_purpose)


class Rewrapping:
    """Re-wraps one ring over the service's pool."""

    def __init__(self, pool: asyncpg.Pool, ring: Ring) -> None:
        self._pool, self.ring = pool, ring
        self._unsealable: set[str] = set()

    async def is_needed(self) -> bool:
        """Whether something lies under an older epoch that the keyring opens."""
        names = f"EXISTS (SELECT FROM {self.ring.table} WHERE epoch = ANY($1) AND {self.ring.column} <> ALL($2))"
        needed: bool = await self._pool.fetchval(f"SELECT {names}", self.ring.keyring.older, list(self._unsealable))
        return needed

    async def batch(self, limit: int = BATCH) -> int:
        """Seal up to so many keys anew; how many it were. What does not open is reported once and left as it is."""
        ring = self.ring
        epoch, kek = ring.keyring.current()
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(self._take, ring.keyring.older, list(self._unsealable), limit)
            names, sealed, counts = [], [], Counter[int]()
            for row in rows:
                purpose = ring.purpose(row["tenant"], row["name"])
                try:
                    value = sealing.unseal(ring.keyring.key(row["epoch"]), row["sealed"], purpose)
                except sealing.Unsealable:
                    self._unsealable.add(row["name"])
                    log.error("sealed key does not open", ring=ring.name, key=row["name"], epoch=row["epoch"])
                    continue
                names.append((row["tenant"], row["name"]))
                sealed.append(sealing.seal(kek, secrets.token_bytes(12), value, purpose))
                counts[row["epoch"]] += 1
            await connection.execute(self._put, epoch, [t for t, _ in names], [n for _, n in names], sealed)
            for old, count in counts.items():
                await connection.execute(COUNT, ring.name, epoch, old, count)
        return len(sealed)

    async def sealed(self) -> dict[int, int]:
        """epoch → how many keys lie under it now."""
        rows = await self._pool.fetch(f"SELECT epoch, count(*) AS n FROM {self.ring.table} GROUP BY epoch")  # noqa: S608
        return {row["epoch"]: row["n"] for row in rows}

    async def rewrapped(self, epoch: int) -> dict[str, int]:
        """Older epoch → how many keys were ever re-wrapped from it to this one."""
        rows = await self._pool.fetch(COUNTED, self.ring.name, epoch)
        return {str(row["from_epoch"]): row["rewrapped"] for row in rows}

    @property
    def _take(self) -> str:
        return f"""
            SELECT tenant, {self.ring.column} AS name, epoch, sealed FROM {self.ring.table}
            WHERE epoch = ANY($1) AND {self.ring.column} <> ALL($2) LIMIT $3 FOR UPDATE SKIP LOCKED
        """  # noqa: S608 - names are ours

    @property
    def _put(self) -> str:
        return f"""
            UPDATE {self.ring.table} k SET epoch = $1, sealed = n.sealed
            FROM unnest($2::text[], $3::text[], $4::bytea[]) AS n (tenant, name, sealed)
            WHERE k.tenant = n.tenant AND k.{self.ring.column} = n.name
        """  # noqa: S608 - names are ours


COUNT = """
INSERT INTO vault.rewraps AS r (ring, epoch, from_epoch, rewrapped) VALUES ($1, $2, $3, $4)
ON CONFLICT (ring, epoch, from_epoch) DO UPDATE SET rewrapped = r.rewrapped + excluded.rewrapped
"""
COUNTED = "SELECT from_epoch, rewrapped FROM vault.rewraps WHERE ring = $1 AND epoch = $2 ORDER BY from_epoch"
