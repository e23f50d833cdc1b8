"""Our event store behind the synchronous interface of the `eventsourcing` library, for its own test cases.

The store runs on an event loop in a thread of its own. The library's tests choose where a stream begins (0 or 1);
ours begin at 1, so each stream is shifted by its first version.
"""

import asyncio
import hashlib
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    ProgrammingError,
    StoredEvent,
)

from ledger.store.appender import Appender, Command, Row, Status

T = TypeVar("T")
CATEGORY = "job/"


class LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine on that loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Recorder(ApplicationRecorder):
    """`ApplicationRecorder` over `ledger.append` and the log."""

    def __init__(self, dsn: str) -> None:
        self._thread = LoopThread()
        self._shift: dict[str, int] = {}
        self._thread.run(self._open(dsn))

    async def _open(self, dsn: str) -> None:
        self._pool = await asyncpg.create_pool(dsn, min_size=1, max_size=4)
        self._appender = Appender(dsn)
        self._task = asyncio.get_running_loop().create_task(self._appender.run())

    def close(self) -> None:
        async def stop() -> None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._pool.close()

        self._thread.run(stop())
        self._thread.close()

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        if not stored_events:
            return []
        first = stored_events[0]
        stream = f"{CATEGORY}{first.originator_id}"
        shift = self._shift.setdefault(stream, 1 - first.originator_version)
        rows = [Row(e.topic, b"\x01" + hashlib.sha256(e.state).digest(), e.state) for e in stored_events]
        command = Command(id=uuid4(), stream=stream, expected=first.originator_version + shift - 1, rows=rows)
        outcome = self._thread.run(self._appender.append(command))
        if outcome.status is not Status.APPENDED or outcome.first_position is None:
            raise IntegrityError(outcome.status.name)
        return list(range(outcome.first_position, outcome.first_position + len(rows)))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        stream = f"{CATEGORY}{originator_id}"
        rows = self._thread.run(self._pool.fetch("SELECT * FROM ledger.load(0::smallint, $1) ORDER BY version", stream))
        shift = self._shift.get(stream, 0)
        events = [StoredEvent(originator_id, r["version"] - shift, r["topic"], r["state"]) for r in rows]
        chosen = [
            e
            for e in events
            if (gt is None or e.originator_version > gt) and (lte is None or e.originator_version <= lte)
        ]
        return (chosen[::-1] if desc else chosen)[:limit]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - 1 if inclusive_of_start else (start or 0)
        rows = self._thread.run(self._pool.fetch(NOTIFICATIONS, after, stop, list(topics), limit))
        return [
            Notification(
                originator_id=UUID(r["stream_id"].removeprefix(CATEGORY)),
                originator_version=r["version"] - self._shift.get(r["stream_id"], 0),
                topic=r["topic"],
                state=r["state"],
                id=r["position"],
            )
            for r in rows
        ]

    def max_notification_id(self) -> int | None:
        head = self._thread.run(self._pool.fetchval("SELECT position FROM ledger.logs WHERE log_id = 0"))
        return head or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> ListenNotifySubscription:
        raise ProgrammingError("the ledger follows by position, without NOTIFY")


NOTIFICATIONS = """
SELECT stream_id, version, topic, state, position FROM ledger.events
WHERE log_id = 0 AND position > $1 AND ($2::bigint IS NULL OR position <= $2)
  AND (cardinality($3::text[]) = 0 OR topic = ANY ($3)) ORDER BY position LIMIT $4
"""
