"""An export's bytes → records: column → text, one a learner or one a result.

Rules. UTF-8 with or without a byte order mark, or UTF-16 with one; any other encoding is refused, since a guess would
misspell names. Separated by comma, semicolon or tab: the one that splits the first line into the most columns. Blank
rows are nothing. A file that cannot be what the mapping reads is refused whole, in a sentence.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from issuance.mapping.model import Mapping
from issuance.mapping.presets import FULL_NAME
from issuance.mapping.statements import record_of, statements_in
from ledger.errors import Malformed

DELIMITERS: Final = (",", ";", "\t")
ZIP: Final = b"PK\x03\x04"
UNPACKED_LIMIT_BYTES: Final = 64 * 1024 * 1024
POINTS: Final = "Points Possible"
TEST_STUDENT: Final = ("Student, Test", "Student")
_MOODLE_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
Rows = Sequence[tuple[int, list[str]]]


class Record(msgspec.Struct, frozen=True):
    """One record, the line of the file on which it begins (for statements: its number), from 1, and its cells as they
    stand there."""

    line: int
    values: dict[str, str]
    cells: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """An export as it came: its headings as they stand in the file, and its records in its order."""

    headings: tuple[str, ...]
    records: tuple[Record, ...]


class Unreadable(Malformed):
    """The file is none that the mapping reads; the sentence says why."""


def read(mapping: Mapping, content: bytes) -> list[Record]:
    """The file's records, in its order. Raises Unreadable, or Malformed for statements."""
    return list(read_table(mapping, content).records)


def read_table(mapping: Mapping, content: bytes) -> Table:
    """The file's headings and records. Raises Unreadable, or Malformed for statements."""
    if mapping.report == "statements":
        found = [record_of(statement) for statement in statements_in(content)]
        return Table((), tuple(Record(number, values) for number, values in enumerate(found, 1)))
    if mapping.report == "results":
        return _oneroster(content)
    headings, rows = _table(content)
    named, arranged = ARRANGED[mapping.report](headings, rows)
    _check_unique(mapping, named)
    wide = len(headings)
    records = [
        Record(line, dict(zip(named, cells, strict=True)), tuple(cells[:wide]))
        for line, cells in _squared(named, arranged)
    ]
    return Table(tuple(headings), tuple(records))


def _table(content: bytes) -> tuple[list[str], Rows]:
    rows = list(_rows(_text(content)))
    if not rows:
        raise Unreadable("The file is empty: its first line must name the columns.")
    return [heading.strip() for heading in rows[0][1]], rows[1:]


def _text(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable('The file is not UTF-8: save it as "CSV UTF-8" and try again.') from error
    if "\0" in text:
        raise Unreadable('The file is not a text: save it as "CSV UTF-8" and try again.')
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it begins."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
    reader, begins = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"Line {begins} cannot be read as CSV: {error}.") from error


def _squared(headings: Sequence[str], rows: Rows) -> Rows:
    """The rows, each as wide as the headings."""
    wide = len(headings)
    for line, cells in rows:
        if len(cells) > wide and any(cell.strip() for cell in cells[wide:]):
            raise Unreadable(
                f"Line {line} has {len(cells)} cells and the first line names {wide} columns: put the text that holds "
                "a separator in quotes."
            )
    return [(line, [*cells, *[""] * (wide - len(cells))][:wide]) for line, cells in rows]


def _check_unique(mapping: Mapping, headings: Sequence[str]) -> None:
    for rule in mapping.definition.rules:
        if headings.count(rule.item) > 1:
            raise Unreadable(f"Two columns are called {rule.item!r}: give the activities names of their own.")


def _moodle_completion(headings: list[str], rows: Rows) -> tuple[list[str], Rows]:
    """Moodle leaves the name's heading empty, and puts the day on which an activity was expected, or nothing, above
    its times."""
    named: list[str] = []
    for at, heading in enumerate(headings):
        if at == 0 and not heading:
            named.append(FULL_NAME)
        elif at > 0 and (not heading or _MOODLE_DAY.fullmatch(heading)):
            named.append(f"{headings[at - 1]} (date)")
        else:
            named.append(heading)
    return named, rows


