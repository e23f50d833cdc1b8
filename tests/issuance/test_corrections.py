"""The rules of corrections."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, TENANT, placed
from tests.issuance.test_awards import ADDRESSES, DRAWS, WISH, achievement_history, facts_of, institution_history

from issuance import corrections, institutions
from issuance.awards import AwardLearner, Evidence
from issuance.corrections import Changes, CorrectAward, LearnerChanges, Material, ReissueAward, document_of
from issuance.institutions import NewKey
from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.events import AwardCorrected, AwardReinstated, AwardRevoked, AwardSuspended, LearnerErased, StatusEntry

AWARD = "awd_" + "e" * 26
STREAM = f"award/{AWARD}"
LATER = NOON + timedelta(days=30)
NEW_PLACE = [StatusEntry("sl_" + "d" * 26, "revocation", 8)]
STANDING = {"award_id": AWARD, "reason_code": "other", "effective": format_time(NOON)}
TERM = Changes(term="Autumn")


def wish(changes: Changes = TERM, **more: Any) -> CorrectAward:
    return CorrectAward(changes=changes, reason_code="content_error", **more)


def awarded(award: AwardLearner = WISH) -> list[Recorded]:
    return placed(STREAM, [facts_of(award)])


def material(history: Sequence[Recorded], personal: dict[str, Any] | None = None) -> Material:
    return Material(
        replaces=history[-1].position,
        personal={"r2": "00", "person": "staff-7", **dict(facts_of().personal if personal is None else personal)},
        published=achievement_history()[0],
        subject_id=DRAWS.subject_id,
        capability="BBECAwQFBgcICQoLDA0ODw",
        salt="eeff",
        status=NEW_PLACE,
    )


def decide(
    asked: CorrectAward | ReissueAward,
    history: list[Recorded] | None = None,
    *,
    standing: Sequence[Recorded] = (),
    institution: list[Recorded] | None = None,
    learner: Sequence[Recorded] = (),
    personal: dict[str, Any] | None = None,
    at: datetime = LATER,
) -> Fact:
    before = awarded() if history is None else history
    institution = institution_history() if institution is None else institution
    drawn = material(before, personal)
    unsigned = ADDRESSES.unsigned
    (fact,) = corrections.correct(
        asked, before, standing, institution, learner, material=drawn, document_for=unsigned, at=at
    )
    return fact


def event_of(fact: Fact) -> AwardCorrected:
    assert isinstance(fact.event, AwardCorrected)
    return fact.event


def standing(*events: Any) -> list[Recorded]:
    return placed(f"standing/{AWARD}", [Fact(event=event, at=NOON) for event in events])


def test_a_correction_has_a_new_document_and_keeps_award_date_and_version() -> None:
    event = event_of(decide(wish()))

    assert event.issued == event.valid_from == format_time(LATER)
    assert event.awarded_date == format_time(NOON)
    assert (event.achievement_id, event.achievement_version) == (WISH.achievement_id, 1)
    assert (event.status, event.superseded) == (NEW_PLACE, DRAWS.status)
    assert event.reason_code == "content_error"


def test_what_is_not_named_is_sealed_again_and_what_was_of_the_old_event_is_not() -> None:
    fact = decide(wish(reason="Ada wrote to us."))

    old = facts_of().personal
    assert fact.personal["term"] == "Autumn"
    assert fact.personal["reason"] == "Ada wrote to us."
    assert {name: fact.personal[name] for name in ("identity", "name")} == {n: old[n] for n in ("identity", "name")}
    assert fact.personal["capability"] != old["capability"]
    assert not {"r2", "person"} & fact.personal.keys()
    assert fact.subject == DRAWS.pseudonym


def test_the_digest_is_that_of_the_document_which_the_values_make() -> None:
    fact, other = decide(wish(reason="Said once.")), decide(wish(reason="Said otherwise."))

    assert fact.document_digest == other.document_digest  # the reason stands in no document
    assert fact.document_digest != decide(wish(Changes(term="Winter"))).document_digest


def test_nothing_personal_stands_in_the_event() -> None:
    fact = decide(wish(Changes(learner=LearnerChanges(name="Ada King")), reason="Ada married."))
    stored = placed(STREAM, [fact])[0].state.decode("utf-8", "replace")

    for secret in ("Ada", "King", "married", "ada@", fact.personal["capability"], fact.personal["identity"]["salt"]):
        assert secret not in stored


def test_null_takes_a_member_out() -> None:
    full = msgspec.structs.replace(
        WISH, narrative="Well done.", evidence=[Evidence(narrative="Thesis")], credits_earned=5, term="Spring"
    )
    kept = dict(facts_of(full).personal)
    without = Changes(narrative=None, evidence=[], credits_earned=None, term=None, learner=LearnerChanges(name=None))

    fact = decide(wish(without), awarded(full), personal=kept)

    assert fact.personal.keys() == {"identity", "capability"}


def test_another_identifier_gets_a_salt_of_its_own_and_a_did_becomes_the_subject() -> None:
    mail = decide(wish(Changes(learner=LearnerChanges(email="New@Example.org")))).personal["identity"]
    did = decide(wish(Changes(learner=LearnerChanges(did="did:key:z6MkLearner")))).personal["identity"]
    plain = decide(wish(Changes(learner=LearnerChanges(identity="plain")))).personal["identity"]
    back = decide(
        wish(Changes(learner=LearnerChanges(student_id="S-1"))), personal={**facts_of().personal, "identity": did}
    ).personal["identity"]

    assert (mail["kind"], mail["value"], mail["salt"]) == ("email", "new@example.org", "eeff")
    assert mail["subject_id"] == back["subject_id"] == DRAWS.subject_id
    assert (did["kind"], did["subject_id"]) == ("did", "did:key:z6MkLearner")
    assert (plain["value"], plain["hashed"]) == ("ada@example.org", False)


def test_a_correction_that_changes_nothing_is_refused_and_a_reissue_is_not() -> None:
    same = Changes(learner=LearnerChanges(name="Ada Lovelace", email="ADA@example.org"), narrative=None)
    with pytest.raises(errors.Refused, match="change nothing"):
        decide(wish(same))

    again = decide(ReissueAward("key_compromise"))
    content = {name: value for name, value in again.personal.items() if name != "capability"}
    assert content == {name: value for name, value in facts_of().personal.items() if name != "capability"}
    assert event_of(again).reason_code == "key_compromise"


def test_keys_and_profile_are_those_of_now() -> None:
    fresh = (NewKey("key_ed2", "Ed25519", "z6MkEd2"), NewKey("key_p22", "P-256", "zDnP22"))
    history = institution_history()
    history = placed(f"institution/{TENANT}", institutions.rotate(history, new=fresh, at=NOON), history)

    event = event_of(decide(ReissueAward("key_compromise"), institution=history))

    assert (event.keys, event.profile_version) == (["key_ed2", "key_p22"], len(history))


@pytest.mark.parametrize(("events", "said"), [
    ([AwardRevoked(**STANDING)], "revoked, and that is final"),
    ([AwardSuspended(**STANDING)], "reinstate it first"),
    ([AwardSuspended(**STANDING), AwardReinstated(**STANDING), AwardSuspended(**STANDING)], "reinstate it first"),
])  # fmt: skip
def test_only_a_valid_award_is_corrected(events: list[Any], said: str) -> None:
    with pytest.raises(errors.Refused, match=said):
        decide(wish(), standing=standing(*events))
    with pytest.raises(errors.Refused, match=said):
        decide(ReissueAward("key_compromise"), standing=standing(*events))


def test_a_reinstated_award_is_corrected_again() -> None:
    history = standing(AwardSuspended(**STANDING), AwardReinstated(**STANDING))

    assert event_of(decide(wish(), standing=history)).superseded == DRAWS.status


def test_what_has_ended_needs_a_later_end() -> None:
    ended = awarded(msgspec.structs.replace(WISH, valid_until=NOON + timedelta(days=1)))

    with pytest.raises(errors.Refused) as refused:
        decide(wish(), ended)
    assert refused.value.errors[0].pointer == "/changes/valid_until"
    later = event_of(decide(wish(Changes(valid_until=LATER + timedelta(days=1))), ended))
    assert later.valid_until == format_time(LATER + timedelta(days=1))


def test_what_begins_later_still_begins_then() -> None:
    begins = LATER + timedelta(days=5)

    event = event_of(decide(wish(), awarded(msgspec.structs.replace(WISH, valid_from=begins))))

    assert (event.issued, event.valid_from) == (format_time(LATER), format_time(begins))


def test_a_document_that_was_replaced_meanwhile_is_looked_at_again() -> None:
    before = awarded()
    after = placed(STREAM, [decide(wish(), before)], before)

    with pytest.raises(errors.Conflict, match="somebody else"):
        corrections.correct(
            wish(Changes(term="Winter")), after, [], institution_history(), [],
            material=material(before), document_for=ADDRESSES.unsigned, at=LATER,
        )  # fmt: skip


def test_nobody_corrects_what_is_being_erased_or_anothers() -> None:
    erased = placed(f"learner/{DRAWS.pseudonym}", [Fact(event=LearnerErased(reason_code="learner_request"), at=NOON)])
    foreign = placed(STREAM, [facts_of()], tenant="inst_" + "z" * 26)

    with pytest.raises(errors.Conflict, match="erased"):
        decide(wish(), learner=erased)
    with pytest.raises(errors.NotFound):
        decide(wish(), foreign)
    with pytest.raises(errors.NotFound):
        document_of([])


@pytest.mark.parametrize(("changes", "pointers"), [
    (Changes(), ["/changes"]),
    (Changes(learner=LearnerChanges()), ["/changes"]),
    (Changes(valid_until=datetime(2030, 1, 1)), ["/changes/valid_until"]),  # noqa: DTZ001 - no zone is the point
    (Changes(valid_until=NOON, renew_by=NOON), ["/changes/valid_until", "/changes/renew_by"]),
    (Changes(credits_earned=0.001), ["/changes/credits_earned"]),
    (Changes(evidence=[Evidence(name="Thesis")]), ["/changes/evidence/0"]),
    (Changes(learner=LearnerChanges(email="a@b.example", student_id="1")),
     ["/changes/learner/email", "/changes/learner/student_id"]),
])  # fmt: skip
def test_every_change_that_cannot_be_right_is_named(changes: Changes, pointers: list[str]) -> None:
    with pytest.raises(errors.Malformed) as malformed:
        corrections.check(wish(changes), at=LATER)
    assert [error.pointer for error in malformed.value.errors] == pointers


TEXTS = st.sampled_from(["A", "B", None])
DATES = st.sampled_from([datetime(2040, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC), None])


@given(st.lists(st.fixed_dictionaries({}, optional={"term": TEXTS, "narrative": TEXTS, "valid_until": DATES})))
def test_corrections_one_after_the_other_say_what_a_plain_dictionary_would(steps: list[dict[str, Any]]) -> None:
    history, plain = awarded(), {"term": None, "narrative": None, "valid_until": None}
    personal = dict(facts_of().personal)
    for number, step in enumerate(steps, 1):
        at, after = LATER + timedelta(days=number), {**plain, **step}
        try:
            fact = decide(wish(Changes(**step)), history, personal=personal, at=at)
        except errors.Refused:
            assert after == plain
            continue
        history, personal, plain = placed(STREAM, [fact], history), dict(fact.personal), after
    newest = document_of(history).event
    ends = plain["valid_until"]
    assert {name: personal.get(name) for name in ("term", "narrative")} == {n: plain[n] for n in ("term", "narrative")}
    assert newest.valid_until == (format_time(ends) if isinstance(ends, datetime) else None)  # type: ignore[attr-defined]
    replaced = [recorded.event.superseded for recorded in history if isinstance(recorded.event, AwardCorrected)]
    assert replaced == [recorded.event.status for recorded in history[:-1]]  # type: ignore[attr-defined]
