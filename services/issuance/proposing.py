"""Awards that take a second key, as they are proposed: the shell around `issuance.award_proposals`."""

from typing import Any

from issuance import award_proposals, awards
from issuance.awards import AwardLearner
from issuance.drawing import draws_for
from issuance.institutions import institution_of
from issuance.parts import Issuance, now
from ledger import ids
from ledger.codec import Recorded
from ledger.store import Wish


async def takes_approval(issuance: Issuance, tenant: str) -> bool:
    """Whether awards take a second key's approval, as far as is known; the rule judges it again."""
    institution = institution_of(await issuance.store.load_cached(f"institution/{tenant}"))
    return institution is not None and awards.FOUR_EYES in institution.four_eyes


def reads_of(tenant: str, data: AwardLearner, pseudonym: str) -> tuple[str, str, str]:
    """The streams that every award is decided by."""
    return f"institution/{tenant}", f"achievement/{data.achievement_id}", f"learner/{pseudonym}"


async def propose(issuance: Issuance, wish: Wish, data: AwardLearner, pseudonym: str) -> tuple[Recorded, bool]:
    """The proposal of an award, and whether an earlier try of the wish had made it. Raises as awarding does."""
    approval = ids.derived_id(issuance.settings.server_secret, "apr", wish.command)
    draws, at = draws_for(issuance, wish.tenant, pseudonym, approval=approval), now()

    def rule(*histories: Any) -> Any:
        return award_proposals.propose(data, *histories, draws=draws, document_for=issuance.addresses.unsigned, at=at)

    reads = reads_of(wish.tenant, data, pseudonym)
    decision = await issuance.store.decide(issuance.approvals.stream(approval), rule, wish=wish, reads=reads)
    return decision.events[0], decision.replayed
