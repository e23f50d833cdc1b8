"""The event store against a real PostgreSQL: what is appended, what is refused, what a retry finds."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.conftest import Database
from tests.store.builders import NOON, SECRET, TENANT, fact, wish

from ledger import codec, errors
from ledger.codec import Fact, Recorded
from ledger.events import Awarded
from ledger.identifiers import Identifier
from ledger.keyring import Keyring
from ledger.store import Store
from ledger.vault import Erased, Vault


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    store = await Store.open(database.issuance)
    store.use_sealer(Vault(store.pool, kek=Keyring.single(b"k" * 32), secret=SECRET))
    yield store
    await store.close()


async def test_positions_are_dense_and_in_order_under_concurrency(store: Store) -> None:
    async def one(i: int) -> None:
        await store.decide(f"access/k{i}", lambda _: [fact(f"a{i}"), fact(f"b{i}")], wish=wish(str(i)))

    await asyncio.gather(*(one(i) for i in range(200)))

    rows = await store.read(0, 1000)
    assert [r.position for r in rows] == list(range(1, 401))
    assert await store.head() == 400
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert (first.stream, first.version, second.stream, second.version) == (first.stream, 1, first.stream, 2)


async def test_the_same_request_is_answered_from_the_first_ones_events(store: Store) -> None:
    first = await store.decide("access/k", lambda _: [fact()], wish=wish("one"))
    again = await store.decide("access/k", lambda _: [fact("other")], wish=wish("one"))

    assert again.replayed
    assert again.events == first.events
    assert await store.head() == 1


async def test_the_same_key_with_another_body_is_refused(store: Store) -> None:
    await store.decide("access/k", lambda _: [fact()], wish=wish("one"))

    with pytest.raises(errors.KeyReused):
        await store.decide("access/k", lambda _: [fact()], wish=wish("one", b"other"))


async def test_two_tries_at_once_make_one_event(store: Store) -> None:
    decisions = await asyncio.gather(
        *(store.decide("access/k", lambda _: [fact()], wish=wish("one"), new=True) for _ in range(20))
    )

    assert await store.head() == 1
    assert len({d.events for d in decisions}) == 1
    assert sum(not d.replayed for d in decisions) == 1


async def test_a_refused_wish_leaves_no_trace_and_is_judged_again(store: Store) -> None:
    def refuse(_: list[Recorded]) -> list[Fact]:
        raise errors.Refused("not today")

    with pytest.raises(errors.Refused):
        await store.decide("access/k", refuse, wish=wish("one"))

    assert await store.head() == 0
    assert not (await store.decide("access/k", lambda _: [fact()], wish=wish("one"))).replayed


async def test_a_rule_sees_every_fact_that_others_appended_before_it(store: Store) -> None:
    """Each of many writers appends its count of what it saw: no two may have seen the same."""

    async def one(i: int) -> None:
        await store.decide("access/k", lambda history: [fact(f"saw{len(history)}")], wish=wish(str(i)))

    await asyncio.gather(*(one(i) for i in range(15)))

    names = [r.event.name for r in await store.load("access/k")]  # type: ignore[attr-defined]
    assert names == [f"saw{i}" for i in range(15)]


async def test_a_guard_holds_only_while_the_stream_is_as_it_was_read(store: Store) -> None:
    seen: list[int] = []

    def rule(_: list[Recorded], other: list[Recorded]) -> list[Fact]:
        seen.append(len(other))
        return [fact()]

    await store.decide("access/guard", lambda _: [fact()], wish=wish("before"))
    await store.load_cached("access/guard")
    stranger = await Store.open(store_dsn(store))
    await stranger.decide("access/guard", lambda _: [fact("two")], wish=wish("between"))
    await stranger.close()

    await store.decide("access/k", rule, wish=wish("one"), reads=["access/guard"])

    assert seen == [1, 2]  # the cached history was behind; the append noticed, and the rule was asked again


async def test_leaf_and_columns_of_every_event_follow_from_its_state(store: Store) -> None:
    await store.decide("access/k", lambda _: [fact(), fact("two")], wish=wish("one"))

    for recorded in await store.read(0):
        codec.check(recorded)


async def test_a_service_cannot_append_to_anothers_streams(database: Database) -> None:
    store = await Store.open(database.registry)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="does not own"):
            await store.decide("access/k", lambda _: [fact()], wish=wish("one"))
    finally:
        await store.close()


@pytest.mark.parametrize("role", ["issuance", "registry", "revocation"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger.events SELECT * FROM ledger.events",
        "UPDATE ledger.events SET topic = 'x'",
        "DELETE FROM ledger.events",
        "TRUNCATE ledger.events",
        "UPDATE ledger.logs SET position = 0",
        "DELETE FROM ledger.streams",
        "DELETE FROM ledger.requests",
        "INSERT INTO vault.sealed_values VALUES (0, 1, 'x', '')",
        "UPDATE vault.sealed_values SET blob = ''",
        "SELECT ledger.make_partition(900000001, 900000002)",
    ],
)
async def test_no_service_can_rewrite_the_log(database: Database, role: str, statement: str) -> None:
    connection = await asyncpg.connect(getattr(database, role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.events SET topic = 'x'",
        "DELETE FROM ledger.events_1",
        "TRUNCATE ledger.events",
        "TRUNCATE ledger.events_1",
        "SET session_replication_role = replica; DELETE FROM ledger.events",
        "ALTER TABLE ledger.events DETACH PARTITION ledger.events_1",
        "ALTER TABLE ledger.events DISABLE TRIGGER no_rewrite",
        "DROP TABLE ledger.events",
        "DROP TRIGGER no_rewrite ON ledger.events",
        "CREATE OR REPLACE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP SCHEMA ledger CASCADE",
        "CREATE RULE r AS ON UPDATE TO ledger.events DO INSTEAD NOTHING",
    ],
)
async def test_not_even_the_superuser_rewrites_by_accident(store: Store, database: Database, statement: str) -> None:
    await store.decide("access/k", lambda _: [fact()], wish=wish("one"))
    connection = await asyncpg.connect(database.url)
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RaiseError)):
            await connection.execute(statement)
    finally:
        await connection.close()
    assert await store.head() == 1


async def test_only_issuance_opens_sealed_values(database: Database) -> None:
    for role in ("registry", "revocation"):
        connection = await asyncpg.connect(getattr(database, role))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM vault.sealed_values")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM vault.data_keys")
        await connection.close()


async def test_a_follower_sees_everything_once_and_in_order(store: Store) -> None:
    seen: list[int] = []

    async def follow() -> None:
        async for batch in store.follow(0):
            seen.extend(r.position for r in batch)
            if seen[-1] >= 100:
                return

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(store.decide(f"access/k{i}", lambda _: [fact()], wish=wish(str(i))) for i in range(100)))
    await asyncio.wait_for(follower, 10)

    assert seen == list(range(1, 101))


async def test_personal_values_are_sealed_beside_the_event_and_gone_after_erasure(store: Store) -> None:
    vault = Vault(store.pool, kek=Keyring.single(b"k" * 32), secret=SECRET)
    learner = await vault.learner(TENANT, [Identifier("email", "ada@example.org")])
    awarded = Awarded(
        achievement_id="ach", achievement_version=1, profile_version=1, keys=[],
        issued="2026-03-01T12:00:00Z", awarded_date="2026-03-01T12:00:00Z", valid_from="2026-03-01T12:00:00Z",
    )  # fmt: skip
    made = Fact(event=awarded, at=NOON, subject=learner, personal={"name": "Ada Lovelace"}, document_digest=b"d" * 32)

    decision = await store.decide("award/a", lambda _: [made], wish=wish("one"))

    recorded = decision.events[0]
    assert b"Lovelace" not in recorded.state
    assert b"ada@example.org" not in recorded.state
    opened = await vault.open(recorded)
    assert opened["name"] == "Ada Lovelace"
    for name, opening in (await vault.openings(recorded)).items():
        committed = {item["n"]: item["c"] for item in recorded.envelope["pd"]}
        assert committed[name] == codec._base64(codec.value_commitment(name, opening))
    assert codec.document_commitment(bytes.fromhex(opened["r2"]), b"d" * 32) == recorded.state[32:64]

    await vault.erase(TENANT, learner, [recorded.position])

    with pytest.raises(Erased):
        await vault.open(recorded)
    codec.check((await store.read(0))[0])
    assert await vault.find(TENANT, Identifier("email", "ada@example.org")) is None


async def test_one_learner_has_one_pseudonym_an_institution_however_many_ask_at_once(store: Store) -> None:
    vault = Vault(store.pool, kek=Keyring.single(b"k" * 32), secret=SECRET)
    mail, number = Identifier("email", "ada@example.org"), Identifier("student_id", "4711")

    found = await asyncio.gather(*(vault.learner(TENANT, [mail, number]) for _ in range(20)))

    assert len(set(found)) == 1
    assert await vault.learner(TENANT, [number]) == found[0]
    assert await vault.learner("inst_other", [mail]) != found[0]


async def test_identifiers_of_two_learners_do_not_become_one(store: Store) -> None:
    vault = Vault(store.pool, kek=Keyring.single(b"k" * 32), secret=SECRET)
    await vault.learner(TENANT, [Identifier("email", "a@example.org")])
    await vault.learner(TENANT, [Identifier("student_id", "1")])

    with pytest.raises(errors.Refused, match="different learners"):
        await vault.learner(TENANT, [Identifier("email", "a@example.org"), Identifier("student_id", "1")])


def store_dsn(store: Store) -> str:
    """The address of the store's database, for a second process' store."""
    return store._appender._dsn


async def test_a_refusal_is_never_made_from_a_history_that_is_behind(store: Store) -> None:
    """What is cached says no, what is recorded says yes: the answer is yes."""

    def rule(_: list[Recorded], switch: list[Recorded]) -> list[Fact]:
        if len(switch) == 1:
            raise errors.Refused("switched off")
        return [fact()]

    await store.decide("access/switch", lambda _: [fact("off")], wish=wish("off"))
    with pytest.raises(errors.Refused):
        await store.decide("access/k", rule, wish=wish("one"), reads=["access/switch"])
    await store.load_cached("access/switch")
    stranger = await Store.open(store_dsn(store))
    await stranger.decide("access/switch", lambda _: [fact("on")], wish=wish("on"))
    await stranger.close()

    assert len((await store.decide("access/k", rule, wish=wish("two"), reads=["access/switch"])).events) == 1


async def test_first_awards_at_once_by_different_identifiers_make_one_learner(store: Store) -> None:
    vault = Vault(store.pool, kek=Keyring.single(b"k" * 32), secret=SECRET)
    for number in range(25):
        mail = Identifier("email", f"l{number}@example.org")
        student = Identifier("student_id", str(number))
        wanted = [[mail], [mail, student], [student, mail], [mail]]

        found = await asyncio.gather(*(vault.learner(TENANT, identifiers) for identifiers in wanted))

        assert len(set(found)) == 1
        assert await vault.learner(TENANT, [student, mail]) == found[0]