def _canvas_gradebook(headings: list[str], rows: Rows) -> tuple[list[str], Rows]:
    """The row of points becomes columns; the rows above it and the test student are nobody's. A list of mended rows
    has no row of points: nothing is compared with it then."""
    squared = _squared(headings, rows)
    place = next((at for at, (_, cells) in enumerate(squared) if cells[0].strip() == POINTS), -1)
    points = squared[place][1] if place >= 0 else [""] * len(headings)
    possible = [f"{heading} (points possible)" for heading in headings]
    students = [(line, cells) for line, cells in squared[place + 1 :] if not _is_test_student(headings, cells)]
    return [*headings, *possible], [(line, [*cells, *points]) for line, cells in students]


def _is_test_student(headings: Sequence[str], cells: Sequence[str]) -> bool:
    if headings[0] == "LastName":
        return [cell.strip() for cell in cells[:2]] == ["Student", "Test"]
    return cells[0].strip() == TEST_STUDENT[0]


def _as_it_is(headings: list[str], rows: Rows) -> tuple[list[str], Rows]:
    return headings, rows


ARRANGED: Final[dict[str, Callable[[list[str], Rows], tuple[list[str], Rows]]]] = {
    "activity_completion": _moodle_completion,
    "grades": _as_it_is,
    "gradebook": _canvas_gradebook,
    "outcomes": _as_it_is,
}


def _oneroster(content: bytes) -> Table:
    files = _unpacked(content) if content.startswith(ZIP) else {"results.csv": content}
    if "results.csv" not in files:
        raise Unreadable("The archive holds no results.csv.")
    users, items = _keyed(files.get("users.csv")), _keyed(files.get("lineItems.csv"))
    headings, rows = _table(files["results.csv"])
    missing = {"lineItemSourcedId", "studentSourcedId", "scoreStatus"} - set(headings)
    if missing:
        raise Unreadable(f"results.csv has no column {', '.join(sorted(missing))}.")
    found = []
    for line, cells in _squared(headings, rows):
        values = dict(zip(headings, cells, strict=True))
        for prefix, table, key in (("user", users, "studentSourcedId"), ("lineItem", items, "lineItemSourcedId")):
            joined = table.get(values[key].strip(), {})
            values |= {f"{prefix}.{column}": joined.get(column, "") for column in table.get("", {})}
        found.append(Record(line, values, tuple(cells)))
    return Table(tuple(headings), tuple(found))


def _keyed(content: bytes | None) -> dict[str, dict[str, str]]:
    """A table by sourcedId; under the empty id its columns."""
    if content is None:
        return {}
    headings, rows = _table(content)
    if "sourcedId" not in headings:
        raise Unreadable("users.csv and lineItems.csv need a column sourcedId.")
    squared = [dict(zip(headings, cells, strict=True)) for _, cells in _squared(headings, rows)]
    return {"": dict.fromkeys(headings, "")} | {
        one["sourcedId"].strip(): one for one in squared if one["sourcedId"].strip()
    }


def _unpacked(content: bytes) -> dict[str, bytes]:
    """The files of an archive that matter here. Raises Unreadable, also for one that unpacks to very much."""
    wanted = ("results.csv", "users.csv", "lineItems.csv")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: _member(archive, name) for name in wanted if name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable("The archive cannot be read.") from error
    except Exception as error:  # zlib and lzma bring errors of their own, without a common root
        if type(error).__module__ in ("zlib", "_lzma"):
            raise Unreadable("The archive cannot be read.") from error
        raise


def _member(archive: Any, name: str) -> bytes:
    with archive.open(name) as member:
        content: bytes = member.read(UNPACKED_LIMIT_BYTES + 1)
    if len(content) > UNPACKED_LIMIT_BYTES:
        raise Unreadable(f"{name} is larger than {UNPACKED_LIMIT_BYTES // 2**20} MiB.")
    return content
