"""API keys: their text, their scopes, and how each service follows them out of the log."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Database

from ledger import access
from ledger.access import AccessProjection, Keys
from ledger.codec import Seen
from ledger.errors import Malformed, Unauthenticated, Unavailable
from ledger.events import (
    Event,
    InstitutionCreated,
    InstitutionDeactivated,
    InstitutionReactivated,
    KeyCreated,
    KeyExpirySet,
    KeyRevoked,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEPPER, SECRET = b"p" * 32, bytes(range(32))
KEY_ID, TENANT = "key_" + "a" * 26, "inst_" + "o" * 26
TOKEN = access.new_token(KEY_ID, SECRET, live=False)
CREATED = KeyCreated(
    key_id=KEY_ID,
    name="registrar",
    role="institution",
    scopes=["awards:write"],
    secret_hash=access.secret_hash(PEPPER, SECRET),
)


@given(st.binary(min_size=32, max_size=32), st.booleans())
def test_a_token_reads_back_as_what_it_was_made_of(secret: bytes, live: bool) -> None:
    text = access.new_token(KEY_ID, secret, live=live)

    token = access.parse_token(text)

    assert (token.key_id, token.secret, token.live) == (KEY_ID, secret, live)
    assert text.startswith("cl_live_" if live else "cl_test_")
    assert len(text) == 8 + 26 + 1 + 43


@given(st.text(max_size=90))
def test_no_other_text_is_a_token(text: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        access.parse_token(text)

    assert refusal.value.detail == "This is not an API key of this ledger."


def test_one_secret_has_one_text() -> None:
    twin = TOKEN[:-1] + chr(ord(TOKEN[-1]) + 1)

    with pytest.raises(Unauthenticated):
        access.parse_token(twin)


def test_a_secret_is_never_printed() -> None:
    assert repr(access.parse_token(TOKEN)) == f"Token('{KEY_ID}')"


def test_a_key_holds_all_of_its_role_unless_less_is_wished() -> None:
    assert access.scopes_for("institution", None) == sorted(access.ROLE_SCOPES["institution"])
    assert access.scopes_for("institution", ["awards:write", "awards:write"]) == ["awards:write"]
    assert "institutions:write" not in access.scopes_for("institution", None)


def test_a_scope_beyond_the_role_is_pointed_at() -> None:
    with pytest.raises(Malformed) as refusal:
        access.scopes_for("auditor", ["audit:read", "awards:write", "all"])

    assert [error.pointer for error in refusal.value.errors] == ["/scopes/1", "/scopes/2"]


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database.url, min_size=1, max_size=2) as pool:
        await pool.execute("CREATE SCHEMA sample")
        await pool.execute(access.access_tables("sample"))
        yield pool


@pytest.fixture
def keys(pool: asyncpg.Pool) -> Keys:
    keys = Keys("sample", PEPPER)
    keys.attach(pool)
    return keys


async def tell(pool: asyncpg.Pool, keys: Keys, *events: Event) -> None:
    projection = AccessProjection("sample", keys)
    async with pool.acquire() as connection:
        for position, event in enumerate(events, 1):
            seen = Seen(
                position=position,
                stream="access/x",
                version=position,
                topic=type(event).TOPIC,
                recorded_at=NOON,
                at=NOON,
                tenant=TENANT,
                leaf=b"",
                event=event,
            )
            await projection.apply(connection, seen)


async def test_a_key_opens_what_its_event_says(pool: asyncpg.Pool, keys: Keys) -> None:
    await tell(pool, keys, CREATED)

    caller = await keys.authenticate(TOKEN, NOON)

    assert (caller.key_id, caller.role, caller.tenant) == (KEY_ID, "institution", TENANT)
    assert (caller.scopes, caller.name, caller.active) == (frozenset({"awards:write"}), "registrar", True)


async def test_a_wrong_secret_reads_like_a_key_that_never_was(pool: asyncpg.Pool, keys: Keys) -> None:
    await tell(pool, keys, CREATED)
    wrong = access.new_token(KEY_ID, b"x" * 32, live=False)
    stranger = access.new_token("key_" + "b" * 26, SECRET, live=False)

    for text in (wrong, stranger):
        with pytest.raises(Unauthenticated, match="This API key is not known"):
            await keys.authenticate(text, NOON)


async def test_a_revoked_key_is_dead_at_once(pool: asyncpg.Pool, keys: Keys) -> None:
    await tell(pool, keys, CREATED)
    await keys.authenticate(TOKEN, NOON)

    await tell(pool, keys, KeyRevoked(key_id=KEY_ID, reason_code="lost"))

    with pytest.raises(Unauthenticated, match="revoked"):
        await keys.authenticate(TOKEN, NOON)


async def test_a_key_ends_when_its_time_is_over(pool: asyncpg.Pool, keys: Keys) -> None:
    await tell(pool, keys, CREATED, KeyExpirySet(key_id=KEY_ID, expires_at="2026-03-01T13:00:00Z"))

    assert await keys.authenticate(TOKEN, NOON + timedelta(minutes=59))
    with pytest.raises(Unauthenticated, match="expired"):
        await keys.authenticate(TOKEN, NOON + timedelta(minutes=60))


async def test_a_key_follows_its_institution(pool: asyncpg.Pool, keys: Keys) -> None:
    created = InstitutionCreated(slug="oak", did="did:web:x", name="Oak", url="https://oak.example")
    await tell(pool, keys, created, CREATED, InstitutionDeactivated(reason_code="closed"))
    closed = await keys.authenticate(TOKEN, NOON)
    await tell(pool, keys, InstitutionReactivated(reason_code="reopened"))

    assert not closed.active
    assert (await keys.authenticate(TOKEN, NOON)).active


async def test_an_unknown_key_is_looked_for_once_more_when_the_log_is_caught_up(pool: asyncpg.Pool) -> None:
    keys = Keys("sample", PEPPER)
    keys.attach(pool, catch_up=lambda: tell(pool, keys, CREATED))

    assert (await keys.authenticate(TOKEN, NOON)).key_id == KEY_ID


async def test_before_the_database_is_open_the_service_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Keys("sample", PEPPER).authenticate(TOKEN, NOON)


def test_a_schema_name_is_a_name() -> None:
    with pytest.raises(ValueError, match="not a schema name"):
        Keys("sample; drop", PEPPER)
