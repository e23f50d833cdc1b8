"""The same change of many awards: the preview, and carrying it out, each award by a command of its own.

The first award that changes carries the request and the request's own command; the commands of the others follow from
it. So the same request, sent again, finds where it was stopped, completes the rest, and gives the same answer.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal, TypeVar

import msgspec

from ledger import errors
from ledger.approvals import ApprovalRequired
from ledger.codec import Fact, Recorded, format_time, parse_time
from ledger.errors import FieldError
from ledger.events import StandingProposed
from ledger.store import Decision, Wish
from ledger.wishing import follow_up
from revocation import bulk
from revocation.answers import StandingFacts, facts_of
from revocation.bulk import Foreseen, MakeChanges, Outlook, Preview, PreviewChanges
from revocation.clock import now
from revocation.heirs import chain_to, streams_of
from revocation.parts import Revocation
from revocation.proposing import proposal_id, propose_change
from revocation.standings import Change, rule_for, standing_of

AT_ONCE = 64
CHANGED_MEANWHILE = "The standing changed after the preview, so it was left alone; make a new preview."
Outcome = Literal["changed", "nothing", "refused", "unknown", "stale", "proposed"]
A = TypeVar("A")
B = TypeVar("B")


class PreviewItem(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to one award, and how it stands now (null where it is no award of yours)."""

    award_id: str
    outlook: Outlook
    standing: StandingFacts | None
    detail: str | None


class PreviewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to each award, in the order asked. `position` is the head of the log that it was judged at,
    `effective` since when the change would hold. `preview_token`, sent within an hour, lets exactly that happen."""

    position: int
    change: Change
    effective: str
    counts: dict[str, int]
    data: list[PreviewItem]
    preview_token: str


class ChangeItem(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one award: `changed` (by the event at `position`), `nothing` (it stood so already), or as the
    preview said. `stale`: its standing changed after the preview, so it was left alone. `proposed`: a second key has
    to approve it, at `approval_id`."""

    award_id: str
    outcome: Outcome
    standing: StandingFacts | None = None
    position: int | None = None
    detail: str | None = None
    approval_id: str | None = None


class ChangesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to each award, in the preview's order."""

    change: Change
    effective: str
    counts: dict[str, int]
    data: list[ChangeItem]


async def preview(parts: Revocation, wish: PreviewChanges, tenant: str) -> PreviewAnswer:
    """What the change would do to each award, judged by the rule that will decide; records nothing."""
    bulk.check(wish)
    at, head = now(), await parts.store.head()
    parts.store.forget(f"institution/{tenant}")  # once for all awards: what is cached may be behind
    draft = bulk.preview_of(wish, [], tenant=tenant, at=at)

    async def look(award_id: str) -> tuple[Foreseen, StandingFacts | None]:
        try:
            chain = await chain_to(parts.store, award_id, tenant)
        except errors.NotFound as error:
            return Foreseen(award_id, 0, "unknown", error.detail), None
        history = await parts.store.load(f"standing/{award_id}")
        read = [await parts.store.load_cached(stream) for stream in streams_of(award_id, chain)]
        rule = rule_for(draft.change, draft.wish, tenant=chain[0], heirs=chain[1:], at=at)
        foreseen = bulk.foresee(award_id, rule, history, *read)
        return foreseen, None if foreseen.outlook == "unknown" else facts_of(standing_of(history))

    found = await _each(look, wish.award_ids)
    whole = msgspec.structs.replace(draft, awards=[foreseen for foreseen, _ in found])
    items = [
        PreviewItem(award_id=f.award_id, outlook=f.outlook, standing=standing, detail=f.detail) for f, standing in found
    ]
    return PreviewAnswer(
        position=head,
        change=whole.change,
        effective=_effective(whole),
        counts=_counts(item.outlook for item in items),
        data=items,
        preview_token=bulk.sign(parts.settings.server_secret, whole),
    )


async def carry_out(parts: Revocation, wish: Wish, data: MakeChanges) -> tuple[ChangesAnswer, bool]:
    """Do what the preview said; whether earlier tries had done all of it already.

    Raises Malformed for a token that is not this institution's, Stale when the preview is old or a standing changed
    since: then nothing is done.
    """
    began = await parts.store.earlier(wish)
    at = None if began else now()
    previewed = bulk.read(parts.settings.server_secret, data.preview_token, tenant=wish.tenant, at=at)
    carried = began or await _begin(parts, wish, previewed)
    first = carried.events[0] if carried else None

    async def one(foreseen: Foreseen) -> tuple[ChangeItem, bool]:
        return await _one(parts, wish, previewed, foreseen, first)

    done = await _each(one, previewed.awards)
    items = [item for item, _ in done]
    answer = ChangesAnswer(
        change=previewed.change,
        effective=_effective(previewed),
        counts=_counts(item.outcome for item in items),
        data=items,
    )
    return answer, began is not None and all(replayed for _, replayed in done)


