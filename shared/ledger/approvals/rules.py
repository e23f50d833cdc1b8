"""Approvals: what one key proposes, another approves or refuses. Pure rules over the proposal's stream.

Rules. A proposal changes nothing. It is decided once: approved, and then what it proposed is done by the very rule that
does it directly, or refused, for good. Whoever proposed does not decide: neither the same key, nor one that it was
rotated from or to, nor, where the institution names its people, the same person.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.events import ApprovalGiven, ApprovalRefused, AwardProposed, StandingProposed

PREFIX = "apr"
Status = Literal["open", "approved", "refused"]


class ApprovalRequired(errors.Conflict):
    """The institution lets a second key approve this: it can be proposed, not done."""

    code, title = "approval_required", "A second key has to approve this"


class RefuseProposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, as a code."""

    reason_code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{1,63}$")]


class Approval(msgspec.Struct, frozen=True):
    """A proposal and, where there is one, the event that decided it."""

    id: str
    proposed: Recorded
    decided: Recorded | None = None

    @property
    def status(self) -> Status:
        if self.decided is None:
            return "open"
        return "approved" if isinstance(self.decided.event, ApprovalGiven) else "refused"

    @property
    def proposer(self) -> str:
        """The key that proposed it."""
        return str(self.proposed.actor["key"])


def approval_of(history: Sequence[Recorded]) -> Approval | None:
    """The approval behind a stream, None where it is no proposal's."""
    if not history or not isinstance(history[0].event, AwardProposed | StandingProposed):
        return None
    decided = [r for r in history if isinstance(r.event, ApprovalGiven | ApprovalRefused)]
    return Approval(history[0].stream.partition("/")[2], history[0], decided[0] if decided else None)


def give(history: Sequence[Recorded], *, same: str | None, at: datetime) -> list[Fact]:
    """The approval; nothing when it was given already. `same` is what decider and proposer have in common: `key`,
    `person` or nothing. Raises NotFound or Refused."""
    approval = _decidable(history, same)
    if approval.status == "refused":
        raise errors.Refused("This was refused, for good; propose it anew.")
    if approval.decided is not None:
        return []
    return [Fact(event=ApprovalGiven(approval_id=approval.id), at=at, subject=approval.proposed.subject)]


def refuse(wish: RefuseProposal, history: Sequence[Recorded], *, same: str | None, at: datetime) -> list[Fact]:
    """The refusal; nothing when it was refused already. Raises NotFound or Refused."""
    approval = _decidable(history, same)
    if approval.status == "approved":
        raise errors.Refused("This was approved already.")
    if approval.decided is not None:
        return []
    event = ApprovalRefused(approval_id=approval.id, reason_code=wish.reason_code)
    return [Fact(event=event, at=at, subject=approval.proposed.subject)]


def _decidable(history: Sequence[Recorded], same: str | None) -> Approval:
    approval = approval_of(history)
    if approval is None:
        raise errors.NotFound("There is no such approval.")
    if same is not None:
        raise errors.Refused(f"Whoever proposed it does not decide about it; this is the same {same}.")
    return approval
