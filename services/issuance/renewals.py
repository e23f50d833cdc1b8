"""Renewals: an award that takes over from an earlier one. Pure rule over the renewed award's history.

Rules. An award is renewed by its own institution, for the same learner and the same achievement, whatever the version.
The one that is renewed stays as it is until its own end; what was revoked cannot be renewed.
"""

from collections.abc import Sequence

from issuance.awards import AwardLearner
from ledger import errors
from ledger.codec import Recorded
from ledger.errors import FieldError
from ledger.events import Awarded, AwardRevoked


def check(
    wish: AwardLearner, history: Sequence[Recorded], standing_history: Sequence[Recorded], *, tenant: str, learner: str
) -> None:
    """Whether the award that `wish.renews` names can be renewed by this one; `learner` is the pseudonym.

    Raises Refused with a pointer, in the same words for another institution's award and for none.
    """
    renewed = next((r for r in history if isinstance(r.event, Awarded) and r.tenant == tenant), None)
    said = None
    if renewed is None or not isinstance(renewed.event, Awarded):
        said = "there is no such award"
    elif renewed.subject != learner:
        said = "that award is another learner's"
    elif renewed.event.achievement_id != wish.achievement_id:
        said = "that award is of another achievement"
    elif any(isinstance(recorded.event, AwardRevoked) for recorded in standing_history):
        said = "that award was revoked"
    if said is not None:
        raise errors.Refused("This award cannot renew that one.", errors=[FieldError("/renews", said)])
