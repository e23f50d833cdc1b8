"""What was sent → one wish a row: a CSV list or NDJSON into the bodies that each row would be sent with alone. ● Pure.

Rules. A CSV row is read by its columns (`ledger.class_list`), an NDJSON line is the body itself. A member `error`,
which our own error file adds, is nothing. Bodies are not judged here but row by row later, by the types and rules of a
single request; only what cannot be split into rows refuses the whole.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from issuance.mapping import Mapping as LearningMapping
from issuance.mapping import named_in, read_table
from ledger.class_list import AWARDS, RESULTS, STANDINGS, Layout, award_for, error_file, read_class_list
from ledger.errors import Malformed

Kind = Literal["awards", "results", "mapped", "revocations", "suspensions"]
Form = Literal["csv", "ndjson"]
LAYOUTS: Mapping[str, Layout] = {
    "awards": AWARDS,
    "results": RESULTS,
    "revocations": STANDINGS,
    "suspensions": STANDINGS,
}
ABOUT_LEARNERS = ("awards", "results")
ROWS_LIMIT = 100_000
ERROR = "error"


class SentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: its number from 1, the line it begins on, the body of its wish, its cells (CSV) or its line (NDJSON) as
    sent, and the earlier row that names the same learner or award."""

    number: int
    line: int
    body: dict[str, Any]
    cells: tuple[str, ...]
    repeats: int | None = None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A whole list: SHA-256 of its bytes in hex, its headings (none in NDJSON) and rows."""

    form: Form
    digest: str
    headings: tuple[str, ...]
    rows: tuple[SentRow, ...]


def read(content: bytes, form: Form, kind: Kind, columns: Mapping[str, str], achievement_id: str | None) -> Sent:
    """The list in these bytes. Raises Malformed where it cannot be split into rows, or holds none or too many."""
    sent = _csv(content, kind, columns, achievement_id) if form == "csv" else _ndjson(content, kind, achievement_id)
    return _bounded(sent)


def read_mapped(content: bytes, mapping: LearningMapping) -> Sent:
    """An export's records, each with those that it names, so that an erasure finds it. Raises Malformed."""
    table = read_table(mapping, content)
    rows = tuple(
        SentRow(
            number=number,
            line=record.line,
            body={"learner": named_in(mapping, record.values), "record": record.values},
            cells=record.cells,
        )
        for number, record in enumerate(table.records, 1)
    )
    digest = hashlib.sha256(content).hexdigest()
    return _bounded(Sent(form="csv", digest=digest, headings=table.headings, rows=rows))


def _bounded(sent: Sent) -> Sent:
    if not sent.rows:
        raise Malformed("The list holds no rows.")
    if len(sent.rows) > ROWS_LIMIT:
        raise Malformed(f"The list holds {len(sent.rows)} rows; split it into lists of at most {ROWS_LIMIT}.")
    return sent


def _csv(content: bytes, kind: Kind, columns: Mapping[str, str], achievement_id: str | None) -> Sent:
    listed = read_class_list(content, columns, LAYOUTS[kind])
    rows = tuple(
        SentRow(
            number=row.number,
            line=row.line,
            body=award_for(row, achievement_id) if kind in ABOUT_LEARNERS else dict(row.values),
            cells=row.cells,
            repeats=None if kind == "results" else row.repeats,  # one learner has many results
        )
        for row in listed.rows
    )
    return Sent(form="csv", digest=listed.digest, headings=listed.headings, rows=rows)


def _ndjson(content: bytes, kind: Kind, achievement_id: str | None) -> Sent:
    rows: list[SentRow] = []
    known: dict[tuple[str, str, str], int] = {}
    for line, raw in enumerate(content.split(b"\n"), 1):
        if not raw.strip():
            continue
        number, body = len(rows) + 1, _object(raw, line)
        if kind in ABOUT_LEARNERS and achievement_id is not None:
            body = {"achievement_id": achievement_id, **body}
        names = _names(body, kind)
        repeats = min((known[name] for name in names if name in known), default=None)
        known |= {name: number for name in names if name not in known}
        cells = (raw.decode(errors="replace"),)
        rows.append(SentRow(number=number, line=line, body=body, cells=cells, repeats=repeats))
    return Sent(form="ndjson", digest=hashlib.sha256(content).hexdigest(), headings=(), rows=tuple(rows))


def _object(raw: bytes, line: int) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"Line {line} is not JSON.") from error
    if not isinstance(body, dict):
        raise Malformed(f"Line {line} is not a JSON object.")
    return {name: value for name, value in body.items() if name != ERROR}


def _names(body: dict[str, Any], kind: Kind) -> list[tuple[str, str, str]]:
    """What tells that two rows are about the same learner or award; one learner may have many results."""
    if kind == "results":
        return []
    about = body.get("learner") if kind == "awards" else body
    if not isinstance(about, dict):
        return []
    wanted = [name for name in LAYOUTS[kind].any_of if isinstance(about.get(name), str)]
    return [(name, about[name].casefold(), str(body.get("achievement_id"))) for name in wanted]


def error_list(form: Form, headings: tuple[str, ...], failed: list[tuple[tuple[str, ...], str]]) -> bytes:
    """The rows that were refused (their cells, and why) in the form in which they came: to be mended and sent again."""
    if form == "csv":
        return error_file(headings, failed)
    lines = [{**msgspec.json.decode(cells[0]), ERROR: reason} for cells, reason in failed]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
