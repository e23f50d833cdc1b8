"""The wish to publish a mapping, all bounded, and the mapping as it is stored and applied.

Columns are named by their headings, as they stand in the file. A rule says which item (a column, a line item, an
activity) leads to which achievement, and when.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from issuance.results import AchievementId, Name
from ledger.credentials.lexical import LINE_PATTERN

Meta = msgspec.Meta
Source = Literal["moodle_csv", "canvas_csv", "oneroster_csv", "xapi"]
# What an export of a source may be; the first is meant where none is named.
REPORTS: dict[str, tuple[str, ...]] = {
    "moodle_csv": ("activity_completion", "grades"),
    "canvas_csv": ("gradebook", "outcomes"),
    "oneroster_csv": ("results",),
    "xapi": ("statements",),
}
GRADES_ONLY = frozenset({"grades", "gradebook", "outcomes"})  # they tell no completion

Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE_PATTERN)]
Column = Annotated[str, Meta(min_length=1, max_length=500, pattern=LINE_PATTERN)]
Item = Annotated[str, Meta(min_length=1, max_length=2000, pattern=LINE_PATTERN)]
Number = Annotated[str, Meta(pattern=r"^-?[0-9]{1,9}(?:\.[0-9]{1,6})?$")]
Words = Annotated[list[Column], Meta(min_length=1, max_length=20)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all parts of a mapping share: frozen, closed, and absent where at their default."""


class LearnerColumns(Part, frozen=True, kw_only=True):
    """Which columns name the learner; what is left out is as the source's own export has it. Several columns of `name`
    are joined. `account_home_page`: xAPI accounts of this home page alone are student ids."""

    email: Column | None = None
    student_id: Column | None = None
    did: Column | None = None
    name: Annotated[list[Column], Meta(max_length=4)] | None = None
    account_home_page: Column | None = None


class Numbers(Part, frozen=True, kw_only=True):
    """How numbers are written."""

    decimal: Literal[".", ","] = "."


class Dates(Part, frozen=True, kw_only=True):
    """How dates are written: `iso` (RFC 3339 or a plain date), `unix` (seconds), or a format of C's strftime; and the
    time zone (IANA name) of those that name none."""

    format: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    zone: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_+\-/]{0,60}$")] = "UTC"


class States(Part, frozen=True, kw_only=True):
    """The words that an export has for completion, where it was made in another language than English."""

    completed: Words | None = None
    passed: Words | None = None
    failed: Words | None = None
    not_completed: Words | None = None


class Rule(Part, frozen=True, kw_only=True):
    """An item and what it leads to: a result, an award or both, when every given condition holds.

    `at_least` compares the grade, on a scale of `of` points (a file that says another number is refused); `completed`
    and `passed` what the source says of completion. With `record_failed` a result is recorded also where they do not
    hold, with the status Failed. `item` is a column's heading, a line item's sourcedId, or an activity's IRI.
    """

    item: Item
    achievement_id: AchievementId
    gives: Annotated[tuple[Literal["result", "award"], ...], Meta(min_length=1, max_length=2)] = ("result",)
    achievement_version: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    result_description: Name | None = None
    at_least: Number | None = None
    of: Number | None = None
    completed: bool = False
    passed: bool = False
    record_failed: bool = False
    date: Column | None = None


class Definition(Part, frozen=True, kw_only=True):
    """What a version of a mapping says, beside its name."""

    source: Source
    report: Literal["activity_completion", "grades", "gradebook", "outcomes", "results", "statements"] | None = None
    learner: LearnerColumns = LearnerColumns()
    numbers: Numbers = Numbers()
    dates: Dates = Dates()
    states: States = States()
    rules: Annotated[list[Rule], Meta(min_length=1, max_length=200)]


class PublishMapping(Definition, frozen=True, kw_only=True):
    """A mapping: where its files come from, who the learners are, and which items lead to which achievements."""

    name: Title


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a mapping, ready to be applied."""

    id: str
    version: int
    name: str
    definition: Definition

    @property
    def source(self) -> str:
        return self.definition.source

    @property
    def report(self) -> str:
        """Which of the source's exports it reads."""
        return self.definition.report or REPORTS[self.definition.source][0]


def number_of(text: str, decimal: str) -> Decimal | None:
    """The number in a cell, or None where it is none: `12.5`, `1 234,5` (spaces group digits), `85,00 %`."""
    plain = text.replace("\u00a0", " ").replace("\u202f", " ").strip().removesuffix("%").strip().replace(" ", "")
    if decimal == ",":
        plain = plain.replace(",", ".") if "." not in plain else "no"
    whole, _, places = plain.removeprefix("-").partition(".")
    if not (0 < len(whole) <= 9 and whole.isascii() and whole.isdecimal()):
        return None
    if len(places) > 9 or (places and not (places.isascii() and places.isdecimal())):
        return None
    return Decimal(plain.rstrip("."))


def plain_number(number: Decimal) -> str:
    """The number as results show it: `87.5`, `90`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment_of(text: str, form: str, zone: str) -> datetime | None:
    """The aware moment in UTC behind a date in a cell, or None where it cannot be read as `form` says. A day without a
    time is that day's noon in its zone: so no zone moves it to another day."""
    try:
        if form == "unix":
            return datetime.fromtimestamp(int(text), UTC)
        found = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007 zone below
        if found.tzinfo is None:
            day_only = len(text) <= 10 if form == "iso" else not any(f"%{c}" in form for c in "HIMSTXcsR")
            found = (found + timedelta(hours=12) if day_only else found).replace(tzinfo=zone_of(zone))
        return found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def zone_of(name: str) -> tzinfo:
    """The time zone. Raises ValueError where there is none of that name."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, KeyError) as error:  # a folder of zones, or no such zone
        raise ValueError(f"no time zone is called {name}") from error
