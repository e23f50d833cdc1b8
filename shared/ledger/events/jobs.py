"""Facts about bulk jobs: a list that an institution sent, and what became of it. Category `job` (issuance).

What a row asked for and what became of it lies in the vault, sealed, until the job's retention ends; what it made is an
event of its own, as if it had been asked for alone.
"""

from typing import ClassVar

from ledger.events.base import Event


class JobCreated(Event, frozen=True, kw_only=True):
    """A list of `rows` wishes of one kind was handed in; `digest` is a keyed hash of what was sent.

    `kind` is what each row wishes for, `form` csv or ndjson, `dry_run` whether it stops after the check until it is
    started. `achievement_id`, `on_duplicate` and `reason_code` hold for rows that do not say otherwise; `mapping` reads
    those of an export.
    """

    TOPIC: ClassVar[str] = "job.created"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"digest"})

    kind: str
    form: str
    rows: int
    dry_run: bool
    digest: str = ""
    achievement_id: str | None = None
    on_duplicate: str | None = None
    reason_code: str | None = None
    mapping: str | None = None
    mapping_version: int | None = None


class JobChecked(Event, frozen=True, kw_only=True):
    """Every row was judged by the rules that will decide, and nothing was done: how many rows by outlook."""

    TOPIC: ClassVar[str] = "job.checked"

    counts: dict[str, int]


class JobStarted(Event, frozen=True, kw_only=True):
    """A checked job may run."""

    TOPIC: ClassVar[str] = "job.started"


class JobPaused(Event, frozen=True, kw_only=True):
    """Nothing more is done until it is resumed; what was done stays."""

    TOPIC: ClassVar[str] = "job.paused"


class JobResumed(Event, frozen=True, kw_only=True):
    """A paused job goes on where it stopped."""

    TOPIC: ClassVar[str] = "job.resumed"


class JobCancelled(Event, frozen=True, kw_only=True):
    """Nothing more is ever done; what was done stays."""

    TOPIC: ClassVar[str] = "job.cancelled"


class JobCompleted(Event, frozen=True, kw_only=True):
    """Every row has an outcome: how many rows by outcome."""

    TOPIC: ClassVar[str] = "job.completed"

    counts: dict[str, int]


EVENTS: tuple[type[Event], ...] = (
    JobCreated,
    JobChecked,
    JobStarted,
    JobPaused,
    JobResumed,
    JobCancelled,
    JobCompleted,
)
