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
from ledger.store import Wish
from ledger.web.validation import convert
from revocation.bulk import Rule, foresee
from revocation.clock import now
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
    `refused`, or `unknown` (no award of this institution)."""

    said: Literal["changed", "nothing", "refused", "unknown"]
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
        rule = rule_for(request.change, data, tenant=request.tenant, at=now())
        if request.dry_run:
            return await _foreseen(parts, request, item, rule)
        decision = await parts.store.decide(
            f"standing/{item.award_id}",
            rule,
            wish=Wish(tenant=request.tenant, command=item.command, actor=request.actor, person=request.person),
            reads=(f"award/{item.award_id}", f"institution/{request.tenant}"),
        )
    except errors.Unavailable:
        raise
    except errors.LedgerError as error:
        said: Literal["unknown", "refused"] = "unknown" if isinstance(error, errors.NotFound) else "refused"
        return Answered(said=said, fault=Fault(error.code, error.detail, tuple(error.errors)))
    if not decision.events:
        return Answered(said="nothing")
    return Answered(said="changed", position=decision.events[-1].position)


async def _foreseen(parts: Revocation, request: ChangeRequest, item: Item, rule: Rule) -> Answered:
    history = await parts.store.load(f"standing/{item.award_id}")
    award = await parts.store.load_cached(f"award/{item.award_id}")
    institution = await parts.store.load_cached(f"institution/{request.tenant}")
    seen = foresee(item.award_id, rule, history, award, institution)
    fault = None if seen.detail is None else Fault(seen.outlook, seen.detail)
    return Answered(said="changed" if seen.outlook == "change" else seen.outlook, fault=fault)
