"""One change of a standing: histories in, rule, append, answer from what is stored."""

import msgspec

from ledger.approvals import Approval, ApprovalRequired
from ledger.events import StandingProposed
from ledger.store import Decision, Wish
from revocation.answers import ProposalAnswer, StandingAnswer, StandingHistory, answer_for, history_for, proposal_for
from revocation.clock import now
from revocation.heirs import chain_to, streams_of
from revocation.parts import Revocation
from revocation.proposing import propose_change
from revocation.standings import Change, ChangeStanding, award_of, rule_for, standing_of


async def change_one(
    parts: Revocation, wish: Wish, award_id: str, change: Change, data: ChangeStanding
) -> tuple[StandingAnswer | ProposalAnswer, bool]:
    """Make a change and answer with the standing that it led to, or with the proposal where a second key has to
    approve; whether an earlier try had made it already.

    Raises NotFound, Refused, or Unavailable when free text cannot be sealed now.
    """
    decision = await decide_change(parts, wish, award_id, change, data)
    if decision.events and isinstance(decision.events[0].event, StandingProposed):
        proposed = decision.events[0]
        return proposal_for(Approval(proposed.stream.partition("/")[2], proposed)), decision.replayed
    return await answer_of(parts, award_id, decision), decision.replayed


async def decide_change(parts: Revocation, wish: Wish, award_id: str, change: Change, data: ChangeStanding) -> Decision:
    """The change, committed, or where a second key has to approve its proposal. Raises as `change_one` does."""
    chain = await chain_to(parts.store, award_id, wish.tenant)
    # The fact is one about the award, so it lies where the award's facts lie; who decided is its actor.
    try:
        return await parts.store.decide(
            f"standing/{award_id}",
            rule_for(change, data, tenant=chain[0], heirs=chain[1:], at=now()),
            wish=msgspec.structs.replace(wish, tenant=chain[0]),
            reads=streams_of(award_id, chain),
        )
    except ApprovalRequired:
        return await propose_change(parts, wish, award_id, change, data)


async def answer_of(parts: Revocation, award_id: str, decision: Decision) -> StandingAnswer:
    """The standing that a decision about an award led to; where it decided nothing, the standing now."""
    last = decision.events[-1] if decision.events else None
    # By the document of that moment: a later correction does not change what a retry is answered.
    award_history = await parts.store.load(f"award/{award_id}")
    award = award_of(award_history, award_history[0].tenant, before=last.position if last else None)
    history = await parts.store.load(f"standing/{award_id}")
    standing = standing_of(history, last.version if last else None)
    return answer_for(award, standing, parts.settings.status_url)


async def read_one(parts: Revocation, award_id: str, tenant: str) -> StandingHistory:
    """How an award that this institution decides about stands, and everything that led to it. Raises NotFound."""
    chain = await chain_to(parts.store, award_id, tenant)
    award = award_of(await parts.store.load(f"award/{award_id}"), chain[0])
    return history_for(award, await parts.store.load(f"standing/{award_id}"), parts.settings.status_url)
