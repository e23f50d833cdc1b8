"""Revocations that take a second key: the shell around `ledger.approvals` here, where no sealed value can be opened.

What is proposed stands in the proposal but for free text, which stays sealed beside it: the change that follows names
the proposal. Whether proposer and decider are the same person is asked of issuance, which alone can tell.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from ledger import approvals, errors, ids
from ledger.approvals import Approval, RefuseProposal
from ledger.codec import Actor, Recorded
from ledger.errors import LedgerError
from ledger.events import StandingProposed
from ledger.store import Decision, Wish
from ledger.store.away import DATABASE_AWAY
from revocation.clock import now
from revocation.heirs import chain_to, streams_of
from revocation.issuers import deciding_issuer
from revocation.parts import Revocation
from revocation.sealing import is_same_person
from revocation.standings import Change, ChangeStanding, propose, proposed_change, rule_for

SWEEP_SECONDS = 5.0
TRANSIENT: tuple[type[Exception], ...] = (errors.Unavailable, *DATABASE_AWAY)

log = structlog.get_logger()


def proposal_id(parts: Revocation, wish: Wish) -> str:
    """The approval that a wish would be proposed under."""
    return ids.derived_id(parts.settings.server_secret, "apr", wish.command)


async def propose_change(
    parts: Revocation, wish: Wish, award_id: str, change: Change, data: ChangeStanding
) -> Decision:
    """The proposal of a change, made now or by an earlier try of the same wish. Raises as the change itself does."""
    chain, at = await chain_to(parts.store, award_id, wish.tenant), now()

    def rule(history: Sequence[Recorded], *read: Sequence[Recorded]) -> Any:
        return propose(change, data, history, *read, chain=chain, at=at)

    stream = parts.approvals.stream(proposal_id(parts, wish))
    reads = (f"standing/{award_id}", *streams_of(award_id, chain))
    return await parts.store.decide(stream, rule, wish=msgspec.structs.replace(wish, tenant=chain[0]), reads=reads)


async def read(parts: Revocation, approval_id: str, tenant: str) -> tuple[Approval, StandingProposed]:
    """A proposal that this institution decides about. Raises NotFound."""
    approval = await parts.approvals.one(approval_id)
    event = approval.proposed.event
    if not isinstance(event, StandingProposed) or event.decides != tenant:
        raise errors.NotFound("There is no such approval.")
    return approval, event


async def approve(parts: Revocation, wish: Wish, approval_id: str) -> tuple[Decision, StandingProposed, bool]:
    """The change that an approval makes, or made before, and whether an earlier try of the request had given it.

    Raises NotFound, Refused, or what the change raises.
    """
    earlier, at = await parts.store.earlier(wish), now()
    approval, event = await read(parts, approval_id, wish.tenant)
    if earlier is None:
        same = await _same(parts, approval, wish)
        chain = await chain_to(parts.store, event.award_id, wish.tenant)
        streams = streams_of(event.award_id, chain)
        if approval.status == "open":
            await _check(parts, event, approval_id, chain)

        def rule(history: Any, _: Any, *institutions: Any) -> Any:
            deciding_issuer(chain, institutions)
            return approvals.give(history, same=same, at=at)

        given = msgspec.structs.replace(wish, tenant=chain[0])
        await parts.store.decide(parts.approvals.stream(approval_id), rule, wish=given, reads=streams)
    made = await _finish(parts, await parts.approvals.one(approval_id))
    return made, event, earlier is not None


async def refuse(parts: Revocation, wish: Wish, approval_id: str, data: RefuseProposal) -> tuple[Approval, bool]:
    """The refused proposal, and whether an earlier try of the request had refused it. Raises NotFound or Refused."""
    earlier, at = await parts.store.earlier(wish), now()
    approval, event = await read(parts, approval_id, wish.tenant)
    if earlier is None:
        same = await _same(parts, approval, wish)
        chain = await chain_to(parts.store, event.award_id, wish.tenant)

        def rule(history: Any, _: Any, *institutions: Any) -> Any:
            deciding_issuer(chain, institutions)
            return approvals.refuse(data, history, same=same, at=at)

        given, reads = msgspec.structs.replace(wish, tenant=chain[0]), streams_of(event.award_id, chain)
        await parts.store.decide(parts.approvals.stream(approval_id), rule, wish=given, reads=reads)
    return await parts.approvals.one(approval_id), earlier is not None


async def sweep(parts: Revocation) -> None:
    """For ever: make the changes that were approved and that a crash kept from being made."""
    left_alone: set[str] = set()
    while True:
        with suppress(*TRANSIENT):
            for approval_id in await parts.approvals.unfinished():
                if approval_id in left_alone:
                    continue
                try:
                    await _finish(parts, await parts.approvals.one(approval_id))
                    log.info("approved change made", approval=approval_id)
                except LedgerError as error:
                    if isinstance(error, TRANSIENT):
                        raise
                    log.warning("approved change cannot be made", approval=approval_id, reason=error.code)
                left_alone.add(approval_id)  # made, or it never can be as things stand
        await asyncio.sleep(SWEEP_SECONDS)


async def _check(parts: Revocation, event: StandingProposed, approval_id: str, chain: tuple[str, ...]) -> None:
    """Whether the change could be made at this moment, by the rule that makes it. Raises as it does."""
    change, data = proposed_change(event)
    read = [await parts.store.load(stream) for stream in streams_of(event.award_id, chain)]
    rule = rule_for(change, data, tenant=chain[0], heirs=chain[1:], at=now(), approval=approval_id)
    rule(await parts.store.load(f"standing/{event.award_id}"), *read)


async def _finish(parts: Revocation, approval: Approval) -> Decision:
    """The change of an approval that was given. Raises what the change raises."""
    event, decided = approval.proposed.event, approval.decided
    if decided is None or approval.status != "approved" or not isinstance(event, StandingProposed):
        raise errors.Refused("This was refused, for good; propose it anew.")
    chain = await chain_to(parts.store, event.award_id, event.decides)
    change, data = proposed_change(event)
    wish = Wish(
        tenant=chain[0],
        command=ids.caused_command(parts.settings.server_secret, "approval", approval.id),
        actor=Actor(decided.actor["key"], decided.actor["role"], decided.actor.get("request")),
    )
    rule = rule_for(change, data, tenant=chain[0], heirs=chain[1:], at=now(), approval=approval.id)
    reads = streams_of(event.award_id, chain)
    return await parts.store.decide(f"standing/{event.award_id}", rule, wish=wish, reads=reads)


async def _same(parts: Revocation, approval: Approval, wish: Wish) -> str | None:
    """What proposer and decider have in common: the key, the person, or nothing."""
    if await approvals.same_decider(parts.store, approval.proposer, wish.actor.key):
        return "key"
    if wish.person is None:
        return None
    return "person" if await is_same_person(parts.bus, approval.proposed.position, wish.person) else None
