"""Lists as jobs: send one, show what the check foresees, follow the work with a bar, keep what was refused.

Rules. The job's Idempotency-Key follows from the file and what is to be done with it, so the same command may be run
again: it finds the job, wherever that is, and goes on watching it. The work goes on in the ledger also when the command
is stopped.
"""

import contextlib
import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from ledger.cli.api import Api
from ledger.cli.failure import REFUSED, USAGE, Failure
from ledger.cli.speaking import note, progress, say, say_json, say_table

LOOK_SECONDS: Final = 0.25
MEDIA_TYPES: Final = {".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
COLUMNS: Final = ("line", "outlook", "outcome", "award_id", "detail")


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A job at rest, its rows, and where its refused rows were written to."""

    job: dict[str, Any]
    rows: list[dict[str, Any]]
    errors_file: str | None


def carry_out(issuance: Api, file: Path, parameters: Mapping[str, str], *, dry_run: bool) -> Done:
    """Send a list, have it checked, and unless it is a dry run have it carried out. Raises Failure."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", USAGE) from error
    key = _key(content, parameters)
    media_type = MEDIA_TYPES.get(file.suffix.lower(), "text/csv")
    job, known = issuance.sent("/v1/jobs", content, media_type, key=key, dry_run="true", **parameters)
    if known:
        note("This list was sent before: this is what became of it.")
    job = _followed(issuance, job, "checking", "checked")
    if not dry_run:
        if job["state"] == "checked":
            issuance.post(f"/v1/jobs/{job['id']}/start", {}, key=f"{key}-start")
        job = _followed(issuance, job, "working", "done")
    rows = list(issuance.pages(f"/v1/jobs/{job['id']}/rows"))
    return Done(job=job, rows=[_row(row) for row in rows], errors_file=_errors(issuance, job, file))


def tell(done: Done, *, json: bool) -> int:
    """Say what became of a list; the exit status."""
    if json:
        say_json(done)
    else:
        say_table([row for row in done.rows if row["detail"] or not row["outcome"]] or done.rows[:20], COLUMNS)
        counts = done.job["outcome"] if done.job["state"] != "checked" else done.job["outlook"]
        say(", ".join(f"{count} {said}" for said, count in counts.items()) or "No rows.")
        if done.job["state"] not in ("checked", "completed"):
            say(f"The job {done.job['id']} is {done.job['state']}.", "yellow")
        if done.errors_file:
            say(f"The refused rows are in {done.errors_file}: mend them there and send that file.", "yellow")
    return REFUSED if done.errors_file or done.job["state"] not in ("checked", "completed") else 0


def _followed(issuance: Api, job: dict[str, Any], what: str, figure: str) -> dict[str, Any]:
    """The job once it rests, with a bar until then."""
    try:
        with progress(what, job["rows"]) as bar:
            while True:
                job = issuance.get(f"/v1/jobs/{job['id']}")
                bar.to(job[figure])
                if job["state"] not in ("checking", "running"):
                    return job
                time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        note(f"The job {job['id']} goes on in the ledger: run the same command again to watch it, or stop it with "
             f"`credledger jobs pause {job['id']}`.")  # fmt: skip
        raise


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row for people: its fault in one sentence."""
    fault = row.pop("fault")
    fields = [f"{one['pointer']}: {one['detail']}" for one in (fault or {}).get("errors", [])]
    detail = None if fault is None else fault["detail"] + (f" ({'; '.join(fields)})" if fields else "")
    return {**row, "detail": detail}


def _errors(issuance: Api, job: dict[str, Any], file: Path) -> str | None:
    """Write the refused rows beside the list; where nothing was refused an old file goes."""
    path = file.with_name(f"{file.name}.errors.{job['form']}")
    if not job["failed"]:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        return None
    content = issuance.content(f"/v1/jobs/{job['id']}/errors", "text/csv, application/x-ndjson")
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}.") from error
    return str(path)


def _key(content: bytes, parameters: Mapping[str, str]) -> str:
    named = msgspec.json.encode(dict(parameters), order="sorted")
    return f"list-{hashlib.sha256(hashlib.sha256(content).digest() + named).hexdigest()[:40]}"
