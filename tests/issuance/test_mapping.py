"""What exports of Moodle, Canvas and OneRoster and xAPI statements lead to: each preset, each encoding, each fault."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.mappings import (
    ACHIEVEMENT,
    COMPLETION,
    DESCRIPTION,
    GRADEBOOK,
    GRADES,
    LINE_ITEMS,
    OTHER,
    OUTCOMES,
    RESULTS,
    USERS,
    archive,
    cells,
    mapping,
    outcomes,
    short,
    statement,
)

from issuance.mapping import RowFault, Unreadable, apply, read
from issuance.mapping.model import moment_of, number_of
from issuance.mapping.statements import compared
from ledger.errors import Malformed

EXAM = {"item": "Final exam", "passed": True}
MORNING = "2026-02-28T08:30:00+00:00"  # 09:30 in Berlin
BERLIN = {"dates": {"zone": "Europe/Berlin"}}


def test_moodles_activity_completion_leads_to_results_and_awards() -> None:
    read_as = mapping("moodle_csv", {**EXAM, "gives": ["result", "award"]}, **BERLIN)

    assert outcomes(read_as, COMPLETION) == [
        [
            ("result", "ada@learner.example", None, "Completed", MORNING),
            ("award", "ada@learner.example", None, MORNING),
        ],
        [],
        [],
    ]


def test_what_was_failed_is_recorded_where_the_rule_says_so() -> None:
    read_as = mapping("moodle_csv", {**EXAM, "gives": ["result", "award"], "record_failed": True})

    assert [[one[:4] for one in row] for row in outcomes(read_as, COMPLETION)][1:] == [
        [("result", "bo@learner.example", None, "Failed")],
        [],
    ]


def test_completed_covers_passed_and_what_a_tutor_set_but_nothing_failed() -> None:
    exam = mapping("moodle_csv", {"item": "Final exam", "completed": True})
    reading = mapping("moodle_csv", {"item": "Reading list", "completed": True})

    assert [len(row) for row in outcomes(exam, COMPLETION)] == [1, 0, 0]
    assert [row and row[0][4] for row in outcomes(reading, COMPLETION)] == [
        "2026-01-10T08:00:00+00:00",
        [],
        "2026-01-11T08:00:00+00:00",
    ]


def test_moodle_in_another_language_names_its_own_words() -> None:
    german = COMPLETION.replace("Completed (achieved pass grade)", "Abgeschlossen (bestanden)")
    states = {"passed": ["Abgeschlossen (bestanden)"]}

    assert outcomes(mapping("moodle_csv", EXAM, states=states), german)[0][0][1] == "ada@learner.example"
    assert list(outcomes(mapping("moodle_csv", EXAM), german)[0]) == ["/Final exam"]


ENCODINGS = {
    "UTF-8 with a byte order mark": GRADES.encode("utf-8-sig"),
    "UTF-16 little-endian": b"\xff\xfe" + GRADES.encode("utf-16-le"),
    "UTF-16 big-endian": b"\xfe\xff" + GRADES.encode("utf-16-be"),
    "CRLF": GRADES.replace("\n", "\r\n").encode(),
    "semicolons": GRADES.replace(",", ";").replace("Well done;", "Well done,").encode(),
    "tabs": GRADES.replace(",", "\t").encode(),
}
GOOD_GRADE = {"item": "Quiz: Final exam (Real)", "at_least": "50", "of": "100"}


@pytest.mark.parametrize("content", ENCODINGS.values(), ids=ENCODINGS)
def test_moodles_grades_are_read_however_they_are_encoded(content: bytes) -> None:
    assert outcomes(mapping("moodle_csv", GOOD_GRADE, report="grades"), content) == [
        [("result", "ada@learner.example", "87.5", "Completed", None)],
        [],
        [],
    ]


def test_decimal_commas_are_read_where_the_mapping_says_so() -> None:
    content = GRADES.replace("87.50", '"87,50"').replace("41.00", '"41,00"')

    with_commas = mapping("moodle_csv", GOOD_GRADE, report="grades", numbers={"decimal": ","})
    assert outcomes(with_commas, content)[0][0][2] == "87.5"
    assert outcomes(mapping("moodle_csv", GOOD_GRADE, report="grades"), content)[0] == {
        "/Quiz: Final exam (Real)": "is no number"
    }


def test_a_percentage_is_on_a_scale_of_a_hundred() -> None:
    content = GRADES.replace("87.50", "87.50 %")

    assert outcomes(mapping("moodle_csv", GOOD_GRADE, report="grades"), content)[0][0][2] == "87.5"
    twenty = mapping("moodle_csv", {**GOOD_GRADE, "of": "20", "at_least": "10"}, report="grades")
    assert outcomes(twenty, content)[0] == {"/Quiz: Final exam (Real)": "is on a scale of 100, the mapping says 20"}


def test_letters_are_results_where_nothing_is_compared() -> None:
    content = GRADES.replace("87.50", "A-")

    assert outcomes(mapping("moodle_csv", {"item": "Quiz: Final exam (Real)"}, report="grades"), content)[0][0][
        2:4
    ] == (
        "A-",
        "Completed",
    )


def test_canvas_gradebook_has_its_points_in_a_row_and_a_test_student() -> None:
    exam = mapping("canvas_csv", {"item": "4711", "at_least": "10", "of": "20", "gives": ["result", "award"]})

    assert outcomes(exam, GRADEBOOK) == [
        [("result", "m-1", "17.5", "Completed", None), ("award", "m-1", "17.5", None)],
        [],
        [],
    ]


def test_canvas_points_that_differ_from_the_mappings_are_a_fault_of_each_row() -> None:
    wrong = mapping("canvas_csv", {"item": "Final exam (4711)", "at_least": "50", "of": "100"})

    assert outcomes(wrong, GRADEBOOK)[0] == {"/Final exam (4711)": "is on a scale of 20, the mapping says 100"}


def test_canvas_names_no_learner_by_another_column_when_the_first_is_empty() -> None:
    content = GRADEBOOK.replace("101,m-1,", "101,,")

    assert outcomes(mapping("canvas_csv", {"item": "4711"}), content)[0] == {"/SIS User ID": "names no learner"}


def test_canvas_by_login_as_e_mail_is_what_the_mapping_says() -> None:
    by_mail = mapping("canvas_csv", {"item": "4711"}, learner={"email": "SIS Login ID"})

    ((kind, data),) = apply(by_mail, read(by_mail, GRADEBOOK.encode())[0].values)  # type: ignore[misc]

    assert (kind, data.learner.email, data.learner.student_id) == ("result", "ada@learner.example", None)
    assert data.learner.name == "Example, Ada"


def test_canvas_outcomes_are_compared_with_mastery() -> None:
    rule = {"item": "Data > Reads charts", "at_least": "3", "of": "3"}

    assert outcomes(mapping("canvas_csv", {**rule, "of": "5"}, report="outcomes"), OUTCOMES)[0] == {
        "/Data > Reads charts result": "is on a scale of 3, the mapping says 5"
    }
    unscaled = mapping("canvas_csv", {"item": "Data > Reads charts", "at_least": "3"}, report="outcomes")
    assert [bool(row) for row in outcomes(unscaled, OUTCOMES)] == [True, False, False]


def test_oneroster_alone_names_learners_by_their_sourced_ids() -> None:
    exam = mapping("oneroster_csv", {"item": "li-exam", "at_least": "10", "of": "20"})

    assert outcomes(exam, RESULTS) == [
        [("result", "u-1", "17.5", "Completed", "2026-02-28T12:00:00+00:00")],
        [],
        [],
        [],
        {"/status": "was deleted there: withdraw the result here"},
    ]


def test_a_oneroster_set_is_joined_with_its_users_and_line_items() -> None:
    packed = archive(results=RESULTS, users=USERS, lineItems=LINE_ITEMS)
    exam = mapping("oneroster_csv", {"item": "li-exam", "at_least": "10", "of": "20"})

    ((_, data),) = apply(exam, read(exam, packed)[0].values)  # type: ignore[misc]

    assert (data.learner.email, data.learner.student_id, data.learner.name) == (
        "ada@learner.example", "m-1", "Ada Example",
    )  # fmt: skip
    wrong = mapping("oneroster_csv", {"item": "li-exam", "at_least": "50", "of": "100"})
    assert outcomes(wrong, packed)[0] == {"/score": "is on a scale of 20, the mapping says 100"}


ACTIVITY = {"item": "https://lms.nova.example/exam"}


@pytest.mark.parametrize(
    ("rule", "said", "expected"),
    [
        ({"passed": True}, statement("passed"), "87.5"),
        ({"passed": True}, statement("completed"), None),
        ({"passed": True}, statement("completed", result={"success": True}), "none"),
        ({"completed": True}, statement("completed", result=...), "none"),
        ({"completed": True}, statement("failed"), None),
        ({"completed": True}, statement("passed", result={"success": False}), None),
        ({"at_least": "80", "of": "100"}, statement("scored"), "87.5"),
        ({"at_least": "90", "of": "100"}, statement("scored"), None),
        ({"at_least": "80", "of": "100"}, statement("scored", result={"score": {"scaled": 0.9}}), "90"),
        ({"at_least": "0.8"}, statement("scored", result={"score": {"scaled": 0.9}}), "0.9"),
    ],
)
def test_statements_reach_what_their_rule_asks(
    rule: dict[str, Any], said: dict[str, Any], expected: str | None
) -> None:
    (row,) = outcomes(mapping("xapi", {**ACTIVITY, **rule}), msgspec.json.encode(said))

    value = None if expected == "none" else expected
    when = "2026-02-28T09:00:00+00:00"
    assert row == ([] if expected is None else [("result", "ada@learner.example", value, "Completed", when)])


def test_accounts_of_another_home_page_are_nobody_here() -> None:
    account = {"account": {"homePage": "https://lms.nova.example", "name": "m-1"}}
    own = mapping("xapi", ACTIVITY, learner={"account_home_page": "https://lms.nova.example"})
    said = [statement(actor=account)]
    foreign = [statement(actor={"account": {**account["account"], "homePage": "https://elsewhere.example"}})]

    assert outcomes(own, msgspec.json.encode(said))[0][0][1] == "m-1"
    assert list(outcomes(own, msgspec.json.encode(foreign))[0]) == ["/actor.account.homePage"]


REFUSED = {
    "a hashed address": (statement(actor={"mbox_sha1sum": "ab" * 20}), "/actor/mbox_sha1sum"),
    "two names": (statement(actor={"mbox": "mailto:a@b.example", "openid": "https://a.example"}), "/actor"),
    "nobody": (statement(actor={"name": "Ada"}), "/actor"),
    "a group": (statement(actor={"objectType": "Group", "mbox": "mailto:g@b.example"}), "/actor"),
    "no verb": (statement(verb=...), ""),
    "a verb that is no IRI": (statement(verb={"id": "passed"}), "/verb/id"),
    "an id that is no UUID": (statement(id="1"), "/id"),
    "a null": (statement(result={"score": None}), "/result/score"),
    "an unknown member": (statement(other=1), ""),
    "no time": (statement(timestamp="yesterday"), "/timestamp"),
    "a scale beyond one": (statement(result={"score": {"scaled": 1.5}}), "/result/score/scaled"),
    "voiding no statement": (statement("voided"), "/object"),
    "an agent as object": (statement(object={"objectType": "Agent", "mbox": "mailto:b@b.example"}), "/object"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "pointer"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_statement_that_can_be_taken_is_pointed_at(said: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(mapping("xapi", ACTIVITY), msgspec.json.encode([statement(id=...), said]))

    assert [error.pointer for error in refused.value.errors] == [f"/1{pointer}"]


def test_two_statements_of_a_batch_have_two_ids() -> None:
    with pytest.raises(Malformed, match="the same id"):
        read(mapping("xapi", ACTIVITY), msgspec.json.encode([statement(), statement()]))


def test_statements_are_compared_without_what_the_standard_leaves_out() -> None:
    same = {
        "timestamp": "2026-02-28T09:00:00Z",
        "stored": "2026-03-01T00:00:00Z",
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed", "display": {"de": "bestanden"}},
        "object": {"id": "https://lms.nova.example/exam"},
        "authority": {"mbox": "mailto:lms@nova.example"},
    }

    assert compared(statement(**same)) == compared(statement())
    assert compared(statement(result={"score": {"raw": 88}})) != compared(statement())
    assert compared(statement(actor={"mbox": "mailto:bo@learner.example"})) != compared(statement())


def test_a_rule_that_names_a_description_carries_it_into_result_and_award() -> None:
    rule = {**EXAM, "gives": ["result", "award"], "result_description": DESCRIPTION, "achievement_version": 1}
    read_as = mapping("moodle_csv", rule)

    (_, result), (_, award) = apply(read_as, read(read_as, COMPLETION.encode())[0].values)  # type: ignore[misc]

    assert (result.result_description, result.achievement_version) == (DESCRIPTION, 1)
    assert (award.results[0].result_description, award.achievement_version) == (DESCRIPTION, 1)
    assert (award.achievement_id, award.on_duplicate, award.learner.name) == (ACHIEVEMENT, "return", "Ada Example")


def test_several_rules_read_one_row_and_all_their_faults_are_told() -> None:
    two = mapping("moodle_csv", {"item": "No such", "completed": True}, {"item": "Final exam", "passed": True},
                  {"item": "Reading list", "completed": True, "achievement_id": OTHER, "date": "Nor this"})  # fmt: skip

    assert outcomes(two, COMPLETION)[0] == {
        "/No such": "is not a column of this file",
        "/Nor this": "is not a column of this file",
    }


def test_the_same_outcome_has_the_same_name_and_another_grade_another() -> None:
    graded = mapping("moodle_csv", {"item": "Quiz: Final exam (Real)"}, report="grades")

    def name(content: str) -> str:
        ((_, data),) = apply(graded, read(graded, content.encode())[0].values)  # type: ignore[misc]
        return str(data.external_id)

    assert name(GRADES) == name(GRADES.replace("ada@", "Ada@").replace("1772359200", "1772445600"))
    assert name(GRADES) != name(GRADES.replace("87.50", "88.00"))
    assert "ada" not in name(GRADES)


UNREADABLE = {
    "nothing": (b"", "empty"),
    "no text": (b"a,b\0\n", "not a text"),
    "Latin-1": ("Größe,b\n".encode("latin-1"), "not UTF-8"),
    "an open quote": (b'"a,b\nc', "Line 1 cannot be read"),
    "more cells than columns": (b"Email address,Final exam\na,b,c\n", "Line 2 has 3 cells"),
    "one name for two activities": (b",Final exam,,Final exam,\nAda,Completed,,Completed,\n", "Two columns"),
}


@pytest.mark.parametrize(("content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_what_it_should_is_refused_in_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(mapping("moodle_csv", EXAM), content)


def test_a_list_of_mended_canvas_rows_has_no_points_to_compare_with() -> None:
    mended = "\n".join([GRADEBOOK.split("\n")[0], *GRADEBOOK.split("\n")[3:]])

    whole = mapping("canvas_csv", {"item": "4711", "at_least": "10", "of": "20"})
    assert outcomes(whole, mended) == outcomes(whole, GRADEBOOK)


def test_archives_without_results_or_that_are_none_are_refused() -> None:
    with pytest.raises(Unreadable, match=r"no results\.csv"):
        read(mapping("oneroster_csv", {"item": "li"}), archive(users=USERS))
    with pytest.raises(Unreadable, match="cannot be read"):
        read(mapping("oneroster_csv", {"item": "li"}), b"PK\x03\x04 and then nothing")
    with pytest.raises(Unreadable, match="MiB"):
        read(mapping("oneroster_csv", {"item": "li"}), archive(results="x" * (65 * 2**20)))


COLUMNS = ["Email address", "ID number", "Full name", "Final exam", "Final exam (date)", "score", "scoreStatus",
           "status", "lineItemSourcedId", "studentSourcedId", "scoreDate", "SIS User ID",
           "Final exam (points possible)", "verb",
           "activity", "actor.mbox", "result.score.raw", "result.score.scaled", "timestamp"]  # fmt: skip
RULES = [
    {"item": "Final exam", "gives": ["result", "award"], "at_least": "5", "of": "10"},
    {"item": "Final exam", "completed": True, "record_failed": True},
    {"item": "Final exam", "date": "scoreDate"},
]
SOURCES = [("moodle_csv", "activity_completion"), ("moodle_csv", "grades"), ("canvas_csv", "gradebook"),
           ("canvas_csv", "outcomes"), ("oneroster_csv", "results"), ("xapi", "statements")]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["Final exam", "Completed", "fully graded", "7", "1e5", "nan", "2026-02-28", "a@b.example", "passed"]
    ),
)


@given(
    st.sampled_from(SOURCES),
    st.lists(st.sampled_from(RULES), min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(COLUMNS), TEXTS),
    st.sampled_from([None, "iso", "unix", "%d.%m.%Y", "%Y"]),
)
def test_whatever_a_record_holds_there_are_actions_or_faults(
    source: tuple[str, str], rules: list[dict[str, Any]], record: dict[str, str], form: str | None
) -> None:
    dates = {"format": form} if form else {}
    read_as = mapping(source[0], *rules, report=source[1], dates={**dates, "zone": "Asia/Kathmandu"})

    applied = apply(read_as, record)

    if isinstance(applied, RowFault):
        assert applied.errors
        assert all(error.pointer.startswith("/") and error.detail for error in applied.errors)
    else:
        assert applied == apply(read_as, dict(record))
        assert [kind for kind, _ in applied] == [one[0] for one in short(applied)]


@given(st.binary(max_size=300))
def test_whatever_bytes_come_there_are_records_or_a_sentence(content: bytes) -> None:
    for source, report in SOURCES:
        with suppress(Malformed):  # and nothing else
            found = read(mapping(source, {"item": "Final exam"}, report=report), content)
            assert [record for record in found if not isinstance(record.values, dict)] == []


@given(st.decimals(min_value=-(10**8), max_value=10**8, places=2), st.sampled_from([".", ","]))
def test_numbers_are_read_as_they_are_written(number: Any, decimal: str) -> None:
    assert number_of(f" {number} ".replace(".", decimal), decimal) == number


@pytest.mark.parametrize(
    ("text", "form", "zone", "moment"),
    [
        ("2026-02-28", "iso", "Pacific/Auckland", "2026-02-27T23:00:00+00:00"),
        ("2026-02-28T10:00:00+01:00", "iso", "UTC", "2026-02-28T09:00:00+00:00"),
        ("28.02.2026", "%d.%m.%Y", "Europe/Berlin", "2026-02-28T11:00:00+00:00"),
        ("02/28/26 3:05 PM", "%m/%d/%y %I:%M %p", "America/New_York", "2026-02-28T20:05:00+00:00"),
        ("1772359200", "unix", "UTC", "2026-03-01T10:00:00+00:00"),
        ("31.02.2026", "%d.%m.%Y", "UTC", None),
        ("0001-01-01", "iso", "Asia/Tokyo", "0001-01-01T02:41:01+00:00"),
        ("9" * 30, "unix", "UTC", None),
    ],
)
def test_dates_are_read_in_their_zone(text: str, form: str, zone: str, moment: str | None) -> None:
    found = moment_of(text, form, zone)

    assert (found.isoformat() if found else None) == moment


def test_a_record_without_learner_columns_says_which_is_missing() -> None:
    assert short(apply(mapping("moodle_csv", EXAM), cells(**{"Final exam": "Completed (achieved pass grade)"}))) == {
        "/Email address": "names no learner"
    }
