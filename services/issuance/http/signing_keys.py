"""`/v1/signing-keys`: the life of the institution's signing keys: schedule, what they signed, issuing anew."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from issuance import reissuing, signing_keys
from issuance.institutions import Key, existing
from issuance.parts import Issuance, now, own_tenant
from issuance.reissuing import SignedDocument
from issuance.signing_keys import OrderReissue, SetSchedule
from ledger import errors
from ledger.codec import Recorded, format_time
from ledger.events import ReissueOrdered
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class SigningKeyFacts(msgspec.Struct, frozen=True):
    """Every key that the institution ever had, and when they rotate by themselves."""

    keys: tuple[Key, ...]
    rotate_every_days: int | None
    next_rotation: str | None


class ReissueFacts(msgspec.Struct, frozen=True):
    """How far an order is: of `documents` that were current under the key, `left` still are."""

    key_id: str
    position: int
    reason_code: str
    documents: int
    left: int
    completed: bool


@get("/v1/signing-keys", tags=["Profile and signing keys"], operation_id="listSigningKeys", opt=requires("awards:read"))
async def list_signing_keys(request: Request[Any, Any, Any], issuance: NamedDependency[Issuance]) -> SigningKeyFacts:
    """The caller's signing keys, with what became of each, and their schedule."""
    return _facts(await issuance.store.load(f"institution/{own_tenant(caller_of(request))}"), at=now())


@put("/v1/signing-keys/schedule", tags=["Profile and signing keys"], operation_id="scheduleRotation",
     opt=requires("profile:write", errors=(errors.Refused,)))  # fmt: skip
async def schedule_rotation(
    request: Request[Any, Any, Any],
    data: JSONBody[SetSchedule],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[SigningKeyFacts]:
    """Let the signing keys rotate by themselves, every so many days. What the old ones signed stays verifiable."""
    tenant, at = own_tenant(caller_of(request)), now()
    stream = f"institution/{tenant}"
    decision = await issuance.store.decide(
        stream,
        lambda history: signing_keys.set_schedule(data, history, at=at),
        wish=issuance.wish(request, wish, tenant),
    )
    history = await issuance.store.load(stream)
    upto = decision.events[-1].version if decision.events else len(history)
    return Response(_facts(history[:upto], at=history[upto - 1].at), headers=replay_headers(replayed=decision.replayed))


@get("/v1/signing-keys/{key_id:str}/signed", tags=["Profile and signing keys"], operation_id="listSigned",
     opt=requires("awards:read", errors=(errors.NotFound,)))  # fmt: skip
async def list_signed(
    request: Request[Any, Any, Any],
    key_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    recorded_after: Annotated[datetime | None, QueryParameter(description="Recorded later than this.")] = None,
    recorded_before: Annotated[datetime | None, QueryParameter(description="Recorded earlier than this.")] = None,
) -> Response[Page[SignedDocument]]:
    """Every document of an award that this key signed, oldest first, superseded ones too."""
    await issuance.caught_up()
    tenant = own_tenant(caller_of(request))
    span = signing_keys.span_of(key_id, await issuance.store.load(f"institution/{tenant}"))
    after = int(paging.after[0]) if paging.after else 0
    times = [_aware(recorded_after, "recorded_after"), _aware(recorded_before, "recorded_before")]
    found = await reissuing.signed(issuance, tenant, span, after=after, limit=paging.limit + 1, times=times)
    return paging.answer(found, place=lambda document: [document.position])


@post("/v1/signing-keys/{key_id:str}/reissue", tags=["Profile and signing keys"], operation_id="reissueSigned",
      status_code=202, opt=requires("profile:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def reissue_signed(
    request: Request[Any, Any, Any],
    key_id: FromPath[str],
    data: JSONBody[OrderReissue],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[ReissueFacts]:
    """Issue every current document that this key signed anew, under the keys of now; the old copies are superseded. It
    goes on by itself, also through restarts."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    decision = await reissuing.order(issuance, decided, key_id, data)
    ordered = decision.events[0]
    answer = _progress(ordered, documents_left=_order(ordered).documents, completed=False)
    return Response(answer, status_code=202, headers=replay_headers(replayed=decision.replayed))


@get("/v1/signing-keys/{key_id:str}/reissue", tags=["Profile and signing keys"], operation_id="getReissue",
     opt=requires("awards:read", errors=(errors.NotFound,)))  # fmt: skip
async def get_reissue(
    request: Request[Any, Any, Any], key_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[ReissueFacts]:
    """How far the newest order is to issue anew what this key signed."""
    await issuance.caught_up()
    tenant = own_tenant(caller_of(request))
    span = signing_keys.span_of(key_id, await issuance.store.load(f"institution/{tenant}"))
    found = signing_keys.reissue_of(await issuance.store.load(reissuing.stream_of(key_id)))
    if found is None:
        raise errors.NotFound("Nothing that this key signed was ordered to be issued anew.")
    left = found.completed.left_out if found.completed else await reissuing.left(issuance, tenant, span)
    return Response(_progress(found.ordered, documents_left=left, completed=found.completed is not None))


def _facts(history: list[Recorded], *, at: datetime) -> SigningKeyFacts:
    institution, schedule = existing(history), signing_keys.schedule_of(history)
    if schedule is None:
        return SigningKeyFacts(institution.keys, None, None)
    return SigningKeyFacts(institution.keys, schedule.every_days, format_time(schedule.next_after(at)))


def _progress(ordered: Recorded, *, documents_left: int, completed: bool) -> ReissueFacts:
    order = _order(ordered)
    return ReissueFacts(order.key_id, ordered.position, order.reason_code, order.documents, documents_left, completed)


def _order(ordered: Recorded) -> ReissueOrdered:
    if not isinstance(ordered.event, ReissueOrdered):
        raise TypeError("an order is one")
    return ordered.event


def _aware(moment: datetime | None, name: str) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise errors.Malformed(f"The time in {name} needs a zone, such as Z.")
    return moment


HANDLERS = [list_signing_keys, schedule_rotation, list_signed, reissue_signed, get_reissue]
