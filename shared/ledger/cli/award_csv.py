"""`credledger award-csv`: a class list as a job of the ledger, or one by one through the single endpoint.

Rules of one by one. A row's Idempotency-Key follows from the file and the row, so the command may be killed and run
again: what was awarded is answered as it was, nobody is awarded twice. What the ledger refuses is told row by row and
written beside the list as `<file>.errors.csv`; a ledger that goes away ends the command, which then goes on where it
stopped.
"""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

import msgspec

from ledger.class_list import ClassList, Row, award_for, error_file, parse_columns, read_class_list, row_key
from ledger.cli.api import PATIENT_SECONDS, Api
from ledger.cli.failure import REFUSED, UNAVAILABLE, USAGE, Failure
from ledger.cli.lists import carry_out, tell
from ledger.cli.options import AsJson, Key
from ledger.cli.place import Place
from ledger.cli.speaking import progress, say, say_json, say_table

AT_ONCE: Final = 4


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a row: `awarded`, `already_awarded` (an earlier run did), `repeated` (the learner stands in the
    list before), or `refused` with the ledger's sentence. Nothing of the learner is repeated here."""

    row: int
    line: int
    outcome: str
    award_id: str | None = None
    credential_url: str | None = None
    detail: str | None = None


def award_class_list(issuance: Api, listed: ClassList, achievement_id: str) -> list[Outcome]:
    """Award every row, in the order of the list. Raises Failure when the ledger goes away."""
    done: list[Outcome] = []
    with progress("awarding", len(listed.rows)) as bar, ThreadPoolExecutor(AT_ONCE) as workers:
        try:
            for outcome in workers.map(lambda row: _award(issuance, listed.digest, achievement_id, row), listed.rows):
                done.append(outcome)
                bar.step()
        except Failure as failure:
            workers.shutdown(cancel_futures=True)
            raise Failure(
                f"{failure.sentence} {len(done)} of {len(listed.rows)} rows are done; the same command goes on from "
                "there and awards nobody twice.",
                failure.status,
            ) from failure
    return done


def write_errors(file: Path, listed: ClassList, outcomes: Sequence[Outcome]) -> Path | None:
    """Write the refused rows beside the list; the file's path, or None where nothing was refused (an old one goes)."""
    path = file.with_name(file.name + ".errors.csv")
    failed = list(_refused(listed, outcomes))
    if not failed:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        return None
    try:
        path.write_bytes(error_file(listed.headings, failed))
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _refused(listed: ClassList, outcomes: Sequence[Outcome]) -> Iterator[tuple[tuple[str, ...], str]]:
    for row, outcome in zip(listed.rows, outcomes, strict=True):
        if outcome.outcome == "refused":
            yield row.cells, outcome.detail or ""


def _award(issuance: Api, digest: str, achievement_id: str, row: Row) -> Outcome:
    if row.repeats is not None:
        detail = f"the learner of row {row.repeats}, who is awarded once"
        return Outcome(row=row.number, line=row.line, outcome="repeated", detail=detail)
    try:
        award, replayed = issuance.told(
            "/v1/awards", award_for(row, achievement_id), key=row_key(digest, achievement_id, row.number)
        )
    except Failure as failure:
        if failure.status == UNAVAILABLE:
            raise
        return Outcome(row=row.number, line=row.line, outcome="refused", detail=failure.sentence)
    return Outcome(
        row=row.number,
        line=row.line,
        outcome="already_awarded" if replayed else "awarded",
        award_id=award["id"],
        credential_url=award["credential_url"],
    )


def award_csv(
    file: Path,
    /,
    *,
    achievement: str | None = None,
    columns: str = "",
    on_duplicate: Literal["refuse", "return", "allow"] = "refuse",
    dry_run: bool = False,
    one_by_one: bool = False,
    key: Key = None,
    json: AsJson = False,
) -> int:
    """Award an achievement to everybody in a class list. Run again, it awards nobody twice.

    The list is checked first and then carried out by the ledger, also when this command is stopped. Refused rows are
    written to `<file>.errors.csv` with the reason: mend them there and award that file.

    Parameters
    ----------
    file: Path
        A CSV file (UTF-8) whose first line names the columns: email, name, student_id, did, narrative, evidence,
        credits_earned, license_number, term, awarded_date, valid_from, valid_until, external_id, achievement_id. Or
        NDJSON (`.ndjson`), each line the body of an award.
    achievement: str
        The achievement's id (ach_…), for rows that name none; the newest version is awarded.
    columns: str
        Which heading holds what, where they are others: email=E-Mail,name=Name
    on_duplicate: str
        What becomes of learners who hold the achievement already.
    dry_run: bool
        Only check the list, and say what would become of each row.
    one_by_one: bool
        Send each row as a request of its own, from here, instead of the whole list as a job.
    """
    place = Place.here()
    with Api(place.address("issuance"), place.institution_key(key), retry_seconds=PATIENT_SECONDS) as issuance:
        if one_by_one:
            return _one_by_one(issuance, file, achievement, columns, json=json)
        given = {"achievement_id": achievement, "columns": columns, "on_duplicate": on_duplicate}
        parameters = {"kind": "awards", **{name: value for name, value in given.items() if value}}
        return tell(carry_out(issuance, file, parameters, dry_run=dry_run), json=json)


def _one_by_one(issuance: Api, file: Path, achievement: str | None, columns: str, *, json: bool) -> int:
    if achievement is None:
        raise Failure("One by one, the achievement must be named: --achievement ach_….", USAGE)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", USAGE) from error
    listed = read_class_list(content, parse_columns(columns))
    outcomes = award_class_list(issuance, listed, achievement)
    errors = write_errors(file, listed, outcomes)
    counts = {kind: sum(one.outcome == kind for one in outcomes)
              for kind in ("awarded", "already_awarded", "repeated", "refused")}  # fmt: skip
    if json:
        say_json({"file": str(file), "achievement_id": achievement, "counts": counts, "rows": outcomes,
                  "errors_file": str(errors) if errors else None})  # fmt: skip
    else:
        say_table([msgspec.to_builtins(one) for one in outcomes], ("line", "outcome", "award_id", "detail"))
        say(", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count) or "No rows.")
        if errors:
            say(f"The refused rows are in {errors}: mend them there and award that file.", "yellow")
    return REFUSED if errors else 0
