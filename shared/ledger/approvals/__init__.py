"""What takes a second key: a proposal, and another key that approves or refuses it.

Rules in `rules` (pure), the list of them in `projection`, whose key it is in `deciders`.
"""

from ledger.approvals.deciders import family_of, same_decider
from ledger.approvals.listing import Approvals, ApprovalState, Wanted, state_of
from ledger.approvals.projection import ApprovalProjection, approval_tables
from ledger.approvals.rules import Approval, ApprovalRequired, RefuseProposal, approval_of, give, refuse

__all__ = [
    "Approval",
    "ApprovalProjection",
    "ApprovalRequired",
    "ApprovalState",
    "Approvals",
    "RefuseProposal",
    "Wanted",
    "approval_of",
    "approval_tables",
    "family_of",
    "give",
    "refuse",
    "same_decider",
    "state_of",
]
