"""The life of a job: checked, running, paused, cancelled, completed. Pure rules over `job/<id>`.

Rules. Every job is checked first. One that was sent with `dry_run` then waits for its start. What ended stays ended. A
change that would change nothing records nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.events import (
    Event,
    JobCancelled,
    JobChecked,
    JobCompleted,
    JobCreated,
    JobPaused,
    JobResumed,
    JobStarted,
)

State = Literal["checking", "checked", "running", "paused", "cancelled", "completed"]
ENDED: tuple[State, ...] = ("cancelled", "completed")
ACTIVE: tuple[State, ...] = ("checking", "running")


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its stream tells it. `checked` says whether the check is over, which a pause remembers."""

    id: str
    tenant: str
    created: JobCreated
    state: State
    checked: bool = False
    position: int
    version: int


def job_of(history: Sequence[Recorded]) -> JobState | None:
    """The job behind a history, or None before it was created."""
    job: JobState | None = None
    for recorded in history:
        event = recorded.event
        if isinstance(event, JobCreated):
            job = JobState(
                id=recorded.stream.partition("/")[2],
                tenant=recorded.tenant,
                created=event,
                state="checking",
                position=recorded.position,
                version=recorded.version,
            )
        elif job is not None:
            job = _after(job, event, recorded.version)
    return job


def state_after(event: Event, state: State, *, checked: bool, dry_run: bool) -> tuple[State, bool]:
    """What a job is after an event, and whether its check is over."""
    match event:
        case JobChecked():
            return ("checked" if dry_run else "running"), True
        case JobStarted():
            return "running", checked
        case JobPaused():
            return "paused", checked
        case JobResumed():
            return ("running" if checked else "checking"), checked
        case JobCancelled():
            return "cancelled", checked
        case JobCompleted():
            return "completed", checked
    return state, checked


def _after(job: JobState, event: Event, version: int) -> JobState:
    state, checked = state_after(event, job.state, checked=job.checked, dry_run=job.created.dry_run)
    return msgspec.structs.replace(job, state=state, checked=checked, version=version)


def existing(history: Sequence[Recorded]) -> JobState:
    """The job. Raises NotFound."""
    job = job_of(history)
    if job is None:
        raise errors.NotFound("There is no such job.")
    return job


def create(wish: JobCreated, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The job; nothing when it is there already."""
    return [] if history else [Fact(event=wish, at=at)]


def start(history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """A checked job runs; nothing when it already did or does. Raises Refused while it is checked or after it ended."""
    job = existing(history)
    if job.state in ("running", "completed"):
        return []
    if job.state != "checked":
        raise errors.Refused(f"This job is {job.state}; only one that was checked is started.")
    return [Fact(event=JobStarted(), at=at)]


def pause(history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """Nothing more is done for now. Raises Refused for a job that waits or ended."""
    job = existing(history)
    if job.state == "paused":
        return []
    if job.state not in ACTIVE:
        raise errors.Refused(f"This job is {job.state}; there is nothing to pause.")
    return [Fact(event=JobPaused(), at=at)]


def resume(history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """A paused job goes on; nothing when it is at work. Raises Refused for one that ended or waits for its start."""
    job = existing(history)
    if job.state in ACTIVE:
        return []
    if job.state != "paused":
        raise errors.Refused(f"This job is {job.state}; only a paused one is resumed.")
    return [Fact(event=JobResumed(), at=at)]


def cancel(history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """Nothing more is ever done; nothing when it was cancelled already. Raises Refused for a completed job."""
    job = existing(history)
    if job.state == "cancelled":
        return []
    if job.state == "completed":
        raise errors.Refused("This job is completed; what it did is undone award by award, or by a further job.")
    return [Fact(event=JobCancelled(), at=at)]


def checked(counts: dict[str, int], history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The check is over; nothing when it was, or when the job no longer waits for it."""
    return [Fact(event=JobChecked(counts=counts), at=at)] if existing(history).state == "checking" else []


def complete(counts: dict[str, int], history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """Every row has its outcome; nothing when that is known, or when the job stopped meanwhile."""
    return [Fact(event=JobCompleted(counts=counts), at=at)] if existing(history).state == "running" else []
