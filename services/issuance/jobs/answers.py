"""What the API says of a job: the facts of its events, and how far it has come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from issuance.jobs.records import Fault
from issuance.jobs.rules import JobState
from ledger.codec import format_time


class JobFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its events tell it: what was sent, and its state after the last of them.

    `state`: `checking` (every row is judged, nothing is done), `checked` (a dry run waits for its start), `running`,
    `paused`, `cancelled`, `completed`.
    """

    id: str
    kind: str
    form: str
    state: str
    rows: int
    dry_run: bool
    achievement_id: str | None
    on_duplicate: str | None
    reason_code: str | None
    mapping_id: str | None
    mapping_version: int | None
    position: int
    created_at: str


class JobProgress(JobFacts, frozen=True, kw_only=True):
    """A job and how far it has come.

    `outlook` counts what the check foresaw: `ready`, `held` (what it would add is there already), `nothing` (it leads
    to nothing, or stands so already), `repeated` (the same as an earlier row), `refused`. `outcome` counts what was
    done: `awarded`, `recorded` (a result, and no award), `returned`, `changed`, `nothing`, `repeated`, `refused`,
    `erased` (the learner was erased before its turn). `done` rows have an outcome; `failed` of them were refused.
    `eta_seconds` is an estimate while it runs.
    """

    outlook: dict[str, int]
    outcome: dict[str, int]
    checked: int
    done: int
    failed: int
    eta_seconds: float | None


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: its number and the line of the file, what the check foresaw, what became of it, and why not. Nothing of
    what was sent is repeated here."""

    row: int
    line: int
    outlook: str | None
    outcome: str | None
    award_id: str | None
    position: int | None
    fault: Fault | None


def facts_of(job: JobState, created_at: datetime) -> JobFacts:
    """The answer about a job's events alone: always the same for the same history."""
    return JobFacts(**_facts(job, created_at))


def progress_of(
    job: JobState,
    created_at: datetime,
    counts: tuple[Mapping[str, int], Mapping[str, int]],
    *,
    running_seconds: float | None,
) -> JobProgress:
    """The answer about a job as it stands; `running_seconds` is how long it has been at its rows, where it is."""
    outlook, outcome = counts
    done = sum(outcome.values())
    # What the check refused took no time of the run.
    worked = done - sum(n for said, n in outcome.items() if outlook.get(said) == n and said in ("refused", "repeated"))
    eta = None
    if job.state == "running" and running_seconds and worked > 0:
        eta = round((job.created.rows - done) * running_seconds / worked, 1)
    return JobProgress(
        **_facts(job, created_at),
        outlook=dict(outlook),
        outcome=dict(outcome),
        checked=sum(outlook.values()),
        done=done,
        failed=outcome.get("refused", 0),
        eta_seconds=eta,
    )


def _facts(job: JobState, created_at: datetime) -> dict[str, Any]:
    created = job.created
    return {
        "id": job.id,
        "kind": created.kind,
        "form": created.form,
        "state": job.state,
        "rows": created.rows,
        "dry_run": created.dry_run,
        "achievement_id": created.achievement_id,
        "on_duplicate": created.on_duplicate,
        "reason_code": created.reason_code,
        "mapping_id": created.mapping,
        "mapping_version": created.mapping_version,
        "position": job.position,
        "created_at": format_time(created_at),
    }
