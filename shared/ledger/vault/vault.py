"""The vault's tables: who a pseudonym is, data keys, sealed values, erasure. Issuance alone holds the key for it.

A learner's identifiers are known by keyed hashes only. Mapping and data key are committed before an append that uses
them; an orphan is harmless. A tenant's own facts (no learner) are sealed under a data key named by the tenant's id.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from ledger import errors, ids
from ledger.codec import NONCE_BYTES as SALT_BYTES
from ledger.codec import Recorded
from ledger.identifiers import Identifier
from ledger.keyring import Keyring
from ledger.store import Name
from ledger.vault import sealing

CACHED_KEYS = 20_000


class Erased(errors.Gone):
    """The learner's record was erased, for good: what it held cannot be had again. The history and its proofs stay."""

    code, title = "erased", "This was erased"


class _Overtaken(Exception):
    """Somebody else recorded the same identifier in this very moment."""


class Vault:
    """Opens and seals for issuance, over the store's pool."""

    def __init__(self, pool: asyncpg.Pool, *, kek: Keyring, secret: bytes) -> None:
        self._pool, self._kek, self._secret = pool, kek, secret
        self._keys: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def learner(self, tenant: str, identifiers: Sequence[Identifier]) -> str:
        """The learner's pseudonym here, made when none of the identifiers is known; new identifiers join it.

        Raises Refused when the identifiers belong to different learners of this institution.
        """
        # In one order: two requests with the same identifiers the other way round would lock each other.
        hashes = sorted({self._identifier_hash(tenant, i) for i in identifiers})
        for _ in range(5):
            rows = await self._pool.fetch(KNOWN, tenant, hashes)
            known = {row["pseudonym"] for row in rows}
            if len(known) > 1:
                raise errors.Refused("These identifiers belong to different learners of this institution.")
            if len(rows) == len(hashes):
                return str(known.pop())
            pseudonym = known.pop() if known else ids.text_id("lrn", secrets.token_bytes(16))
            key = secrets.token_bytes(sealing.KEY_BYTES)
            epoch, sealed = self._sealed_data_key(tenant, pseudonym, key)
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    made = await connection.fetchrow(JOIN, tenant, hashes, pseudonym, epoch, sealed)
                    if made["joined"] < len(hashes) - len(rows):
                        raise _Overtaken  # others took one of them meanwhile: half a learner must not stay
            except _Overtaken:
                continue
            if made["keyed"]:
                self._remember(tenant, pseudonym, key)
            return pseudonym
        raise errors.Unavailable("The learner is being recorded by others; try again.", retry_after_seconds=1)

    async def learners(self, tenant: str, people: Sequence[Sequence[Identifier]]) -> list[str | errors.LedgerError]:
        """The pseudonyms of many people at once, in their order; the error for whom there is none (see `learner`).

        Who is known by all that is given, or not at all, costs two statements for all together.
        """
        hashes = [sorted({self._identifier_hash(tenant, i) for i in identifiers}) for identifiers in people]
        rows = await self._pool.fetch(KNOWN_AS, tenant, [one for each in hashes for one in each])
        known = {row["identifier_hash"]: row["pseudonym"] for row in rows}
        found: dict[int, str] = {}
        fresh: dict[int, tuple[str, bytes]] = {}
        taken: set[bytes] = set()
        for number, each in enumerate(hashes):
            names = {known.get(one) for one in each}
            if len(names) == 1 and (name := names.pop()) is not None:
                found[number] = name
            elif not any(one in known for one in each) and not taken & set(each):
                fresh[number] = (ids.text_id("lrn", secrets.token_bytes(16)), secrets.token_bytes(sealing.KEY_BYTES))
                taken |= set(each)
        found |= await self._joined(tenant, hashes, fresh)
        return [
            found[number] if number in found else await self._one_of_many(tenant, identifiers)
            for number, identifiers in enumerate(people)
        ]

    async def _joined(
        self, tenant: str, hashes: Sequence[Sequence[bytes]], fresh: Mapping[int, tuple[str, bytes]]
    ) -> dict[int, str]:
        """Record new learners together; none of them where somebody else recorded one at the same time."""
        rows = [(one, name) for number, (name, _) in fresh.items() for one in hashes[number]]
        keys = [(name, *self._sealed_data_key(tenant, name, key)) for name, key in fresh.values()]
        if not rows:
            return {}
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                columns = [[row[i] for row in rows] for i in range(2)] + [[key[i] for key in keys] for i in range(3)]
                if await connection.fetchval(JOIN_MANY, tenant, *columns) < len(rows):
                    raise _Overtaken
        except _Overtaken:
            return {}
        for name, key in fresh.values():
            self._remember(tenant, name, key)
        return {number: name for number, (name, _) in fresh.items()}

    async def _one_of_many(self, tenant: str, identifiers: Sequence[Identifier]) -> str | errors.LedgerError:
        try:
            return await self.learner(tenant, identifiers)
        except errors.LedgerError as error:
            return error

    async def known(self, tenant: str, people: Sequence[Sequence[Identifier]]) -> list[str | None]:
        """The pseudonyms of many people, without making one for whom there is none."""
        hashes = [[self._identifier_hash(tenant, i) for i in identifiers] for identifiers in people]
        rows = await self._pool.fetch(KNOWN_AS, tenant, [one for each in hashes for one in each])
        names = {row["identifier_hash"]: str(row["pseudonym"]) for row in rows}
        return [next((names[one] for one in each if one in names), None) for each in hashes]

    def hashes_of(self, tenant: str, identifiers: Sequence[Identifier]) -> list[bytes]:
        """How these identifiers are remembered: keyed, so that nobody can guess them."""
        return [self._identifier_hash(tenant, identifier) for identifier in identifiers]

    async def find(self, tenant: str, identifier: Identifier) -> str | None:
        """The pseudonym behind an identifier, if this institution knows it."""
        hashes = [self._identifier_hash(tenant, identifier)]
        pseudonym: str | None = await self._pool.fetchval(KNOWN, tenant, hashes)
        return pseudonym

    async def knows(self, tenant: str, pseudonym: str) -> bool:
        """Whether there is such a learner of this institution, who was not erased."""
        return tenant != pseudonym and await self._pool.fetchval(DATA_KEY, tenant, pseudonym) is not None

    async def join(self, tenant: str, pseudonym: str, identifiers: Sequence[Identifier]) -> list[Identifier]:
        """Let these identifiers name this learner too; those that did not yet.

        Raises Refused when one names another learner of the institution (none is joined then), and Erased.
        """
        hashes = {self._identifier_hash(tenant, one): one for one in identifiers}
        async with self._pool.acquire() as connection, connection.transaction():
            made = await connection.fetchrow(JOIN_MORE, tenant, sorted(hashes), pseudonym)
            if not made["is_there"]:
                raise Erased("This learner's record was erased.")
            rows = await connection.fetch(KNOWN, tenant, sorted(hashes))
            if {row["pseudonym"] for row in rows} - {pseudonym}:
                raise errors.Refused("These identifiers belong to different learners of this institution.")
        return [hashes[joined] for joined in made["joined"]]

    async def part(self, tenant: str, pseudonym: str, identifiers: Sequence[Identifier]) -> None:
        """Let these identifiers name this learner no longer. May be repeated."""
        hashes = [self._identifier_hash(tenant, one) for one in identifiers]
        await self._pool.execute(PART, tenant, pseudonym, hashes)

    async def position_of(self, name: Name) -> int | None:
        """The position of the event that took a name, if one did."""
        position: int | None = await self._pool.fetchval(NAMED, name.tenant, name.kind, name.hash)
        return position

    async def everywhere(self, identifier: Identifier, tenants: Sequence[str]) -> list[tuple[str, str]]:
        """Tenant and pseudonym of everybody whom one of these tenants knows by this identifier."""
        hashes = [self._identifier_hash(tenant, identifier) for tenant in tenants]
        rows = await self._pool.fetch(EVERYWHERE, list(tenants), hashes)
        return [(row["tenant"], row["pseudonym"]) for row in rows]

    async def seal(
        self, tenant: str, subject: str | None, event_id: str, openings: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        """Seal an event's openings under the subject's data key. Raises Erased when there is none any more."""
        key = await self._data_key(tenant, subject or tenant)
        return {
            name: sealing.seal(key, secrets.token_bytes(12), opening, sealing.value_purpose(event_id, name))
            for name, opening in openings.items()
        }

    async def sealer_of(self, tenant: str, thing: str) -> Callable[[bytes, str], bytes]:
        """What seals values of something that is no learner, such as a job, each bound to its place, under a data key
        of its own, made when it is asked for first."""
        fresh = self._sealed_data_key(tenant, thing, secrets.token_bytes(sealing.KEY_BYTES))
        await self._pool.execute(OWN_KEY, tenant, thing, *fresh)
        key = await self._data_key(tenant, thing)

        def seal(value: bytes, place: str) -> bytes:
            return sealing.seal(key, secrets.token_bytes(12), value, sealing.thing_purpose(thing, place))

        return seal

    async def opener_of(self, tenant: str, thing: str) -> Callable[[bytes, str], bytes]:
        """What opens values that `sealer_of` sealed. Raises Erased when the data key is gone."""
        key = await self._data_key(tenant, thing)
        return lambda blob, place: sealing.unseal(key, blob, sealing.thing_purpose(thing, place))

    async def open(self, recorded: Recorded) -> dict[str, Any]:
        """An event's personal values by name; empty where it has none. Raises Erased."""
        openings = await self.openings(recorded)
        return {name: msgspec.json.decode(opening[SALT_BYTES:]) for name, opening in openings.items()}

    async def openings(self, recorded: Recorded) -> dict[str, bytes]:
        """name → salt ‖ JCS(value), as the commitments in the envelope bind them. Raises Erased."""
        committed = {item["n"] for item in recorded.envelope["pd"]}
        if not committed:
            return {}
        rows = await self._pool.fetch(VALUES, recorded.position)
        if {row["name"] for row in rows} != committed:
            raise Erased("The personal data of this event was erased.")
        key = await self._data_key(recorded.tenant, recorded.subject or recorded.tenant)
        return {
            row["name"]: sealing.unseal(key, row["blob"], sealing.value_purpose(recorded.id, row["name"]))
            for row in rows
        }

    async def erase(self, tenant: str, pseudonym: str, positions: Sequence[int]) -> None:
        """Destroy the data key, the mapping, the documents with their shares, and what is sealed or named at
        `positions`.

        Comes after the event that says so, and may be repeated.
        """
        self._keys.pop((tenant, pseudonym), None)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(ERASE_JOB_ROWS, tenant, pseudonym)
            for table in ("data_keys", "learners", "documents"):
                statement = f"DELETE FROM vault.{table} WHERE tenant = $1 AND pseudonym = $2"  # noqa: S608 names are ours
                await connection.execute(statement, tenant, pseudonym)
            for statement in (ERASE_VALUES, ERASE_NAMES):
                await connection.execute(statement, list(positions))
        self._keys.pop((tenant, pseudonym), None)  # once more: a read during the transaction may have kept it

    def forget(self, tenant: str, pseudonym: str) -> None:
        """Drop a cached data key: another process erased the learner."""
        self._keys.pop((tenant, pseudonym), None)

    async def _data_key(self, tenant: str, pseudonym: str) -> bytes:
        if (key := self._keys.get((tenant, pseudonym))) is not None:
            self._keys.move_to_end((tenant, pseudonym))
            return key
        row = await self._pool.fetchrow(DATA_KEY, tenant, pseudonym)
        if row is None and pseudonym == tenant:
            fresh = self._sealed_data_key(tenant, tenant, secrets.token_bytes(sealing.KEY_BYTES))
            await self._pool.execute(OWN_KEY, tenant, tenant, *fresh)
            row = await self._pool.fetchrow(DATA_KEY, tenant, tenant)
        if row is None:
            raise Erased("This learner's record was erased.")
        kek = self._kek.key(row["epoch"])
        key = sealing.unseal(kek, row["sealed"], sealing.data_key_purpose(tenant, pseudonym))
        self._remember(tenant, pseudonym, key)
        return key

    def _remember(self, tenant: str, pseudonym: str, key: bytes) -> None:
        self._keys[tenant, pseudonym] = key
        if len(self._keys) > CACHED_KEYS:
            self._keys.popitem(last=False)

    def _sealed_data_key(self, tenant: str, pseudonym: str, key: bytes) -> tuple[int, bytes]:
        epoch, kek = self._kek.current()
        return epoch, sealing.seal(kek, secrets.token_bytes(12), key, sealing.data_key_purpose(tenant, pseudonym))

    def _identifier_hash(self, tenant: str, identifier: Identifier) -> bytes:
        return ids.keyed(self._secret, "credledger/identifier/v1", tenant, identifier.kind, identifier.value)


KNOWN = "SELECT pseudonym FROM vault.learners WHERE tenant = $1 AND identifier_hash = ANY($2)"
EVERYWHERE = """
SELECT l.tenant, l.pseudonym FROM unnest($1::text[], $2::bytea[]) AS w(tenant, identifier_hash)
JOIN vault.learners l USING (tenant, identifier_hash)
"""
JOIN = """
WITH joined AS (
  INSERT INTO vault.learners (tenant, identifier_hash, pseudonym)
  SELECT $1, h, $3 FROM unnest($2::bytea[]) AS h
  ON CONFLICT DO NOTHING RETURNING pseudonym),
keyed AS (
  INSERT INTO vault.data_keys (tenant, pseudonym, epoch, sealed)
  SELECT DISTINCT $1, pseudonym, $4::int, $5::bytea FROM joined ON CONFLICT DO NOTHING RETURNING true)
SELECT (SELECT count(*) FROM joined) AS joined, EXISTS (SELECT FROM keyed) AS keyed
"""
# The data key's row lock orders this against an erasure.
JOIN_MORE = """
WITH learner AS (SELECT FROM vault.data_keys WHERE tenant = $1 AND pseudonym = $3 FOR SHARE),
joined AS (
  INSERT INTO vault.learners (tenant, identifier_hash, pseudonym)
  SELECT $1, h, $3 FROM unnest($2::bytea[]) AS h, learner ON CONFLICT DO NOTHING RETURNING identifier_hash)
SELECT EXISTS (SELECT FROM learner) AS is_there, array(SELECT identifier_hash FROM joined) AS joined
"""
PART = "DELETE FROM vault.learners WHERE tenant = $1 AND pseudonym = $2 AND identifier_hash = ANY($3)"
KNOWN_AS = "SELECT identifier_hash, pseudonym FROM vault.learners WHERE tenant = $1 AND identifier_hash = ANY($2)"
JOIN_MANY = """
WITH joined AS (
  INSERT INTO vault.learners (tenant, identifier_hash, pseudonym)
  SELECT $1, u.h, u.p FROM unnest($2::bytea[], $3::text[]) AS u(h, p) ON CONFLICT DO NOTHING RETURNING true),
keyed AS (
  INSERT INTO vault.data_keys (tenant, pseudonym, epoch, sealed)
  SELECT $1, u.p, u.e, u.s FROM unnest($4::text[], $5::int[], $6::bytea[]) AS u(p, e, s))
SELECT count(*) FROM joined
"""
OWN_KEY = """
INSERT INTO vault.data_keys (tenant, pseudonym, epoch, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
NAMED = "SELECT position FROM vault.names WHERE log_id = 0 AND tenant = $1 AND kind = $2 AND hash = $3"
ERASE_NAMES = "DELETE FROM vault.names WHERE log_id = 0 AND position = ANY($1)"
ERASE_JOB_ROWS = """
UPDATE vault.job_rows r SET sealed = NULL, outcome = coalesce(r.outcome, 'erased')
FROM vault.jobs j WHERE j.job_id = r.job_id AND j.tenant = $1 AND r.sealed IS NOT NULL AND r.names && (
  SELECT array_agg(identifier_hash) FROM vault.learners WHERE tenant = $1 AND pseudonym = $2)
"""
ERASE_VALUES = "DELETE FROM vault.sealed_values WHERE log_id = 0 AND event = ANY($1)"
DATA_KEY = "SELECT epoch, sealed FROM vault.data_keys WHERE tenant = $1 AND pseudonym = $2"
VALUES = "SELECT name, blob FROM vault.sealed_values WHERE log_id = 0 AND event = $1"
