"""Places in status lists, leased in blocks from revocation over NATS, so that an award never waits for it.

A lease belongs to this process start and is never resumed: what is unused when the process ends is burnt, so no place
can be given out twice. The next lease is asked for when half is used; awards wait only when none is left at all.
"""

import asyncio
import secrets
from uuid import uuid4

import msgspec
import structlog

from ledger import errors
from ledger.bitstring import permuted
from ledger.bus import Bus
from ledger.events import StatusEntry

REQUEST_TIMEOUT_SECONDS = 3.0
SUBJECT = "cmd.revocation.lease.v1"

log = structlog.get_logger()


class Lease(msgspec.Struct, kw_only=True):
    """A block of counters, each standing for one place in every list named (purpose → list id)."""

    lease_id: str
    lists: dict[str, str]
    first: int
    count: int
    length: int
    used: int = 0

    @property
    def left(self) -> int:
        return self.count - self.used


class _Answer(msgspec.Struct):
    lease_id: str = ""
    lists: dict[str, str] = {}
    first: int = 0
    count: int = 0
    length: int = 0
    error: dict[str, str] | None = None


class Leases:
    """The leases of this process start, one institution each."""

    def __init__(self, bus: Bus, secret: bytes, places: int) -> None:
        self._bus, self._secret, self._places = bus, secret, places
        self._holder = secrets.token_hex(8)
        self._current: dict[str, Lease] = {}
        self._next: dict[str, Lease] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def take(self, institution: str) -> list[StatusEntry]:
        """One place in each of the institution's lists, never given out before. Raises Unavailable."""
        lease = self._current.get(institution)
        if lease is None or not lease.left:
            lease = self._next.pop(institution, None) or await self._wait_for_lease(institution)
            self._current[institution] = lease
        counter = lease.first + lease.used
        lease.used += 1
        if lease.left * 2 <= lease.count and institution not in self._next:
            self.ask(institution)
        return [
            StatusEntry(list_id, purpose, permuted(self._secret, list_id, counter, lease.length))
            for purpose, list_id in sorted(lease.lists.items())
        ]

    def ask(self, institution: str) -> "asyncio.Task[None]":
        """Ask for the institution's next lease in the background, once at a time."""
        task = self._asking.get(institution)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(institution))
            self._asking[institution] = task
            task.add_done_callback(lambda _: self._asking.pop(institution, None))
        return task

    async def close(self) -> None:
        """Stop asking; what is unused is burnt."""
        for task in list(self._asking.values()):
            task.cancel()

    async def _wait_for_lease(self, institution: str) -> Lease:
        while True:
            await asyncio.shield(self.ask(institution))
            # Others waited for the same answer: whoever comes first makes it current for all.
            if (lease := self._next.pop(institution, None)) is not None:
                return lease
            if (lease := self._current.get(institution)) is not None and lease.left:
                return lease
            raise errors.Unavailable(
                "No places in the status lists are left and the revocation service does not answer; "
                "awards go on when it is back.",
                retry_after_seconds=5,
            )

    async def _ask(self, institution: str) -> None:
        request = {"institution": institution, "holder": self._holder, "command": str(uuid4()), "count": self._places}
        for _ in range(2):  # a timeout says nothing about the outcome: the same command again gives the same lease
            try:
                raw = await self._bus.request(SUBJECT, msgspec.json.encode(request), REQUEST_TIMEOUT_SECONDS)
            except errors.Unavailable:
                continue
            answer = msgspec.json.decode(raw, type=_Answer)
            if answer.error is not None:
                log.warning("lease refused", institution=institution, code=answer.error.get("code"))
                return
            self._next[institution] = Lease(
                lease_id=answer.lease_id,
                lists=answer.lists,
                first=answer.first,
                count=answer.count,
                length=answer.length,
            )
            return
        log.warning("lease not answered", institution=institution)
