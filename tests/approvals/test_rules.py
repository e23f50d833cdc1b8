"""The rules of approvals: one decision, and never by whoever proposed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, placed

from ledger import errors
from ledger.approvals import rules
from ledger.approvals.rules import RefuseProposal
from ledger.codec import Fact, Recorded
from ledger.events import ApprovalGiven, ApprovalRefused, AwardProposed

ID, LEARNER = "apr_" + "a" * 26, "lrn_" + "a" * 26
STREAM = f"award/{ID}"
PROPOSED = Fact(event=AwardProposed(achievement_id="ach_a"), at=NOON, subject=LEARNER)
GIVEN = Fact(event=ApprovalGiven(approval_id=ID), at=NOON, subject=LEARNER)
REFUSED = Fact(event=ApprovalRefused(approval_id=ID, reason_code="not_earned"), at=NOON, subject=LEARNER)
REFUSE = RefuseProposal(reason_code="not_earned")


def history(*facts: Fact) -> list[Recorded]:
    return placed(STREAM, [PROPOSED, *facts])


def test_a_proposal_waits_until_it_is_decided() -> None:
    approval = rules.approval_of(history())

    assert approval is not None
    assert (approval.id, approval.status, approval.proposer) == (ID, "open", "key_test")
    assert rules.give(history(), same=None, at=NOON) == [GIVEN]
    assert rules.refuse(REFUSE, history(), same=None, at=NOON) == [REFUSED]


def test_a_decision_is_one_and_final() -> None:
    assert rules.give(history(GIVEN), same=None, at=NOON) == []
    assert rules.refuse(REFUSE, history(REFUSED), same=None, at=NOON) == []
    with pytest.raises(errors.Refused, match="refused"):
        rules.give(history(REFUSED), same=None, at=NOON)
    with pytest.raises(errors.Refused, match="approved already"):
        rules.refuse(REFUSE, history(GIVEN), same=None, at=NOON)


@pytest.mark.parametrize("same", ["key", "person"])
def test_whoever_proposed_does_not_decide(same: str) -> None:
    with pytest.raises(errors.Refused, match=f"same {same}"):
        rules.give(history(), same=same, at=NOON)
    with pytest.raises(errors.Refused, match=f"same {same}"):
        rules.refuse(REFUSE, history(), same=same, at=NOON)


def test_what_is_no_proposal_is_not_found() -> None:
    with pytest.raises(errors.NotFound):
        rules.give([], same=None, at=NOON)
    with pytest.raises(errors.NotFound):
        rules.refuse(REFUSE, placed("award/awd_a", [GIVEN]), same=None, at=NOON)


@given(st.lists(st.sampled_from(["give", "refuse"]), max_size=6))
def test_the_first_decision_stands_whatever_follows(steps: list[str]) -> None:
    events = history()
    for step in steps:
        try:
            facts = rules.give(events, same=None, at=NOON) if step == "give" else rules.refuse(
                REFUSE, events, same=None, at=NOON)  # fmt: skip
        except errors.Refused:
            continue
        events = placed(STREAM, facts, events)

    approval = rules.approval_of(events)
    assert approval is not None
    assert approval.status == {"give": "approved", "refuse": "refused"}.get(steps[0] if steps else "", "open")
    assert len(events) <= 2
