"""The rules of an award's standing, against a plain reference, and one by one."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.revocation.histories import (
    AWARD,
    LEARNER,
    NOON,
    OTHER,
    REVOCATION,
    SUSPENSION,
    TENANT,
    award_history,
    institution_history,
    placed,
)

from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.events import AwardRevoked, InstitutionDeactivated, StandingChanged
from revocation.answers import HIDDEN_SUSPENSION, answer_for
from revocation.standings import REASONS, Change, ChangeStanding, ReasonCode, Status, rule_for, standing_of

STREAM = f"standing/{AWARD}"
LATER = NOON + timedelta(days=1)
CHANGES: list[Change] = ["suspend", "reinstate", "revoke"]
# What follows from what, written out: None is a refusal.
REFERENCE: dict[tuple[Status, Change], Status | None] = {
    ("valid", "suspend"): "suspended",
    ("valid", "reinstate"): "valid",
    ("valid", "revoke"): "revoked",
    ("suspended", "suspend"): "suspended",
    ("suspended", "reinstate"): "valid",
    ("suspended", "revoke"): "revoked",
    ("revoked", "suspend"): None,
    ("revoked", "reinstate"): None,
    ("revoked", "revoke"): "revoked",
}


def wish(**varied: Any) -> ChangeStanding:
    return ChangeStanding(**{"reason_code": "other", **varied})


def decided(change: Change, history: list[Recorded], **varied: Any) -> list[Fact]:
    rule = rule_for(change, wish(**varied), tenant=TENANT, at=LATER)
    return rule(history, award_history(), institution_history())


def changed(*changes: Change) -> list[Recorded]:
    history: list[Recorded] = []
    for change in changes:
        history = placed(STREAM, decided(change, history), history)
    return history


@given(st.lists(st.sampled_from(CHANGES), max_size=12))
def test_every_sequence_of_changes_ends_where_the_reference_says_and_records_only_what_changes(
    changes: list[Change],
) -> None:
    history: list[Recorded] = []
    status: Status = "valid"
    for change in changes:
        expected = REFERENCE[status, change]
        if expected is None:
            with pytest.raises(errors.Refused, match="revoked, and that is final"):
                decided(change, history)
            continue
        facts = decided(change, history)
        assert len(facts) == (expected != status)
        history, status = placed(STREAM, facts, history), expected
        assert standing_of(history).status == status


@given(st.lists(st.sampled_from(CHANGES), max_size=8))
def test_a_standing_as_of_a_version_is_the_one_that_was_then(changes: list[Change]) -> None:
    history: list[Recorded] = []
    for change in changes:
        if REFERENCE[standing_of(history).status, change] is not None:
            history = placed(STREAM, decided(change, history), history)

    assert [standing_of(history, v) for v in range(len(history) + 1)] == [
        standing_of(history[:v]) for v in range(len(history) + 1)
    ]


def test_a_revocation_moves_the_revocation_bit_alone() -> None:
    (fact,) = decided("revoke", changed("suspend"))

    assert isinstance(fact.event, AwardRevoked)
    assert fact.event.entries == [REVOCATION]


@pytest.mark.parametrize("change", ["suspend", "reinstate"])
def test_suspending_and_reinstating_move_the_suspension_bit_alone(change: Change) -> None:
    history = [] if change == "suspend" else changed("suspend")

    (fact,) = decided(change, history)

    assert isinstance(fact.event, StandingChanged)
    assert fact.event.entries == [SUSPENSION]


def test_free_text_is_sealed_under_the_learner_and_never_in_the_event() -> None:
    (fact,) = decided("revoke", [], reason="Copied from Erika Mustermann")

    assert fact.subject == LEARNER
    assert fact.personal == {"reason": "Copied from Erika Mustermann"}
    assert b"Mustermann" not in msgspec.json.encode(fact.event)


def test_the_event_says_why_on_what_authority_and_since_when() -> None:
    since = NOON + timedelta(hours=1)

    (fact,) = decided("revoke", [], reason_code="issued_in_error", authority="Examination board", effective=since)

    assert fact.at == since
    assert fact.event == AwardRevoked(
        award_id=AWARD,
        reason_code="issued_in_error",
        effective=format_time(since),
        authority="Examination board",
        entries=[REVOCATION],
    )


@pytest.mark.parametrize("award", [[], award_history(tenant=OTHER)], ids=["unknown", "of another institution"])
def test_an_award_that_is_unknown_and_one_of_another_institution_get_the_same_answer(award: list[Recorded]) -> None:
    rule = rule_for("revoke", wish(), tenant=TENANT, at=LATER)

    with pytest.raises(errors.NotFound) as raised:
        rule([], award, institution_history())

    assert raised.value.detail == "There is no such award."


def test_a_suspended_institution_changes_no_standing() -> None:
    off = institution_history(more=[Fact(event=InstitutionDeactivated(reason_code="other"), at=NOON)])

    with pytest.raises(errors.Refused, match="suspended"):
        rule_for("revoke", wish(), tenant=TENANT, at=LATER)([], award_history(), off)


@pytest.mark.parametrize(
    ("moment", "said"),
    [(LATER + timedelta(seconds=1), "has not come"), (NOON - timedelta(seconds=1), "not made yet")],
)
def test_a_change_holds_neither_from_the_future_nor_from_before_the_award(moment: Any, said: str) -> None:
    with pytest.raises(errors.Refused) as raised:
        decided("revoke", [], effective=moment)

    assert [(e.pointer, said in e.detail) for e in raised.value.errors] == [("/effective", True)]


def test_a_reinstatement_cannot_hold_from_before_its_suspension() -> None:
    suspended = placed(STREAM, decided("suspend", [], effective=NOON + timedelta(hours=2)))

    with pytest.raises(errors.Refused) as raised:
        decided("reinstate", suspended, effective=NOON + timedelta(hours=1))

    assert raised.value.errors[0].pointer == "/effective"


def test_every_reason_code_has_a_meaning() -> None:
    assert set(REASONS) == set(ReasonCode.__args__)  # type: ignore[attr-defined]


def test_a_suspension_that_foreign_verifiers_cannot_see_is_called_so() -> None:
    (certified,) = award_history([REVOCATION])
    (full,) = award_history()
    standing = standing_of(changed("suspend"))

    assert answer_for(certified, standing, "https://status.example").note == HIDDEN_SUSPENSION
    assert answer_for(full, standing, "https://status.example").note is None
