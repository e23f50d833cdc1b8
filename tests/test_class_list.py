"""Class lists as people have them: every export of a spreadsheet, and nobody awarded twice."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.class_list import (
    STANDINGS,
    ClassList,
    award_for,
    error_file,
    parse_columns,
    read_class_list,
    row_key,
)
from ledger.errors import Malformed

ACHIEVEMENT = "ach_" + "a" * 26


def values(listed: ClassList) -> list[dict[str, str]]:
    return [row.values for row in listed.rows]


ADA = {"email": "ada@learners.example", "name": "Ada Example"}


@pytest.mark.parametrize(
    "content",
    [
        b"email,name\nada@learners.example,Ada Example\n",
        b"\xef\xbb\xbfE-Mail;Name\r\nada@learners.example;Ada Example\r\n",
        b"Name\tE-mail address\r\nAda Example\tada@learners.example",
        b'"E-Mail","Name"\n"ada@learners.example","Ada Example"\n',
        b"\n\nemail,name\n\n  ,\nada@learners.example , Ada Example\n,\n\n",
        "email;name\nada@learners.example;Ada Example\n".encode("utf-16"),
        b"course,email,name\nclouds,ada@learners.example,Ada Example\n",
    ],
    ids=["plain", "bom-semicolons", "tabs", "quotes", "blank-rows", "utf-16", "other-columns"],
)
def test_every_export_of_a_spreadsheet_reads_the_same(content: bytes) -> None:
    assert values(read_class_list(content)) == [ADA]


def test_a_quoted_cell_holds_separators_quotes_and_lines() -> None:
    listed = read_class_list(b'email;name\na@x.example;"Example; ""Ada""\nthe First"\nb@x.example;Bo\n')

    assert [(row.number, row.line, row.values["name"]) for row in listed.rows] == [
        (1, 2, 'Example; "Ada"\nthe First'),
        (2, 4, "Bo"),
    ]


def test_headings_are_mapped_by_name() -> None:
    content = b"Kontakt,Wer,email\nada@learners.example,Ada Example,old@learners.example\n"

    listed = read_class_list(content, parse_columns("email=Kontakt, name=Wer"))

    assert values(listed) == [ADA]


def test_a_heading_with_a_comma_stands_in_quotes() -> None:
    assert parse_columns('"name=Name, first",email=Mail') == {"name": "Name, first", "email": "Mail"}


@pytest.mark.parametrize("text", ["email", "email=", "grade=Note", "=Mail"])
def test_columns_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(Malformed, match="columns takes field=heading"):
        parse_columns(text)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\n \n", "The file is empty"),
        ("email,name\nada@x.example,Zo\xeb".encode("latin-1"), "not UTF-8"),
        (b"email\0,name\n", "not a text"),
        (b"mark,name\n1,Ada\n", "No column names the learners: there are mark, name"),
        (b"email,mail\na@x.example,b@x.example\n", "More than one column could be email"),
        (b"email,name\na@x.example,Ada,Example\n", "Line 2 has 3 cells and the first line names 2 columns"),
        (b'email,name\na@x.example,"Ada\n', "Line 2 cannot be read as CSV"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        read_class_list(content)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(Malformed, match="There is no column 'E-Post'; there are email, name"):
        read_class_list(b"email,name\na@x.example,Ada\n", {"email": "E-Post"})


def test_who_stands_in_the_list_twice_is_found() -> None:
    listed = read_class_list(
        b"email,student_id,name\n"
        b"ada@x.example,1,Ada\n"
        b"bo@x.example,2,Bo\n"
        b"ADA@x.example,3,Ada again\n"
        b"cy@x.example,2,Bo under another address\n"
        b",,Nobody\n"
        b",,Nobody\n"
    )

    assert [row.repeats for row in listed.rows] == [None, None, 1, 2, None, None]


def test_a_row_becomes_an_award() -> None:
    content = b"email,name,evidence,credits,term\nada@learners.example,Ada Example,https://x.example/1,2.5,Autumn\n"
    (row,) = read_class_list(content).rows

    assert award_for(row, ACHIEVEMENT) == {
        "achievement_id": ACHIEVEMENT,
        "learner": ADA,
        "evidence": [{"id": "https://x.example/1"}],
        "credits_earned": "2.5",
        "term": "Autumn",
    }


def test_a_row_with_an_achievement_of_its_own_keeps_it() -> None:
    (row,) = read_class_list(b"email,achievement_id,external_id\nada@x.example,ach_own,sis-1\n").rows

    assert award_for(row, ACHIEVEMENT)["achievement_id"] == "ach_own"
    assert award_for(row, None)["external_id"] == "sis-1"


def test_a_list_of_awards_has_columns_of_its_own() -> None:
    listed = read_class_list(b"Award ID;Reason code\nawd_a;other\nawd_b;\nawd_a;other\n", layout=STANDINGS)

    assert values(listed)[:2] == [{"award_id": "awd_a", "reason_code": "other"}, {"award_id": "awd_b"}]
    assert listed.rows[2].repeats == 1
    with pytest.raises(Malformed, match="No column names the awards: there are email"):
        read_class_list(b"email\nada@x.example\n", layout=STANDINGS)


def test_keys_follow_from_file_achievement_and_row_alone() -> None:
    digest = read_class_list(b"email\nada@x.example\n").digest
    other = read_class_list(b"email\nada@y.example\n").digest

    keys = [
        row_key(digest, ACHIEVEMENT, 1),
        row_key(digest, ACHIEVEMENT, 2),
        row_key(digest, "ach_" + "b" * 26, 1),
        row_key(other, ACHIEVEMENT, 1),
    ]

    # Changing how keys are made would award every class once more that was awarded before.
    assert keys[0] == "csv-3549bc9693561356c85b22f81427e877-1"
    assert len(set(keys)) == 4


def test_the_error_file_is_a_class_list_again() -> None:
    listed = read_class_list(b'Mail;Name\nada@x.example;Ada\nbad;"Bo; Jr."\n', {"email": "Mail"})

    content = error_file(listed.headings, [(listed.rows[1].cells, "Not an address, it seems")])

    again = read_class_list(content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert again.headings == ("Mail", "Name", "error")
    assert again.rows[0].cells == ("bad", "Bo; Jr.", "Not an address, it seems")
    assert error_file(again.headings, [(again.rows[0].cells, "again")]).decode("utf-8-sig").splitlines() == [
        "Mail,Name,error",
        "bad,Bo; Jr.,again",
    ]


@given(st.lists(st.tuples(st.emails(), st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)), max_size=8))
def test_what_a_writer_of_csv_writes_is_read_back(people: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([("email", "name"), *people])

    listed = read_class_list(text.getvalue().encode())

    assert values(listed) == [{"email": email, "name": name} for email, name in people]
