"""Who decides about a closed institution's awards, and when a second key has to."""

import pytest
from tests.revocation.histories import AWARD, NOON, OTHER, REVOCATION, TENANT, award_history, institution_facts, placed

from ledger import errors
from ledger.approvals import ApprovalRequired
from ledger.codec import Fact, Recorded
from ledger.events import (
    AwardRevoked,
    InstitutionClosed,
    InstitutionMerged,
    InstitutionPolicySet,
    InstitutionSuspended,
    StandingProposed,
)
from revocation.standings import ChangeStanding, propose, proposed_change, rule_for

THIRD = "inst_" + "c" * 26
WHY = {"reason_code": "board_decision", "authority": "Ministry of Education"}
WISH = ChangeStanding(reason_code="other", reason="It says why.", authority="Board")
FOUR_EYES = InstitutionPolicySet(four_eyes=["revocations"])


def institution(tenant: str, *events: object) -> list[Recorded]:
    facts = [*institution_facts(), *(Fact(event=event, at=NOON) for event in events)]  # type: ignore[arg-type]
    return placed(f"institution/{tenant}", facts, tenant=tenant)


def revoked(*histories: list[Recorded], heirs: tuple[str, ...] = (OTHER,), approval: str | None = None) -> list[Fact]:
    rule = rule_for("revoke", WISH, tenant=TENANT, heirs=heirs, at=NOON, approval=approval)
    return rule([], award_history([REVOCATION]), *histories)


def test_the_successor_of_a_closed_institution_decides() -> None:
    (fact,) = revoked(institution(TENANT, InstitutionClosed(**WHY, successor=OTHER)), institution(OTHER))

    assert isinstance(fact.event, AwardRevoked)
    assert fact.event.entries == [REVOCATION]


def test_successors_are_followed_to_the_last() -> None:
    first = institution(TENANT, InstitutionMerged(**WHY, into=OTHER))
    second = institution(OTHER, InstitutionClosed(**WHY, successor=THIRD))

    assert len(revoked(first, second, institution(THIRD), heirs=(OTHER, THIRD))) == 1
    with pytest.raises(errors.Refused, match="is closed"):
        revoked(first, second)


@pytest.mark.parametrize(
    "events",
    [
        (),
        (InstitutionSuspended(**WHY),),
        (InstitutionClosed(**WHY),),
        (InstitutionClosed(**WHY, successor=THIRD),),
        (InstitutionMerged(**WHY, into=THIRD),),
    ],
)
def test_to_whoever_is_no_successor_the_award_is_not_there(events: tuple[object, ...]) -> None:
    with pytest.raises(errors.NotFound) as raised:
        revoked(institution(TENANT, *events), institution(OTHER))

    assert raised.value.detail == "There is no such award."


def test_a_suspended_successor_changes_nothing() -> None:
    with pytest.raises(errors.Refused, match="is suspended"):
        revoked(
            institution(TENANT, InstitutionClosed(**WHY, successor=OTHER)),
            institution(OTHER, InstitutionSuspended(**WHY)),
        )


def test_it_is_the_deciding_institutions_policy_that_asks_for_a_second_key() -> None:
    closed = InstitutionClosed(**WHY, successor=OTHER)
    with pytest.raises(ApprovalRequired):
        revoked(institution(TENANT, closed), institution(OTHER, FOUR_EYES))

    assert len(revoked(institution(TENANT, FOUR_EYES, closed), institution(OTHER))) == 1
    (fact,) = revoked(institution(TENANT, closed), institution(OTHER, FOUR_EYES), approval="apr_a")
    assert fact.event.approval == "apr_a"  # type: ignore[attr-defined]


def test_suspending_and_reinstating_take_no_second_key() -> None:
    for change in ("suspend", "reinstate"):
        rule = rule_for(change, WISH, tenant=TENANT, at=NOON)  # type: ignore[arg-type]
        rule([], award_history(), institution(TENANT, FOUR_EYES))


def test_a_proposal_names_everything_but_the_free_text_and_gives_the_change_back() -> None:
    read = (award_history([REVOCATION]), institution(TENANT, FOUR_EYES))

    (fact,) = propose("revoke", WISH, [], [], *read, chain=(TENANT,), at=NOON)

    assert fact.event == StandingProposed(
        award_id=AWARD, change="revoke", reason_code="other", decides=TENANT, authority="Board"
    )
    assert fact.personal == {"reason": "It says why."}
    assert proposed_change(fact.event) == ("revoke", ChangeStanding(reason_code="other", authority="Board"))
    with pytest.raises(errors.Conflict):
        propose("revoke", WISH, [], [], award_history(), institution(TENANT), chain=(TENANT,), at=NOON)
