"""Awards that take a second key's approval, as they are proposed. Pure rules over the proposal's stream
(`award/apr_…`); what becomes of a proposal is decided in `ledger.approvals`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from issuance import awards, institutions
from issuance.awards import AwardLearner, DocumentFor, Draws
from ledger.codec import Fact, Recorded
from ledger.events import AwardProposed

WISH = "wish"  # the sealed value that holds the wish, whole


def propose(
    wish: AwardLearner,
    history: Sequence[Recorded],
    *read: Sequence[Recorded],
    draws: Draws,
    document_for: DocumentFor,
    at: datetime,
) -> list[Fact]:
    """The proposal of an award that could be made now, the wish sealed whole; `read` are the histories that awarding
    reads. Raises as `award` does, and Overtaken when no second key has to approve any more."""
    if history:
        return []
    if awards.FOUR_EYES not in institutions.active_institution(read[0]).four_eyes:
        raise awards.Overtaken("The institution's policy changed at this moment; try again.")
    awards.award(wish, (), *read, draws=draws, document_for=document_for, at=at)
    event = AwardProposed(achievement_id=wish.achievement_id)
    return [Fact(event=event, at=at, subject=draws.pseudonym, personal={WISH: msgspec.to_builtins(wish)})]


def proposed_wish(opened: Mapping[str, Any]) -> AwardLearner:
    """The wish that was sealed beside a proposal."""
    return msgspec.convert(opened[WISH], AwardLearner)
