"""What a record says of one item: a grade, a state, a time. One reader a kind of export."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal

import msgspec

from issuance.mapping.model import Mapping as MappingVersion
from issuance.mapping.model import Rule, States, number_of

State = Literal["completed", "passed", "failed", "not_completed"]
ENGLISH: Final[dict[State, tuple[str, ...]]] = {
    "passed": ("Completed (achieved pass grade)",),
    "failed": ("Completed (did not achieve pass grade)",),
    "not_completed": ("Not completed",),
    "completed": ("Completed",),
}
NO_GRADE: Final = {"grades": {"", "-"}, "gradebook": {"", "N/A", "EX"}, "outcomes": {""}}
POSSIBLE: Final = {"gradebook": "{item} (points possible)", "outcomes": "{item} mastery points"}
GRADED: Final = "fully graded"
# OneRoster 1.2, ScoreStatusEnum: what is no result yet.
UNGRADED: Final = frozenset({"exempt", "not submitted", "partially graded", "submitted"})
REACHED_BY_VERB: Final[dict[str, State]] = {"completed": "completed", "passed": "passed", "failed": "failed"}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came out of an item: the grade as text and as a number, the scale's end, and the state, as far as said."""

    column: str
    text: str | None = None
    grade: Decimal | None = None
    of: Decimal | None = None
    state: State | None = None


class Unread(Exception):
    """A cell that cannot be read: its column, and what is wrong there."""

    def __init__(self, column: str, detail: str) -> None:
        super().__init__(detail)
        self.column, self.detail = column, detail


Reader = Callable[[MappingVersion, Rule, Mapping[str, str]], Outcome | None]


def outcome_of(mapping: MappingVersion, rule: Rule, record: Mapping[str, str]) -> Outcome | None:
    """What the record says of the rule's item; None where it says nothing of it yet. Raises Unread."""
    return READERS[mapping.report](mapping, rule, record)


def _completion(mapping: MappingVersion, rule: Rule, record: Mapping[str, str]) -> Outcome | None:
    cell = _cell(record, rule.item)
    state = _state_in(cell, mapping.definition.states)
    if state is None:
        said = "is not one of the states that this mapping knows: name the words of your language in `states`"
        raise Unread(rule.item, said)
    return None if state == "not_completed" else Outcome(column=rule.item, state=state)


def _state_in(cell: str, states: States) -> State | None:
    """The state that a cell names; "(set by …)" behind it names a person and says nothing more."""
    words = {state: getattr(states, state) or english for state, english in ENGLISH.items()}
    for state, known in words.items():
        if cell in known:
            return state
    for state in ("not_completed", "completed"):
        if any(cell.startswith(f"{word} (") for word in words[state]):
            return state
    return None


def _grade(mapping: MappingVersion, rule: Rule, record: Mapping[str, str]) -> Outcome | None:
    column = item_column(mapping.report, rule.item, record)
    cell = _cell(record, column)
    if cell in NO_GRADE[mapping.report]:
        return None
    of = record.get(POSSIBLE.get(mapping.report, "").format(item=column.removesuffix(" result")), "")
    decimal = mapping.definition.numbers.decimal
    grade = number_of(cell, decimal)
    if mapping.report == "grades" and cell.endswith("%"):
        return Outcome(column=column, text=cell, grade=grade, of=Decimal(100))
    return Outcome(column=column, text=cell, grade=grade, of=number_of(of, decimal))


def _oneroster(mapping: MappingVersion, rule: Rule, record: Mapping[str, str]) -> Outcome | None:
    if record.get("lineItemSourcedId", "").strip() != rule.item:
        return None
    if record.get("status", "").strip() == "tobedeleted":
        raise Unread("status", "was deleted there: withdraw the result here")
    status = _cell(record, "scoreStatus").lower()
    if status in UNGRADED:
        return None
    if status != GRADED:
        raise Unread("scoreStatus", "is not one of OneRoster's")
    score, text = record.get("score", "").strip(), record.get("textScore", "").strip()
    column = "score" if score else "textScore"
    grade = number_of(score, ".")  # a float of the CSV binding, whatever the language
    if score and grade is None:
        raise Unread("score", "is no number")
    maximum = number_of(record.get("lineItem.resultValueMax", ""), ".")
    return Outcome(column=column, text=score or text or None, grade=grade, of=maximum, state="completed")


def _statement(mapping: MappingVersion, rule: Rule, record: Mapping[str, str]) -> Outcome | None:
    if record.get("activity", "") != rule.item or "verb" not in record:  # other verbs say nothing of an outcome
        return None
    raw, scaled = (number_of(record.get(f"result.score.{name}", ""), ".") for name in ("raw", "scaled"))
    of, scale = number_of(record.get("result.score.max", ""), "."), Decimal(rule.of or 1)
    grade = raw if raw is not None else None if scaled is None else scaled * scale
    column = "result.score.raw" if raw is not None else "result.score.scaled"
    state = REACHED_BY_VERB.get(record.get("verb", ""))
    if record.get("result.success") == "false":
        state = "failed"
    elif record.get("result.success") == "true":
        state = "passed"
    elif state is None and record.get("result.completion") == "true":
        state = "completed"
    return Outcome(column=column, grade=grade, of=of if raw is not None else None, state=state)


def item_column(report: str, item: str, record: Mapping[str, str]) -> str:
    """The column of an item. Canvas' assignments may be named by their number alone, since titles change; its outcomes
    and Moodle's items by their whole heading."""
    if report == "outcomes" and item not in record:
        return f"{item} result"
    if report == "gradebook" and item not in record:
        return next((column for column in record if column.endswith(f" ({item})")), item)
    return item


def _cell(record: Mapping[str, str], column: str) -> str:
    if column not in record:
        raise Unread(column, "is not a column of this file")
    return record[column].strip()


READERS: Final[dict[str, Reader]] = {
    "activity_completion": _completion,
    "grades": _grade,
    "gradebook": _grade,
    "outcomes": _grade,
    "results": _oneroster,
    "statements": _statement,
}
