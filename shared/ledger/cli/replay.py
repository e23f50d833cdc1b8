"""`credledger replay`: the log from the beginning, each event checked against its leaf on the way.

Rules. Positions must follow each other without a gap; leaf and columns must be those of the stored envelope. The first
event that is not so ends the replay with status 1: what comes after it proves nothing.
"""

import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import BinaryIO, Final

import asyncpg
import msgspec
from eventsourcing.persistence import IntegrityError

from ledger import codec
from ledger.cli.failure import UNAVAILABLE, Failure
from ledger.cli.speaking import progress
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
    """The store behind a URL. Raises Failure."""
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


def standard_output() -> BinaryIO:
    """Where the lines go."""
    return sys.stdout.buffer
