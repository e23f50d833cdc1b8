"""The life of a job, and how a list becomes rows."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, placed

from issuance.jobs import rows, rules
from ledger import errors
from ledger.codec import Recorded
from ledger.events import JobCreated

Step = Callable[[list[Recorded]], Any]
STREAM = "job/job_" + "a" * 26
CHANGES: dict[str, Step] = {
    "start": lambda history: rules.start(history, at=NOON),
    "pause": lambda history: rules.pause(history, at=NOON),
    "resume": lambda history: rules.resume(history, at=NOON),
    "cancel": lambda history: rules.cancel(history, at=NOON),
    "checked": lambda history: rules.checked({"ready": 3}, history, at=NOON),
    "complete": lambda history: rules.complete({"awarded": 3}, history, at=NOON),
}


def job(*steps: str, dry_run: bool = False) -> list[Recorded]:
    """A job after these changes."""
    created = JobCreated(kind="awards", form="csv", rows=3, dry_run=dry_run)
    history = placed(STREAM, rules.create(created, [], at=NOON))
    for step in steps:
        history = placed(STREAM, CHANGES[step](history), history)
    return history


def state(*steps: str, dry_run: bool = False) -> str:
    return rules.existing(job(*steps, dry_run=dry_run)).state


@pytest.mark.parametrize(
    ("steps", "dry_run", "expected"),
    [
        ((), False, "checking"),
        (("checked",), False, "running"),
        (("checked",), True, "checked"),
        (("checked", "start"), True, "running"),
        (("pause",), False, "paused"),
        (("pause", "resume"), False, "checking"),
        (("checked", "pause", "resume"), False, "running"),
        (("checked", "complete"), False, "completed"),
        (("checked", "cancel"), True, "cancelled"),
        (("pause", "cancel", "checked"), False, "cancelled"),
        (("checked", "pause", "complete"), False, "paused"),
    ],
)
def test_a_job_is_what_its_changes_made_it(steps: tuple[str, ...], dry_run: bool, expected: str) -> None:
    assert state(*steps, dry_run=dry_run) == expected


@pytest.mark.parametrize(
    ("steps", "dry_run", "change"),
    [
        ((), True, "start"),
        (("pause",), False, "start"),
        (("checked",), True, "pause"),
        (("checked",), True, "resume"),
        (("checked", "complete"), False, "pause"),
        (("checked", "complete"), False, "cancel"),
        (("cancel",), False, "resume"),
    ],
)
def test_what_makes_no_sense_now_is_refused(steps: tuple[str, ...], dry_run: bool, change: str) -> None:
    with pytest.raises(errors.Refused, match="This job is "):
        CHANGES[change](job(*steps, dry_run=dry_run))


@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=12), st.booleans())
def test_what_ended_stays_ended_and_the_same_twice_records_once(steps: list[str], dry_run: bool) -> None:
    history = job(dry_run=dry_run)
    for step in steps:
        before = rules.existing(history).state
        try:
            facts = CHANGES[step](history)
        except errors.Refused:
            continue
        history = placed(STREAM, facts, history)
        if before in rules.ENDED:
            assert not facts
        assert len(facts) <= 1
        if step in ("start", "pause", "resume", "cancel"):
            assert CHANGES[step](history) == []


def test_a_csv_row_and_a_json_line_of_the_same_award_are_the_same_body() -> None:
    table = b"email,name,term,error\nada@x.example,Ada,Autumn,was wrong\n"
    lines = msgspec.json.encode({"learner": {"email": "ada@x.example", "name": "Ada"}, "term": "Autumn", "error": "x"})

    from_csv = rows.read(table, "csv", "awards", {}, "ach_a").rows[0]
    from_json = rows.read(lines, "ndjson", "awards", {}, "ach_a").rows[0]

    assert from_csv.body == from_json.body == {
        "achievement_id": "ach_a",
        "learner": {"email": "ada@x.example", "name": "Ada"},
        "term": "Autumn",
    }  # fmt: skip


def test_the_same_learner_counts_once_for_an_achievement_and_once_for_each_other() -> None:
    bodies = [
        {"learner": {"email": "a@x.example"}},
        {"learner": {"email": "A@x.example"}},
        {"learner": {"email": "a@x.example"}, "achievement_id": "ach_b"},
        {"learner": {"student_id": "a@x.example"}},
    ]
    content = b"\n".join(map(msgspec.json.encode, bodies))

    sent = rows.read(content, "ndjson", "awards", {}, "ach_a")

    assert [row.repeats for row in sent.rows] == [None, 1, None, None]


def test_a_list_that_is_too_long_says_how_to_go_on() -> None:
    content = b"email\n" + b"a@x.example\n" * (rows.ROWS_LIMIT + 1)

    with pytest.raises(errors.Malformed, match="split it"):
        rows.read(content, "csv", "awards", {}, None)
