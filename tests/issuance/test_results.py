"""The rules of assessment results and of mappings' versions."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.issuance.histories import NOON, TENANT, placed
from tests.issuance.test_awards import ACHIEVEMENT, URL, achievement_history, institution_history

from issuance import learners, results
from issuance.achievements import versions as achievements
from issuance.achievements.model import ResultDescription, RubricLevel
from issuance.achievements.versions import WithdrawVersion
from issuance.awards import Learner, Overtaken
from issuance.institution_life import Turn, suspend
from issuance.learners import EraseLearner
from issuance.mapping import PublishMapping, Rule, WithdrawMapping, versions
from issuance.results import CorrectResult, Origin, RecordResult, WithdrawResult
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.events import MappingPublished, ResultCorrected, ResultRecorded, ResultWithdrawn

PSEUDONYM = "lrn_cccccccccccccccccccccccccc"
EXAM = ResultDescription(
    name="Exam",
    result_type="RubricCriterionLevel",
    key="exam",
    allowed_values=["A", "B"],
    levels=[RubricLevel(name="Good", key="good")],
)
STATE = ResultDescription(name="State", result_type="Status", key="state")
WISH = RecordResult(achievement_id=ACHIEVEMENT, learner=Learner(email="ada@learner.example"), value="A")


def described() -> list[Recorded]:
    return achievement_history(result_descriptions=[EXAM, STATE])


def record(wish: RecordResult = WISH, **histories: list[Recorded]) -> Fact:
    (fact,) = results.record(
        wish,
        histories.get("history", []),
        histories.get("institution", institution_history()),
        histories.get("achievement", described()),
        histories.get("learner", []),
        pseudonym=PSEUDONYM,
        origin=Origin(),
        at=NOON,
    )
    return fact


def history(*more: Fact) -> list[Recorded]:
    return placed("result/res_a", [record(changed(result_description="exam")), *more])


def changed(**fields: Any) -> RecordResult:
    return msgspec.structs.replace(WISH, **fields)


def erased() -> list[Recorded]:
    facts = learners.erase(EraseLearner(), [], pseudonym=PSEUDONYM, at=NOON)
    return placed(f"learner/{PSEUDONYM}", facts)


def suspended() -> list[Recorded]:
    facts = suspend(Turn(reason_code="unpaid", authority="Board"), institution_history(), at=NOON)
    return placed(f"institution/{TENANT}", facts, institution_history())


def test_a_result_pins_a_version_and_seals_what_came_out() -> None:
    wish = changed(result_description="exam", achieved_level="good", status="Completed", source="moodle_csv")

    fact = record(wish)

    assert fact.event == ResultRecorded(
        achievement_id=ACHIEVEMENT,
        achievement_version=1,
        assessed_at="2026-03-01T12:00:00Z",
        result_description=f"{URL}#exam",
        source="moodle_csv",
    )
    assert fact.subject == PSEUDONYM
    assert fact.personal == {
        "outcome": {"value": "A", "status": "Completed", "achieved_level": f"{URL}#exam-good"},
    }


def test_a_description_and_a_level_may_be_named_by_their_ids() -> None:
    wish = changed(result_description=f"{URL}#exam", achieved_level=f"{URL}#exam-good")

    assert record(wish).personal["outcome"]["achieved_level"] == f"{URL}#exam-good"


REFUSED = {
    "an unknown description": (changed(result_description="essay"), "/result_description"),
    "an unknown level": (changed(result_description="exam", achieved_level="bad"), "/achieved_level"),
    "a level of nothing": (changed(achieved_level="good"), "/achieved_level"),
    "a value that is not allowed": (changed(result_description="exam", value="C"), "/value"),
    "a Status without status": (changed(result_description="state"), "/status"),
}


@pytest.mark.parametrize(("wish", "pointer"), REFUSED.values(), ids=REFUSED)
def test_what_the_version_does_not_describe_is_refused(wish: RecordResult, pointer: str) -> None:
    with pytest.raises(errors.Refused) as refused:
        record(wish)

    assert [error.pointer for error in refused.value.errors] == [pointer]


MALFORMED = {
    "nothing came out": (changed(value=None), ""),
    "a time without a zone": (changed(assessed_at=NOON.replace(tzinfo=None)), "/assessed_at"),
    "a time to come": (changed(assessed_at=NOON + timedelta(hours=1)), "/assessed_at"),
}


@pytest.mark.parametrize(("wish", "pointer"), MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_right_is_pointed_at(wish: RecordResult, pointer: str) -> None:
    with pytest.raises(errors.Malformed) as refused:
        results.check(wish, at=NOON)

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_who_may_not_write_or_awards_no_more_records_nothing() -> None:
    withdrawn = achievements.withdraw(1, WithdrawVersion(), described(), institution_history(), at=NOON)

    with pytest.raises(errors.Refused, match="suspended"):
        record(institution=suspended())
    with pytest.raises(errors.Refused, match="withdrawn"):
        record(achievement=placed(f"achievement/{ACHIEVEMENT}", withdrawn, described()))
    with pytest.raises(errors.NotFound):
        record(achievement=placed(f"achievement/{ACHIEVEMENT}", [described_fact()], tenant="inst_other"))
    with pytest.raises(Overtaken):
        record(learner=erased())


def described_fact() -> Fact:
    return Fact(event=described()[0].event, at=NOON)


def correct(wish: CorrectResult, on: list[Recorded], **histories: list[Recorded]) -> list[Fact]:
    read = (institution_history(), described(), histories.get("learner", []))
    return results.correct(wish, on, *read, at=NOON)


def test_a_correction_replaces_the_outcome_and_keeps_the_first() -> None:
    (fact,) = correct(CorrectResult(value="B", reason="Marked anew.", assessed_at=NOON), history())

    assert fact.event == ResultCorrected(reason_code="reassessed", assessed_at="2026-03-01T12:00:00Z")
    assert fact.personal == {"outcome": {"value": "B"}, "reason": "Marked anew."}
    state = results.result_of(history(fact))
    assert state is not None
    assert (state.outcome.version, state.recorded.version, state.withdrawn) == (2, 1, None)
    with pytest.raises(errors.Refused):
        correct(CorrectResult(value="C"), history())


def test_a_withdrawn_result_is_not_corrected_and_not_withdrawn_again() -> None:
    ended = results.withdraw(WithdrawResult(), history(), institution_history(), [], at=NOON)

    assert [fact.event for fact in ended] == [ResultWithdrawn(reason_code="recorded_in_error")]
    gone = history(*ended)
    assert results.withdraw(WithdrawResult(), gone, institution_history(), [], at=NOON) == []
    with pytest.raises(errors.Refused, match="withdrawn"):
        correct(CorrectResult(value="B"), gone)


def test_nothing_of_an_erased_learner_is_changed() -> None:
    with pytest.raises(errors.Gone):
        correct(CorrectResult(value="B"), history(), learner=erased())
    with pytest.raises(errors.Gone):
        results.withdraw(WithdrawResult(), history(), institution_history(), erased(), at=NOON)
    with pytest.raises(errors.NotFound):
        results.existing([])


# -- mappings


def published(*rules: Rule, **fields: Any) -> PublishMapping:
    return PublishMapping(**{"name": "Moodle", "source": "moodle_csv", "rules": list(rules), **fields})


def rule(**fields: Any) -> Rule:
    return Rule(**{"item": "Exam", "achievement_id": ACHIEVEMENT, "passed": True, **fields})


def publish(wish: PublishMapping, on: list[Recorded], expected: int = 1) -> list[Fact]:
    return versions.publish(wish, on, institution_history(), described(), expected=expected, at=NOON)


def test_a_mapping_pins_the_version_of_the_description_that_it_names() -> None:
    (fact,) = publish(published(rule(result_description="exam"), rule()), [])

    event = fact.event
    assert isinstance(event, MappingPublished)
    assert (event.mapping_version, event.source, event.name) == (1, "moodle_csv", "Moodle")
    assert [one.get("result_description") for one in event.definition["rules"]] == [f"{URL}#exam", None]
    assert [one.get("achievement_version") for one in event.definition["rules"]] == [1, None]


def test_versions_count_up_and_each_counts_from_its_position() -> None:
    first = placed("job/map_a", publish(published(rule()), []))
    both = placed("job/map_a", publish(published(rule(), name="Again"), first, 2), first)

    state = versions.existing(both)
    assert [(at, one.version, one.name) for at, one in state.versions] == [(1, 1, "Moodle"), (2, 2, "Again")]
    assert [one and one.version for one in (state.as_of(1), state.as_of(2), state.as_of(3), state.as_of(None))] == [
        None, 1, 2, 2,
    ]  # fmt: skip
    with pytest.raises(errors.Conflict):
        publish(published(rule()), first, 1)


def test_a_withdrawn_mapping_is_used_and_published_no_more() -> None:
    first = placed("job/map_a", publish(published(rule()), []))
    ended = placed("job/map_a", versions.withdraw(WithdrawMapping(), first, institution_history(), at=NOON), first)

    state = versions.existing(ended)
    assert (state.withdrawn, state.as_of(None), state.as_of(2)) == (True, None, state.newest)
    assert versions.withdraw(WithdrawMapping(), ended, institution_history(), at=NOON) == []
    with pytest.raises(errors.Refused, match="withdrawn"):
        publish(published(rule()), ended, 2)


def test_a_rule_that_names_what_is_not_there_is_pointed_at() -> None:
    with pytest.raises(errors.Refused) as refused:
        publish(published(rule(), rule(result_description="essay")), [])

    assert [error.pointer for error in refused.value.errors] == ["/rules/1/result_description"]
    with pytest.raises(errors.NotFound) as unknown:
        versions.publish(published(rule()), [], institution_history(), [], expected=1, at=NOON)
    assert [error.pointer for error in unknown.value.errors] == ["/rules/0/achievement_id"]


BAD = {
    "a report of another source": (published(rule(passed=False), report="gradebook"), "/report"),
    "a zone that is none": (published(rule(), dates={"zone": "Mars/Olympus"}), "/dates/zone"),
    "a folder of zones": (published(rule(), dates={"zone": "Europe"}), "/dates/zone"),
    "a format without a day": (published(rule(), dates={"format": "%Y"}), "/dates/format"),
    "completion of grades": (published(rule(), report="grades"), "/rules/0/passed"),
    "grades of completion": (published(rule(at_least="5")), "/rules/0/at_least"),
    "an award for nothing": (published(rule(passed=False, gives=("award",))), "/rules/0/gives"),
    "beyond the scale": (
        published(rule(passed=False, at_least="60", of="50"), report="grades"),
        "/rules/0/at_least",
    ),
    "no scale": (published(rule(passed=False, at_least="0", of="0"), report="grades"), "/rules/0/of"),
}


@pytest.mark.parametrize(("wish", "pointer"), BAD.values(), ids=BAD)
def test_a_mapping_that_could_not_work_is_not_published(wish: PublishMapping, pointer: str) -> None:
    wish = msgspec.convert(msgspec.to_builtins(wish), PublishMapping)

    with pytest.raises(errors.Malformed) as refused:
        versions.check(wish)

    assert [error.pointer for error in refused.value.errors] == [pointer]
