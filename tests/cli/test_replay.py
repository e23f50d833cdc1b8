"""`credledger replay` and `migrate` against a real log: every event, every leaf, up to a position or a time."""

import base64
import json
import os
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from tests.cli.running import credledger
from tests.conftest import Database
from tests.store.builders import fact, wish

from ledger.cli.failure import Failure
from ledger.cli.replay import replay
from ledger.codec import Recorded, format_time, leaf_of
from ledger.store import Store

EVENTS = 5


@pytest.fixture
async def log(database: Database) -> list[Recorded]:
    """A log with five events."""
    store = await Store.open(database.issuance)
    for number in range(EVENTS):
        await store.decide(f"access/key_{number}", lambda _, n=number: [fact(str(n))], wish=wish(f"key-{number}"))
    recorded = await store.read(0)
    await store.close()
    return recorded


async def test_every_event_is_a_line_whose_leaf_can_be_recomputed(
    log: list[Recorded], database: Database, tmp_path: Path
) -> None:
    ended = credledger("replay", data=tmp_path, DATABASE_URL=database.registry)

    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert (ended.status, ended.err) == (0, "")
    assert [line["position"] for line in lines] == [1, 2, 3, 4, 5]
    for line, recorded in zip(lines, log, strict=True):
        assert base64.b64decode(line["leaf"]) == leaf_of(recorded.state, recorded.event)
        assert base64.b64decode(line["nonce"]) + base64.b64decode(line["document_commitment"]) == recorded.state[:64]
        assert line["envelope"] == recorded.envelope
        assert line["type"] == "access.key_created"


async def test_a_replay_ends_at_a_position(log: list[Recorded], database: Database, tmp_path: Path) -> None:
    ended = credledger("replay", "--to-position", "3", data=tmp_path, DATABASE_URL=database.registry)

    assert [json.loads(line)["position"] for line in ended.out.splitlines()] == [1, 2, 3]


async def test_a_replay_ends_at_what_was_known_at_a_time(
    log: list[Recorded], database: Database, tmp_path: Path
) -> None:
    before = log[0].recorded_at - timedelta(microseconds=1)
    last = log[-1].recorded_at

    nothing = credledger(
        "replay", "--to-time", format_time(before), "--check", "--json", data=tmp_path, DATABASE_URL=database.registry
    )
    everything = credledger(
        "replay", "--to-time", last.isoformat(), "--check", "--json", data=tmp_path, DATABASE_URL=database.registry
    )

    assert json.loads(nothing.out) == {"events": 0, "position": 0, "recorded_at": None, "leaf": None}
    assert json.loads(everything.out)["leaf"] == base64.b64encode(log[-1].leaf).decode()


async def test_a_check_says_that_all_is_as_recorded(log: list[Recorded], database: Database, tmp_path: Path) -> None:
    ended = credledger("replay", "--check", data=tmp_path, DATABASE_URL=database.registry)

    assert ended.status == 0
    assert ended.out == "5 events, every leaf as recorded; the last is position 5.\n"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE ledger.events SET state = overlay(state PLACING '\\x00' FROM 40) WHERE position = 3", "position 3"),
        ("UPDATE ledger.events SET topic = 'access.key_revoked' WHERE position = 3", "position 3"),
        ("DELETE FROM ledger.events WHERE position = 3", "Position 3 is missing"),
        ("DELETE FROM ledger.events WHERE position = 5", "Position 5 is missing"),
    ],
)
async def test_what_a_superuser_altered_is_found(
    log: list[Recorded], database: Database, change: str, sentence: str
) -> None:
    owner = await asyncpg.connect(database.url)
    async with owner.transaction():
        # Past the guard and the triggers, as only a superuser can.
        await owner.execute("SET LOCAL ledger.maintenance = on; ALTER TABLE ledger.events_1 DISABLE TRIGGER ALL")
        await owner.execute(change)
    await owner.close()

    with pytest.raises(Failure, match=sentence) as failure:
        await replay(database.registry, to_position=None, to_time=None)

    assert failure.value.status == 1


async def test_a_database_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    ended = credledger("replay", data=tmp_path, DATABASE_URL="postgresql://registry@127.0.0.1:1/ledger")

    assert ended.status == 69
    assert ended.err.count("\n") == 1
    assert "start the ledger with `make run`" in ended.err


async def test_migrating_twice_changes_nothing(database: Database, tmp_path: Path) -> None:
    ended = credledger("migrate", data=tmp_path, OWNER_DATABASE_URL=database.url)

    assert (ended.status, ended.out) == (0, "The schema is up to date.\n")


async def test_a_reader_that_has_seen_enough_is_no_error(database: Database, tmp_path: Path) -> None:
    store = await Store.open(database.issuance)
    facts = [fact("x" * 500) for _ in range(1000)]  # more than a pipe holds
    await store.decide("access/key_many", lambda _: facts, wish=wish("many"))
    await store.close()
    reading, writing = os.pipe()
    os.close(reading)

    ended = credledger("replay", data=tmp_path, out=writing, DATABASE_URL=database.registry)

    assert (ended.status, ended.err) == (0, "")