async def _begin(parts: Revocation, wish: Wish, previewed: Preview) -> Decision | None:
    """Change the first award that is to change, once every standing was seen to be as foreseen. None where there is
    nothing to change."""

    async def still(foreseen: Foreseen) -> bool:
        return bulk.stands(foreseen, await parts.store.load(f"standing/{foreseen.award_id}"))

    standing = await _each(still, previewed.awards)
    stale = [i for i, stands in enumerate(standing) if not stands]
    if stale and (began := await parts.store.earlier(wish)) is not None:
        return began  # the same request, sent twice at once: the other one is at work
    if stale:
        where = [FieldError("/preview_token", f"{previewed.awards[i].award_id} changed") for i in stale[:100]]
        raise errors.Stale("Standings changed after the preview; nothing was done. Make a new one.", errors=where)
    wanted = [foreseen for foreseen in previewed.awards if foreseen.outlook == "change"]
    for foreseen in wanted:
        try:
            return await _decide(parts, wish, previewed, foreseen)
        except (errors.Stale, errors.Refused):
            continue  # it changed in this very moment, or cannot be: another one carries the request
    if wanted:
        raise errors.Stale("Standings changed after the preview; nothing was done. Make a new one.")
    return None


async def _one(
    parts: Revocation, wish: Wish, previewed: Preview, foreseen: Foreseen, began: Recorded | None
) -> tuple[ChangeItem, bool]:
    """What happened to one award, doing it where it was not done yet; whether it was. `began` is the event that carries
    the request."""
    stream, award_id = f"standing/{foreseen.award_id}", foreseen.award_id
    history = await parts.store.load(stream)
    if foreseen.outlook != "change":
        if not bulk.stands(foreseen, history, began.position if began else None):
            return ChangeItem(award_id=award_id, outcome="stale", detail=CHANGED_MEANWHILE), True
        standing = None if foreseen.outlook == "unknown" else facts_of(standing_of(history, foreseen.version))
        item = ChangeItem(
            award_id=award_id,
            outcome=foreseen.outlook,
            standing=standing,
            position=standing.position if standing else None,
            detail=foreseen.detail,
        )
        return item, True
    made, replayed = [r for r in history if r.command_id == wish.command], True
    if began is not None and is_proposal(began) and began.event.award_id == award_id:  # type: ignore[attr-defined]
        return _proposed(award_id, began), True
    if not made:
        own = follow_up(parts.settings.server_secret, wish, f"standings/{award_id}")
        if earlier := await parts.store.load(parts.approvals.stream(proposal_id(parts, own))):
            return _proposed(award_id, earlier[0]), True
        try:
            decision = await _decide(parts, own, previewed, foreseen)
        except errors.Stale:
            return ChangeItem(award_id=award_id, outcome="stale", detail=CHANGED_MEANWHILE), True
        except errors.Refused as error:  # such as free text about a learner who was erased
            return ChangeItem(award_id=award_id, outcome="refused", detail=error.detail), True
        made, replayed = list(decision.events), decision.replayed
        if is_proposal(made[0]):
            return _proposed(award_id, made[0]), replayed
        history = await parts.store.load(stream)
    standing = facts_of(standing_of(history, made[-1].version))
    item = ChangeItem(award_id=award_id, outcome="changed", standing=standing, position=standing.position)
    return item, replayed


async def _decide(parts: Revocation, wish: Wish, previewed: Preview, foreseen: Foreseen) -> Decision:
    """One award's change, if its standing is still the one foreseen. Raises Stale."""
    chain = await chain_to(parts.store, foreseen.award_id, previewed.tenant)
    rule = rule_for(previewed.change, previewed.wish, tenant=chain[0], heirs=chain[1:], at=now())

    def if_unchanged(history: Sequence[Recorded], *read: Sequence[Recorded]) -> list[Fact]:
        if not bulk.stands(foreseen, history):
            raise errors.Stale(CHANGED_MEANWHILE)
        return rule(history, *read)

    stream, reads = f"standing/{foreseen.award_id}", streams_of(foreseen.award_id, chain)
    own = msgspec.structs.replace(wish, tenant=chain[0])
    try:
        return await parts.store.decide(stream, if_unchanged, wish=own, reads=reads)
    except ApprovalRequired:
        return await propose_change(parts, wish, foreseen.award_id, previewed.change, previewed.wish)


def is_proposal(recorded: Recorded) -> bool:
    """Whether an event only proposes a change."""
    return isinstance(recorded.event, StandingProposed)


def _proposed(award_id: str, recorded: Recorded) -> ChangeItem:
    approval_id = recorded.stream.partition("/")[2]
    return ChangeItem(award_id=award_id, outcome="proposed", position=recorded.position, approval_id=approval_id)


async def _each(ask: Callable[[A], Awaitable[B]], items: Sequence[A]) -> list[B]:
    """`ask` of every item, some at once: their appends then share transactions."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def asked(item: A) -> B:
        async with turn:
            return await ask(item)

    return await asyncio.gather(*(asked(item) for item in items))


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _effective(previewed: Preview) -> str:
    return format_time(previewed.wish.effective or parse_time(previewed.at))
