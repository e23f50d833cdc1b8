"""Awards that take a second key: when they do, and what a proposal holds."""

import msgspec
import pytest
from tests.issuance.histories import NOON, TENANT, placed
from tests.issuance.test_awards import ADDRESSES, DRAWS, WISH, achievement_history, institution_history

from issuance import award_proposals, awards
from issuance.institution_life import SetPolicy, set_policy
from ledger import errors
from ledger.approvals import ApprovalRequired
from ledger.codec import Fact, Recorded
from ledger.events import AwardProposed

APPROVAL = "apr_" + "e" * 26
APPROVED = msgspec.structs.replace(DRAWS, approval=APPROVAL)


def with_policy(*four_eyes: str) -> list[Recorded]:
    history = institution_history()
    facts = set_policy(msgspec.convert({"four_eyes": four_eyes}, SetPolicy), history, at=NOON)
    return placed(f"institution/{TENANT}", facts, history)


def award(institution: list[Recorded], draws: awards.Draws = DRAWS) -> list[Fact]:
    return awards.award(
        WISH, [], institution, achievement_history(), [], draws=draws, document_for=ADDRESSES.unsigned, at=NOON
    )


def propose(institution: list[Recorded], wish: awards.AwardLearner = WISH) -> list[Fact]:
    return award_proposals.propose(
        wish, [], institution, achievement_history(), [], draws=APPROVED, document_for=ADDRESSES.unsigned, at=NOON
    )


def test_where_a_second_key_approves_nothing_is_awarded_without_its_approval() -> None:
    with pytest.raises(ApprovalRequired):
        award(with_policy("awards"))

    (made,) = award(with_policy("awards"), APPROVED)
    assert made.event.approval == APPROVAL  # type: ignore[attr-defined]
    assert len(award(with_policy("revocations"))) == 1


def test_a_proposal_seals_the_whole_wish_and_gives_it_back() -> None:
    (fact,) = propose(with_policy("awards"))

    assert (fact.event, fact.subject) == (AwardProposed(achievement_id=WISH.achievement_id), DRAWS.pseudonym)
    assert fact.personal.keys() == {"wish"}
    assert award_proposals.proposed_wish(fact.personal) == WISH
    assert b"Lovelace" not in placed("award/apr", [fact])[0].state


def test_what_could_not_be_awarded_is_not_proposed() -> None:
    with pytest.raises(errors.NotFound, match="no version 7"):
        propose(with_policy("awards"), msgspec.structs.replace(WISH, achievement_version=7))


def test_where_no_second_key_approves_any_more_nothing_is_proposed() -> None:
    with pytest.raises(awards.Overtaken):
        propose(institution_history())
