"""One change of a standing: histories in, rule, append, answer from what is stored."""

from ledger.store import Wish
from revocation.answers import StandingAnswer, StandingHistory, answer_for, history_for
from revocation.clock import now
from revocation.parts import Revocation
from revocation.standings import Change, ChangeStanding, award_of, rule_for, standing_of


async def change_one(
    parts: Revocation, wish: Wish, award_id: str, change: Change, data: ChangeStanding
) -> tuple[StandingAnswer, bool]:
    """Make a change and answer with the standing that it led to; whether an earlier try had made it already.

    Raises NotFound, Refused, or Unavailable when free text cannot be sealed now.
    """
    decision = await parts.store.decide(
        f"standing/{award_id}",
        rule_for(change, data, tenant=wish.tenant, at=now()),
        wish=wish,
        reads=(f"award/{award_id}", f"institution/{wish.tenant}"),
    )
    last = decision.events[-1] if decision.events else None
    # By the document of that moment: a later correction does not change what a retry is answered.
    award_history = await parts.store.load(f"award/{award_id}")
    award = award_of(award_history, wish.tenant, before=last.position if last else None)
    history = await parts.store.load(f"standing/{award_id}")
    standing = standing_of(history, last.version if last else None)
    return answer_for(award, standing, parts.settings.status_url), decision.replayed


async def read_one(parts: Revocation, award_id: str, tenant: str) -> StandingHistory:
    """How an award of this institution stands, and everything that led to it. Raises NotFound."""
    award = award_of(await parts.store.load(f"award/{award_id}"), tenant)
    return history_for(award, await parts.store.load(f"standing/{award_id}"), parts.settings.status_url)
