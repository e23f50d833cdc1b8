"""Leases and lists over NATS: what issuance and the registry ask of revocation, answered after COMMIT.

`cmd.revocation.lease.v1` gives a block of places in status lists, `cmd.revocation.list.v1` a signed list. An error is
an answer, `{"error": {"code", "detail"}}`; silence means only that nothing is known.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import structlog

from ledger import errors, ids
from ledger.bus import Bus
from ledger.codec import Actor
from ledger.events import LeaseGranted
from ledger.store import Decision, Store, Wish
from revocation.clock import now
from revocation.issuers import active_issuer
from revocation.lists import leases
from revocation.lists.leases import LENGTH, LeaseRequest
from revocation.lists.reading import Lists

LEASE_SUBJECT = "cmd.revocation.lease.v1"
LIST_SUBJECT = "cmd.revocation.list.v1"
TRIES = 10  # others may take blocks, or open lists, at the same time

log = structlog.get_logger()


class LeaseAnswer(msgspec.Struct, frozen=True):
    """A lease: the counters `first` … `first + count - 1`, each one place in every list named (purpose → list id)."""

    lease_id: str
    lists: dict[str, str]
    first: int
    count: int
    length: int = LENGTH


class ListRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which list is asked for."""

    list_id: str


class Leasing:
    """Grants leases, opening lists before they are needed."""

    def __init__(self, store: Store, secret: bytes) -> None:
        self._store, self._secret = store, secret

    async def grant(self, request: LeaseRequest) -> LeaseAnswer:
        """The lease of this command, granted now or before. Raises NotFound, Refused, Conflict or Unavailable."""
        wish = self._wish(request.institution, "lease", str(request.command))
        for _ in range(TRIES):
            try:
                decision = await self._decide(request, wish)
            except errors.Conflict:
                continue
            return self._answer(decision)
        raise errors.Conflict("Others kept taking places at the same time; ask again.")

    async def _decide(self, request: LeaseRequest, wish: Wish) -> Decision:
        institution, stream = request.institution, f"lease/{request.institution}"
        issuer = active_issuer(await self._store.load(f"institution/{institution}"))
        mark = leases.current(await self._store.load(stream))
        lists = await self._open(institution, mark.generation, issuer.purposes)
        if mark.left <= leases.OPEN_AHEAD:
            await self._open(institution, mark.generation + 1, issuer.purposes)
        at = now()
        return await self._store.decide(
            stream,
            lambda history, *read: leases.grant(
                request, history, *read, lists=lists, generation=mark.generation, at=at
            ),
            wish=wish,
            reads=(f"institution/{institution}", *(f"list/{list_id}" for list_id in lists.values())),
        )

    async def _open(self, institution: str, generation: int, purposes: tuple[str, ...]) -> dict[str, str]:
        """The lists of a generation, opened by a command each where they were not."""
        lists = leases.lists_for(self._secret, institution, generation, purposes)
        for purpose, list_id in lists.items():
            await self._open_one(institution, list_id, purpose)
        return lists

    async def _open_one(self, institution: str, list_id: str, purpose: str) -> None:
        stream, at = f"list/{list_id}", now()
        if await self._store.load_cached(stream):
            return  # it is open for good
        await self._store.decide(
            stream,
            lambda history: leases.open_list(list_id, purpose, history, at=at),
            wish=self._wish(institution, "status_list.opened", list_id),
        )

    def _wish(self, institution: str, purpose: str, cause: str) -> Wish:
        return Wish(
            tenant=institution,
            command=ids.caused_command(self._secret, purpose, f"{institution}/{cause}"),
            actor=Actor(key="revocation", role="service"),
        )

    def _answer(self, decision: Decision) -> LeaseAnswer:
        recorded = decision.events[0]
        event = recorded.event
        if not isinstance(event, LeaseGranted):
            raise TypeError("a lease is granted by lease.granted")
        lease_id = ids.derived_id(self._secret, "lse", recorded.command_id)
        return LeaseAnswer(lease_id, event.lists, event.first, event.count)


async def serve(bus: Bus, leasing: Leasing, lists: Lists) -> None:
    """Answer both commands on this bus."""

    async def lease(raw: bytes) -> Any:
        return await leasing.grant(msgspec.json.decode(raw, type=LeaseRequest))

    async def status_list(raw: bytes) -> Any:
        request = msgspec.json.decode(raw, type=ListRequest)
        return {"credential": msgspec.Raw(await lists.newest(request.list_id))}

    await bus.serve(LEASE_SUBJECT, partial(_answered, LEASE_SUBJECT, lease))
    await bus.serve(LIST_SUBJECT, partial(_answered, LIST_SUBJECT, status_list))


async def _answered(subject: str, ask: Callable[[bytes], Awaitable[Any]], raw: bytes) -> bytes:
    try:
        return msgspec.json.encode(await ask(raw))
    except errors.LedgerError as error:
        return _error(error.code, error.detail)
    except msgspec.MsgspecError:
        return _error("malformed", "The request is not as it should be.")
    except Exception:
        log.exception("command failed", subject=subject)
        return _error("unavailable", "It could not be answered now; ask again with the same command.")


def _error(code: str, detail: str) -> bytes:
    return msgspec.json.encode({"error": {"code": code, "detail": detail}})
