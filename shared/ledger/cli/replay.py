"""`credledger replay`: the log from the beginning, each event checked against its leaf on the way.

Rules. Positions must follow each other without a gap; leaf and columns must be those of the stored envelope. The first
event that is not so ends the replay with status 1: what comes after it proves nothing.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, BinaryIO, Final

import asyncpg
import msgspec
from cyclopts import Parameter
from eventsourcing.persistence import IntegrityError

from ledger import codec, logs
from ledger.cli.failure import UNAVAILABLE, Failure
from ledger.cli.options import AsJson
from ledger.cli.place import Place
from ledger.cli.speaking import progress, say, say_json
from ledger.codec import Recorded
from ledger.history import line_of
from ledger.store import Store

BATCH: Final = 1000


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay saw: how many events, the last one's position, when the ledger knew it, and its leaf (base64)."""

    events: int
    position: int
    recorded_at: datetime | None
    leaf: bytes | None


async def replay(
    database_url: str, *, to_position: int | None, to_time: datetime | None, out: BinaryIO | None = None
) -> Replayed:
    """Read and check every event up to a position and to what the ledger knew at a time (aware); write each as a line
    of NDJSON to `out`, where one is given. Raises Failure."""
    store = await opened(database_url)
    try:
        head = await store.head()
        last = head if to_position is None else min(to_position, head)
        return await _read(store, last, to_time, out)
    finally:
        await store.close()


async def opened(database_url: str) -> Store:
    """The store behind a URL; what is logged on the way goes to standard error. Raises Failure."""
    logs.configure("warning", "credledger")
    try:
        return await Store.open(database_url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(
            f"The database cannot be reached ({type(error).__name__}): start the ledger with `make run`, or set "
            "CREDLEDGER_DATABASE_URL.",
            UNAVAILABLE,
        ) from error


async def _read(store: Store, last: int, to_time: datetime | None, out: BinaryIO | None) -> Replayed:
    recorded, count = None, 0
    with progress("replaying", last) as bar:
        async for batch in _batches(store, last):
            for event in batch:
                if to_time is not None and event.recorded_at > to_time:
                    return _told(recorded, count)
                check(event, count + 1)
                recorded, count = event, count + 1
                if out is not None:
                    out.write(msgspec.json.encode(line_of(event)) + b"\n")
            bar.to(count)
    if count < last:
        raise Failure(f"Position {count + 1} is missing: the log has been cut or altered.")
    return _told(recorded, count)


async def _batches(store: Store, last: int) -> AsyncIterator[list[Recorded]]:
    after = 0
    while after < last and (batch := await store.read(after, min(BATCH, last - after))):
        yield [recorded for recorded in batch if recorded.position <= last]
        after = batch[-1].position


def check(recorded: Recorded, expected_position: int) -> None:
    """Raise Failure unless the event stands at its position and has the leaf of what is stored."""
    if recorded.position != expected_position:
        raise Failure(f"Position {expected_position} is missing: the log has been cut or altered.")
    try:
        codec.check(recorded)
    except IntegrityError as error:
        raise Failure(f"The log has been altered: {error}.") from error


def _told(recorded: Recorded | None, count: int) -> Replayed:
    if recorded is None:
        return Replayed(events=0, position=0, recorded_at=None, leaf=None)
    return Replayed(events=count, position=recorded.position, recorded_at=recorded.recorded_at, leaf=recorded.leaf)


def replay_log(
    *,
    to_position: int | None = None,
    to_time: datetime | None = None,
    check: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
    """Write the log as NDJSON, one event a line as `GET /v1/events` has it, each leaf recomputed on the way.

    Parameters
    ----------
    to_position: int
        The last position to replay.
    to_time: datetime
        Replay what the ledger knew at this time (UTC where no zone is given).
    check: bool
        Write no events, only whether all is as it was recorded.
    """
    until = to_time.replace(tzinfo=UTC) if to_time is not None and to_time.tzinfo is None else to_time
    url = Place.here().database_url("registry")
    out = None if check else sys.stdout.buffer
    seen = asyncio.run(replay(url, to_position=to_position, to_time=until, out=out))
    if json and check:
        say_json(seen)
    elif check:
        say(f"{seen.events} events, every leaf as recorded; the last is position {seen.position}.", "green")
    else:
        sys.stdout.flush()
