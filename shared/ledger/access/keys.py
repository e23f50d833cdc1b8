"""The keys as a service knows them: a projection of the log, and the judge that asks it at every request.

Rules. The two tables hold nothing personal and rebuild from the log alone. An answer about a key is kept in memory for
a quarter of a second, no longer: so a key that is revoked stops working within that time after its event is projected.
"""

import hmac
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec

from ledger import ids
from ledger.access.bearer import AccessToken, Tokens, looks_like_token
from ledger.access.callers import Caller
from ledger.access.tokens import parse_token, secret_hash
from ledger.codec import Seen, parse_time
from ledger.errors import Unauthenticated, Unavailable
from ledger.events import (
    LEDGER_TENANT,
    KeyCreated,
    KeyExpirySet,
    KeyRevoked,
    KeyScopesSet,
    state_after,
)

REMEMBER_SECONDS = 0.25
REMEMBER_KEYS = 4096
# The institution behind a sandbox (`ledger.ids`): what stops the one stops the other.
BEHIND = f"regexp_replace(k.tenant, '^{ids.SANDBOX}_', '{ids.INSTITUTION}_')"


def access_tables(schema: str) -> str:
    """The DDL of the projection in `schema`: `api_keys` and `tenants`."""
    _check_schema(schema)
    return f"""
CREATE TABLE IF NOT EXISTS {schema}.api_keys (
  key_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, role text NOT NULL, name text NOT NULL,
  scopes text[] NOT NULL, secret_hash text NOT NULL, expires_at timestamptz, revoked boolean NOT NULL DEFAULT false);
CREATE TABLE IF NOT EXISTS {schema}.tenants (tenant text COLLATE "C" PRIMARY KEY, active boolean NOT NULL);
"""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A key as a service knows it; `caller` is who holds it."""

    caller: Caller
    secret_hash: str
    expires_at: datetime | None
    revoked: bool


class Keys:
    """Turns the text of a key, or of a token that stands for one, into a Caller. `attach` gives it the service's pool
    once that is open; without `tokens` only keys are taken."""

    def __init__(self, schema: str, pepper: bytes, tokens: Tokens | None = None) -> None:
        _check_schema(schema)
        self._query = f"""
            SELECT k.tenant, k.role, k.name, k.scopes, k.secret_hash, k.expires_at, k.revoked,
                   (SELECT coalesce(bool_and(t.active), true) FROM {schema}.tenants t
                    WHERE t.tenant IN (k.tenant, {BEHIND})) AS active
            FROM {schema}.api_keys k WHERE k.key_id = $1"""  # noqa: S608 - the schema name is checked above
        self._pepper, self._tokens = pepper, tokens
        self._pool: Any = None
        self._catch_up: Callable[[], Awaitable[object]] | None = None
        self._remembered: dict[str, tuple[float, Known]] = {}

    def attach(self, pool: Any, catch_up: Callable[[], Awaitable[object]] | None = None) -> None:
        """Read through this asyncpg pool from now on. `catch_up` waits, for a bounded time, until the projection has
        seen what the log holds: it is awaited once for a key that is not known yet."""
        self._pool, self._catch_up = pool, catch_up

    def forget(self, key_id: str | None = None) -> None:
        """Read that key afresh at its next use; every key, where none is named."""
        if key_id is None:
            self._remembered.clear()
        else:
            self._remembered.pop(key_id, None)

    async def authenticate(self, text: str, now: datetime) -> Caller:
        """Who holds this key, or token, at `now` (aware UTC). Raises Unauthenticated, the same for a wrong secret as
        for a key that never was."""
        if self._tokens is not None and looks_like_token(text):
            return await self._by_token(self._tokens.read(text, now), now)
        return (await self.holder_of(text, now)).caller

    async def holder_of(self, text: str, now: datetime) -> Known:
        """What is known of the key with this text. Raises Unauthenticated."""
        token = parse_token(text)
        known = await self._known(token.key_id)
        given = secret_hash(self._pepper, token.secret)
        # A key that is not there is compared all the same: the time taken tells nothing.
        if not hmac.compare_digest(given, known.secret_hash if known else "0" * 64) or known is None:
            raise Unauthenticated("This API key is not known.")
        _check_alive(known, now)
        return known

    async def _by_token(self, token: AccessToken, now: datetime) -> Caller:
        """Whoever holds the token: its key's holder, as long as the key lives, with what the token opens of it."""
        known = await self._known(token.key_id)
        if known is None:
            raise Unauthenticated("This API key is not known.")
        _check_alive(known, now)
        return msgspec.structs.replace(known.caller, scopes=known.caller.scopes & token.scopes)

    async def _known(self, key_id: str) -> Known | None:
        remembered = self._remembered.get(key_id)
        if remembered is not None and time.monotonic() - remembered[0] < REMEMBER_SECONDS:
            return remembered[1]
        if self._pool is None:
            raise Unavailable("The service is starting.", retry_after_seconds=1)
        read_at = time.monotonic()
        row = await self._pool.fetchrow(self._query, key_id)
        if row is None and self._catch_up is not None:
            await self._catch_up()
            row = await self._pool.fetchrow(self._query, key_id)
        if row is None:
            return None
        if len(self._remembered) >= REMEMBER_KEYS:
            self._remembered.clear()
        known = _known_of(key_id, row)
        self._remembered[key_id] = (read_at, known)
        return known


