"""A class list as institutions export it: CSV text → rows to award, without reading anything but the bytes. ● Pure.

Rules. UTF-8 with or without a byte order mark, or UTF-16 with one; any other encoding is refused, since a guess would
misspell names. Separated by comma, semicolon or tab: the one that splits the first line into the most columns. Blank
rows are nothing. A column is found by its heading, letter case and punctuation aside; `columns` says which heading
means what where the headings are not ours. A row's key follows from the bytes of the file, the achievement and the
row's number, so that the same file awards nobody twice. Somebody who stands in the list twice is awarded once.
"""

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ledger.cli.failure import USAGE, Failure

DELIMITERS: Final = (",", ";", "\t")
LEARNER: Final = ("email", "name", "student_id", "did")
# Field → the headings that name it without being told; the first is the field's own.
HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "email": ("email", "emailaddress", "mail"),
    "name": ("name", "fullname", "learner", "student"),
    "student_id": ("studentid", "studentnumber", "matriculationnumber"),
    "did": ("did",),
    "narrative": ("narrative",),
    "evidence": ("evidence", "evidenceurl"),
    "credits_earned": ("creditsearned", "credits"),
    "license_number": ("licensenumber",),
    "term": ("term",),
    "awarded_date": ("awardeddate",),
    "valid_from": ("validfrom",),
    "valid_until": ("validuntil", "expires"),
}
IDENTIFIERS: Final = ("email", "did", "student_id")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One learner: the row's number among those that are not blank (from 1), the line it begins on, its cells by
    field, the cells as they stand in the file, and the row that names the same learner before it, if one does."""

    number: int
    line: int
    values: dict[str, str]
    cells: tuple[str, ...]
    repeats: int | None = None


class ClassList(msgspec.Struct, frozen=True, kw_only=True):
    """A class list: SHA-256 of its bytes, its headings as they stand there, and its rows."""

    digest: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def read_class_list(content: bytes, columns: Mapping[str, str] | None = None) -> ClassList:
    """The list in a file's bytes; `columns` maps a field to the heading that holds it. Raises Failure."""
    text = _text(content)
    records = list(_records(text))
    if not records:
        raise Failure("The file is empty: its first line must name the columns.")
    (_, headings), *lines = records
    places = _places(headings, columns or {})
    rows: list[Row] = []
    known: dict[tuple[str, str], int] = {}
    for number, (line, cells) in enumerate(lines, 1):
        if len(cells) > len(headings):
            raise Failure(
                f"Line {line} has {len(cells)} cells and the first line names {len(headings)} columns: put the text "
                "that holds a separator in quotes."
            )
        values = {field: cells[at].strip() for field, at in places.items() if at < len(cells) and cells[at].strip()}
        names = [(kind, values[kind].casefold()) for kind in IDENTIFIERS if kind in values]
        repeats = min((known[name] for name in names if name in known), default=None)
        known |= {name: number for name in names if name not in known}
        rows.append(Row(number=number, line=line, values=values, cells=tuple(cells), repeats=repeats))
    return ClassList(digest=hashlib.sha256(content).hexdigest(), headings=tuple(headings), rows=tuple(rows))


def row_key(digest: str, achievement_id: str, number: int) -> str:
    """The Idempotency-Key of a row: the same file, achievement and row give the same one, whatever the file is
    called."""
    return f"csv-{hashlib.sha256(f'{digest}/{achievement_id}'.encode()).hexdigest()[:32]}-{number}"


def award_for(row: Row, achievement_id: str) -> dict[str, Any]:
    """The body of `POST /v1/awards` for a row."""
    learner = {field: row.values[field] for field in LEARNER if field in row.values}
    rest = {field: value for field, value in row.values.items() if field not in (*LEARNER, "evidence")}
    evidence = {"evidence": [{"id": row.values["evidence"]}]} if "evidence" in row.values else {}
    return {"achievement_id": achievement_id, "learner": learner, **rest, **evidence}


def parse_columns(text: str) -> dict[str, str]:
    """`email=E-Mail,name=Name` → field → heading; a heading with a comma stands in quotes. Raises Failure."""
    pairs = next(csv.reader([text], skipinitialspace=True), [])
    found: dict[str, str] = {}
    for pair in pairs:
        field, equals, heading = pair.partition("=")
        if not equals or field.strip() not in HEADINGS or not heading.strip():
            raise Failure(
                f"--columns takes field=heading, separated by commas; fields are {', '.join(HEADINGS)}.", USAGE
            )
        found[field.strip()] = heading.strip()
    return found


def error_file(headings: Sequence[str], failed: Sequence[tuple[Row, str]]) -> bytes:
    """The rows that were not awarded, as a class list of their own with a last column that says why: mend the rows
    and award this file."""
    text = io.StringIO()
    writer = csv.writer(text)
    # A list that was itself an error file gets its reasons anew.
    keep = [at for at, heading in enumerate(headings) if heading != "error"]
    writer.writerow([*(headings[at] for at in keep), "error"])
    for row, reason in failed:
        writer.writerow([*(row.cells[at] if at < len(row.cells) else "" for at in keep), reason])
    return "\ufeff".encode() + text.getvalue().encode()


def _text(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Failure('The file is not UTF-8: save it as "CSV UTF-8" and try again.') from error
    if "\0" in text:
        raise Failure('The file is not a text: save it as "CSV UTF-8" and try again.')
    return text


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Each record that is not blank, with the line on which it begins."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, begins = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Failure(f"Line {begins} cannot be read as CSV: {error}.") from error
    return found


def _places(headings: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each field stands. Raises Failure for a heading that is not there, is there twice, or names nobody."""
    plain = [_plain(heading) for heading in headings]
    places: dict[str, int] = {}
    for field, names in HEADINGS.items():
        wanted = [_plain(columns[field])] if field in columns else names
        found = [at for at, heading in enumerate(plain) if heading in wanted and heading]
        if field in columns and not found:
            raise Failure(f"There is no column {columns[field]!r}; there are {', '.join(headings)}.", USAGE)
        if len(found) > 1:
            raise Failure(f"More than one column could be {field}: name it with --columns {field}=….", USAGE)
        if found and (field in columns or found[0] not in places.values()):
            places[field] = found[0]
    if not any(kind in places for kind in IDENTIFIERS):
        raise Failure(
            f"No column names the learners: there are {', '.join(headings)}. Say which one does, for example "
            f"--columns email={headings[0]}.",
            USAGE,
        )
    return places


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", "", heading.casefold())
