"""A list as institutions export it: CSV text → rows, without reading anything but the bytes. ● Pure.

A class list names learners to award, another one awards whose standing changes: a `Layout` says which columns it may
have.

Rules. UTF-8 with or without a byte order mark, or UTF-16 with one; any other encoding is refused, since a guess would
misspell names. Separated by comma, semicolon or tab: the one that splits the first line into the most columns. Blank
rows are nothing. A column is found by its heading, letter case and punctuation aside; `columns` says which heading
means what where the headings are not ours. A row's key follows from the bytes of the file, the achievement and the
row's number, so that the same file awards nobody twice. Somebody who stands in the list twice is awarded once. What
cannot be read is `Malformed`, in one sentence.
"""

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ledger.errors import Malformed

DELIMITERS: Final = (",", ";", "\t")
LEARNER: Final = ("email", "name", "student_id", "did")


class Layout(msgspec.Struct, frozen=True):
    """Which columns a list may have: field → the headings that name it without being told, the first its own. One of
    `any_of` must be there, since it names what each row is about (`what`, in plural)."""

    fields: Mapping[str, tuple[str, ...]]
    any_of: tuple[str, ...]
    what: str


_AWARD_FIELDS: Final[dict[str, tuple[str, ...]]] = {
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
    "external_id": ("externalid", "sourcedid"),
    "achievement_id": ("achievementid",),
}
AWARDS: Final = Layout(_AWARD_FIELDS, ("email", "did", "student_id"), "learners")
RESULTS: Final = Layout(
    {name: _AWARD_FIELDS[name] for name in ("email", "name", "student_id", "did", "external_id", "achievement_id")}
    | {
        "result_description": ("resultdescription",),
        "value": ("value", "grade", "score"),
        "status": ("status",),
        "achieved_level": ("achievedlevel", "level"),
        "assessed_at": ("assessedat",),
        "source": ("source",),
    },
    ("email", "did", "student_id"),
    "learners",
)
STANDINGS: Final = Layout(
    {
        "award_id": ("awardid", "award"),
        "external_id": ("externalid", "sourcedid"),
        "reason_code": ("reasoncode",),
        "reason": ("reason",),
        "authority": ("authority",),
        "effective": ("effective", "effectivedate"),
    },
    ("award_id", "external_id"),
    "awards",
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One learner or award: the row's number among those that are not blank (from 1), the line it begins on, its cells
    by field, the cells as they stand in the file, and the row that names the same one before it, if one does."""

    number: int
    line: int
    values: dict[str, str]
    cells: tuple[str, ...]
    repeats: int | None = None


class ClassList(msgspec.Struct, frozen=True, kw_only=True):
    """A list: SHA-256 of its bytes, its headings as they stand there, and its rows."""

    digest: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def read_class_list(content: bytes, columns: Mapping[str, str] | None = None, layout: Layout = AWARDS) -> ClassList:
    """The list in a file's bytes; `columns` maps a field to the heading that holds it. Raises Malformed."""
    text = _text(content)
    records = list(_records(text))
    if not records:
        raise Malformed("The file is empty: its first line must name the columns.")
    (_, headings), *lines = records
    places = _places(headings, columns or {}, layout)
    rows: list[Row] = []
    known: dict[tuple[str, str, str], int] = {}
    for number, (line, cells) in enumerate(lines, 1):
        if len(cells) > len(headings):
            raise Malformed(
                f"Line {line} has {len(cells)} cells and the first line names {len(headings)} columns: put the text "
                "that holds a separator in quotes."
            )
        values = {field: cells[at].strip() for field, at in places.items() if at < len(cells) and cells[at].strip()}
        of = values.get("achievement_id", "")  # in a list for several achievements each is one's own
        names = [(kind, values[kind].casefold(), of) for kind in layout.any_of if kind in values]
        repeats = min((known[name] for name in names if name in known), default=None)
        known |= {name: number for name in names if name not in known}
        rows.append(Row(number=number, line=line, values=values, cells=tuple(cells), repeats=repeats))
    return ClassList(digest=hashlib.sha256(content).hexdigest(), headings=tuple(headings), rows=tuple(rows))


def row_key(digest: str, achievement_id: str, number: int) -> str:
    """The Idempotency-Key of a row: the same file, achievement and row give the same one, whatever the file is
    called."""
    return f"csv-{hashlib.sha256(f'{digest}/{achievement_id}'.encode()).hexdigest()[:32]}-{number}"


def award_for(row: Row, achievement_id: str | None) -> dict[str, Any]:
    """The body of `POST /v1/awards` for a row; a row's own achievement goes before the list's."""
    learner = {field: row.values[field] for field in LEARNER if field in row.values}
    rest = {field: value for field, value in row.values.items() if field not in (*LEARNER, "evidence")}
    evidence = {"evidence": [{"id": row.values["evidence"]}]} if "evidence" in row.values else {}
    listed = {} if achievement_id is None else {"achievement_id": achievement_id}
    return {**listed, "learner": learner, **rest, **evidence}


def parse_columns(text: str, layout: Layout = AWARDS) -> dict[str, str]:
    """`email=E-Mail,name=Name` → field → heading; a heading with a comma stands in quotes. Raises Malformed."""
    pairs = next(csv.reader([text], skipinitialspace=True), [])
    found: dict[str, str] = {}
    for pair in pairs:
        field, equals, heading = pair.partition("=")
        if not equals or field.strip() not in layout.fields or not heading.strip():
            raise Malformed(f"columns takes field=heading, separated by commas; fields are {', '.join(layout.fields)}.")
        found[field.strip()] = heading.strip()
    return found


def error_file(headings: Sequence[str], failed: Sequence[tuple[Sequence[str], str]]) -> bytes:
    """The rows that were refused, as a list of their own (cells as sent) with a last column that says why: mend the
    rows and send this file."""
    text = io.StringIO()
    writer = csv.writer(text)
    # A list that was itself an error file gets its reasons anew.
    keep = [at for at, heading in enumerate(headings) if heading != "error"]
    writer.writerow([*(headings[at] for at in keep), "error"])
    for cells, reason in failed:
        writer.writerow([*(cells[at] if at < len(cells) else "" for at in keep), reason])
    return "\ufeff".encode() + text.getvalue().encode()


def _text(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Malformed('The file is not UTF-8: save it as "CSV UTF-8" and try again.') from error
    if "\0" in text:
        raise Malformed('The file is not a text: save it as "CSV UTF-8" and try again.')
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
        raise Malformed(f"Line {begins} cannot be read as CSV: {error}.") from error
    return found


def _places(headings: Sequence[str], columns: Mapping[str, str], layout: Layout) -> dict[str, int]:
    """Where each field stands. Raises Malformed for a heading that is not there, is there twice, or names nobody."""
    plain = [_plain(heading) for heading in headings]
    places: dict[str, int] = {}
    for field, names in layout.fields.items():
        wanted = [_plain(columns[field])] if field in columns else names
        found = [at for at, heading in enumerate(plain) if heading in wanted and heading]
        if field in columns and not found:
            raise Malformed(f"There is no column {columns[field]!r}; there are {', '.join(headings)}.")
        if len(found) > 1:
            raise Malformed(f"More than one column could be {field}: name the right one with columns {field}=….")
        if found and (field in columns or found[0] not in places.values()):
            places[field] = found[0]
    if not any(kind in places for kind in layout.any_of):
        raise Malformed(
            f"No column names the {layout.what}: there are {', '.join(headings)}. Say which one does, for example "
            f"columns {layout.any_of[0]}={headings[0]}."
        )
    return places


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", "", heading.casefold())