class AccessProjection:
    """Follows the facts about keys and institutions into `<schema>.api_keys` and `<schema>.tenants`."""

    name = "access"
    private = False

    def __init__(self, schema: str, keys: Keys | None = None) -> None:
        _check_schema(schema)
        self.schema = schema
        self._keys = keys

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what the event changes, on the projector's asyncpg connection."""
        match seen.event:
            case KeyCreated():
                await self._key_created(connection, seen.tenant, seen.event)
            case KeyExpirySet(key_id=key_id, expires_at=expires_at):
                await self._set(connection, "expires_at", key_id, parse_time(expires_at))
            case KeyScopesSet(key_id=key_id, scopes=scopes):
                await self._set(connection, "scopes", key_id, scopes)
            case KeyRevoked(key_id=key_id):
                await self._set(connection, "revoked", key_id, True)
            case event if (state := state_after(event)) is not None:
                await self._tenant(connection, seen.tenant, active=state == "active")

    async def _key_created(self, connection: Any, tenant: str, event: KeyCreated) -> None:
        expires_at = None if event.expires_at is None else parse_time(event.expires_at)
        await connection.execute(
            f"INSERT INTO {self.schema}.api_keys (key_id, tenant, role, name, scopes, secret_hash, expires_at)"  # noqa: S608
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key_id) DO NOTHING",
            *(event.key_id, tenant, event.role, event.name, event.scopes, event.secret_hash, expires_at),
        )

    async def _set(self, connection: Any, column: str, key_id: str, value: object) -> None:
        await connection.execute(f"UPDATE {self.schema}.api_keys SET {column} = $2 WHERE key_id = $1", key_id, value)  # noqa: S608
        if self._keys is not None:
            self._keys.forget(key_id)

    async def _tenant(self, connection: Any, tenant: str, *, active: bool) -> None:
        await connection.execute(
            f"INSERT INTO {self.schema}.tenants (tenant, active) VALUES ($1, $2)"  # noqa: S608
            " ON CONFLICT (tenant) DO UPDATE SET active = excluded.active",
            *(tenant, active),
        )
        if self._keys is not None:
            self._keys.forget()


def _check_alive(known: Known, now: datetime) -> None:
    """Raises Unauthenticated for a key that is dead at `now`."""
    if known.revoked:
        raise Unauthenticated("This API key was revoked.")
    if known.expires_at is not None and known.expires_at <= now:
        raise Unauthenticated("This API key has expired.")


def _known_of(key_id: str, row: Any) -> Known:
    caller = Caller(
        key_id=key_id,
        role=row["role"],
        tenant=None if row["tenant"] == LEDGER_TENANT else row["tenant"],
        scopes=frozenset(row["scopes"]),
        name=row["name"],
        active=row["active"],
    )
    return Known(caller=caller, secret_hash=row["secret_hash"], expires_at=row["expires_at"], revoked=row["revoked"])


def _check_schema(schema: str) -> None:
    if not re.fullmatch(r"[a-z_]+", schema):
        raise ValueError(f"{schema!r} is not a schema name")
