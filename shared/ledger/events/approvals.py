"""Facts about what waits for a second key: proposals and what became of them. They lie in the category of what is
proposed, `award` (issuance) or `standing` (revocation), on streams named by the approval (`apr_…`)."""

from typing import ClassVar

from ledger.events.base import Event


class AwardProposed(Event, frozen=True, kw_only=True):
    """An award that takes a second key's approval was proposed; nobody was awarded yet. The whole wish is sealed beside
    it (`wish`); its achievement stands here, since the history of an achievement is public."""

    TOPIC: ClassVar[str] = "award.proposed"

    achievement_id: str


class StandingProposed(Event, frozen=True, kw_only=True):
    """A change of an award's standing that takes a second key's approval was proposed; nothing changed yet.

    `decides` is the institution whose keys decide: the award's own, or its successor. Free text is sealed beside it.
    """

    TOPIC: ClassVar[str] = "standing.proposed"

    award_id: str
    change: str
    reason_code: str
    decides: str
    effective: str | None = None
    authority: str | None = None


class ApprovalGiven(Event, frozen=True, kw_only=True):
    """A second key approved what was proposed; what it makes names the approval."""

    TOPIC: ClassVar[str] = "approval.given"

    approval_id: str


class ApprovalRefused(Event, frozen=True, kw_only=True):
    """A second key refused what was proposed, for good: it can be proposed anew."""

    TOPIC: ClassVar[str] = "approval.refused"

    approval_id: str
    reason_code: str


EVENTS: tuple[type[Event], ...] = (AwardProposed, StandingProposed, ApprovalGiven, ApprovalRefused)
