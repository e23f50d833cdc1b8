"""Changes of standing that issuance's jobs ask for over NATS: many wishes of one institution, each decided by itself.

`cmd.revocation.change.v1` answers `{"items": [{"said", "position", "fault"}]}` in the order asked, after COMMIT; an
error of the whole is `{"error": {"code", "detail"}}`, and then the same request may be sent again. Who may ask for it
was judged where the job was handed in; whose awards they are is judged here, by the rules of a single request.
"""

import asyncio
from typing import Any, Literal
from uuid import UUID

import msgspec
import structlog

from ledger import errors
from ledger.bus import Bus
from ledger.codec import Actor
from ledger.errors import FieldError
from ledger.events import StandingProposed
from ledger.store import Wish
from ledger.web.validation import convert
from revocation.bulk import foresee
from revocation.changing import decide_change
from revocation.clock import now
from revocation.heirs import chain_to, streams_of
from revocation.parts import Revocation
from revocation.standings import Change, ChangeStanding, rule_for

SUBJECT = "cmd.revocation.change.v1"
ITEMS_LIMIT = 1000
log = structlog.get_logger()


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One wish: its command, the award, and the body of a single request, which is judged here."""

    command: UUID
    award_id: str
    wish: dict[str, Any]


class ChangeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same kind of change for many awards of one institution; with `dry_run` nothing is recorded."""

    tenant: str
    actor: Actor
    change: Change
    items: list[Item]
    person: str | None = None
    dry_run: bool = False


class Fault(msgspec.Struct, frozen=True):
    """Why not: the problem's code, a sentence, and the bad fields."""

    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()


class Answered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one wish, or would: `changed` by the event at `position`, `nothing` (it stood so already),
    `proposed` (a second key has to approve), `refused`, or `unknown` (no award of this institution)."""

    said: Literal["changed", "nothing", "proposed", "refused", "unknown"]
    position: int | None = None
    fault: Fault | None = None


async def serve(bus: Bus, parts: Revocation) -> None:
    """Answer the command on this bus."""

    async def answer(raw: bytes) -> bytes:
        try:
            request = msgspec.json.decode(raw, type=ChangeRequest)
            if len(request.items) > ITEMS_LIMIT:
                raise errors.Malformed("Too many wishes at once.")
            items = await asyncio.gather(*(_answered(parts, request, item) for item in request.items))
        except errors.LedgerError as error:
            return msgspec.json.encode({"error": {"code": error.code, "detail": error.detail}})
        except msgspec.MsgspecError:
            return msgspec.json.encode(
                {"error": {"code": "malformed", "detail": "The request is not as it should be."}}
            )
        except Exception:
            log.exception("command failed", subject=SUBJECT)
            return msgspec.json.encode({"error": {"code": "unavailable", "detail": "It failed; ask again."}})
        return msgspec.json.encode({"items": items})

    await bus.serve(SUBJECT, answer)


async def _answered(parts: Revocation, request: ChangeRequest, item: Item) -> Answered:
    try:
        data = convert(item.wish, ChangeStanding)
        if request.dry_run:
            return await _foreseen(parts, request, item, data)
        wish = Wish(tenant=request.tenant, command=item.command, actor=request.actor, person=request.person)
        decision = await decide_change(parts, wish, item.award_id, request.change, data)
    except errors.Unavailable:
        raise
    except errors.LedgerError as error:
        said: Literal["unknown", "refused"] = "unknown" if isinstance(error, errors.NotFound) else "refused"
        return Answered(said=said, fault=Fault(error.code, error.detail, tuple(error.errors)))
    if not decision.events:
        return Answered(said="nothing")
    proposed = isinstance(decision.events[0].event, StandingProposed)
    return Answered(said="proposed" if proposed else "changed", position=decision.events[-1].position)


async def _foreseen(parts: Revocation, request: ChangeRequest, item: Item, data: ChangeStanding) -> Answered:
    chain = await chain_to(parts.store, item.award_id, request.tenant)
    rule = rule_for(request.change, data, tenant=chain[0], heirs=chain[1:], at=now())
    history = await parts.store.load(f"standing/{item.award_id}")
    read = [await parts.store.load_cached(stream) for stream in streams_of(item.award_id, chain)]
    seen = foresee(item.award_id, rule, history, *read)
    fault = None if seen.detail is None or seen.outlook == "change" else Fault(seen.outlook, seen.detail)
    return Answered(said="changed" if seen.outlook == "change" else seen.outlook, fault=fault)
