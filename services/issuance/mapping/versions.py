"""Versions of a mapping: published once, immutable, withdrawn together. Pure rules over the stream `job/<id>`.

A rule that names a result description is pinned to the achievement version that has it, by its id there: a later
version of the achievement needs a later version of the mapping.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from issuance.awards import version_to_award
from issuance.institutions import ReasonCode, active_institution
from issuance.mapping.model import GRADES_ONLY, REPORTS, Definition, Mapping, PublishMapping, Rule, moment_of, zone_of
from issuance.results import described
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.errors import FieldError, LedgerError
from ledger.events import MappingPublished, MappingWithdrawn

SAMPLE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class WithdrawMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the mapping is used no longer, as a code."""

    reason_code: ReasonCode = "superseded"


class MappingState(msgspec.Struct, frozen=True):
    """A mapping as its stream tells it: its versions with their positions in the log, and its end."""

    versions: tuple[tuple[int, Mapping], ...]
    withdrawn: bool
    version: int  # of the stream

    @property
    def newest(self) -> Mapping:
        return self.versions[-1][1]

    def as_of(self, position: int | None) -> Mapping | None:
        """The version that counted when the log had reached a position; the newest where none is given."""
        if position is None:
            return None if self.withdrawn else self.newest
        return next((mapping for at, mapping in reversed(self.versions) if at < position), None)


def check(wish: PublishMapping) -> None:
    """What the types cannot say. Raises Malformed with a pointer to every bad field."""
    bad = [*_source_problems(wish)]
    for i, rule in enumerate(wish.rules):
        bad += [FieldError(f"/rules/{i}{where}", said) for where, said in _rule_problems(rule, _report(wish))]
    if bad:
        raise errors.Malformed("The mapping has fields that cannot be right.", errors=bad)


def publish(
    wish: PublishMapping,
    history: Sequence[Recorded],
    institution: Sequence[Recorded],
    *achievements: Sequence[Recorded],
    expected: int,
    at: datetime,
) -> list[Fact]:
    """The next version; `achievements` are the histories of what the rules name, in the order of `named`.

    Raises Refused (institution not active, a result description or version that is not there), NotFound or Conflict.
    """
    tenant = active_institution(institution).id
    state = mapping_of(history)
    if state is not None and state.withdrawn:
        raise errors.Refused("This mapping was withdrawn; publish another one.")
    if len(state.versions if state else ()) + 1 != expected:
        raise errors.Conflict("Another version was published at the same time; try again.")
    histories = dict(zip(named(wish), achievements, strict=True))
    rules = [_pinned(rule, histories[rule.achievement_id], tenant, i) for i, rule in enumerate(wish.rules)]
    fields = {name: getattr(wish, name) for name in Definition.__struct_fields__}
    definition = Definition(**{**fields, "report": _report(wish), "rules": rules})
    event = MappingPublished(
        mapping_version=expected, source=wish.source, name=wish.name, definition=msgspec.to_builtins(definition)
    )
    return [Fact(event=event, at=at)]


def withdraw(
    wish: WithdrawMapping, history: Sequence[Recorded], institution: Sequence[Recorded], *, at: datetime
) -> list[Fact]:
    """The mapping is used no longer; nothing when that is so already. Raises NotFound or Refused."""
    active_institution(institution)
    if existing(history).withdrawn:
        return []
    return [Fact(event=MappingWithdrawn(reason_code=wish.reason_code), at=at)]


def named(wish: Definition) -> list[str]:
    """The achievements that the rules name, each once."""
    return list(dict.fromkeys(rule.achievement_id for rule in wish.rules))


def mapping_of(history: Sequence[Recorded]) -> MappingState | None:
    """The mapping behind a history, or None where there is none."""
    versions: list[tuple[int, Mapping]] = []
    withdrawn = False
    for recorded in history:
        match recorded.event:
            case MappingPublished(mapping_version=number, name=name, definition=stored):
                definition = msgspec.convert(stored, Definition)
                mapping_id = recorded.stream.partition("/")[2]
                mapping = Mapping(id=mapping_id, version=number, name=name, definition=definition)
                versions.append((recorded.position, mapping))
            case MappingWithdrawn():
                withdrawn = True
    return MappingState(tuple(versions), withdrawn, len(history)) if versions else None


def existing(history: Sequence[Recorded]) -> MappingState:
    """The mapping behind a history. Raises NotFound."""
    state = mapping_of(history)
    if state is None:
        raise errors.NotFound("There is no such mapping.")
    return state


def version_of(state: MappingState, number: int | None) -> Mapping:
    """A version, by default the newest. Raises NotFound."""
    for _, mapping in reversed(state.versions):
        if number in (None, mapping.version):
            return mapping
    raise errors.NotFound(f"This mapping has no version {number}.")


def _report(wish: Definition) -> Any:
    return wish.report or REPORTS[wish.source][0]


def _source_problems(wish: PublishMapping) -> Iterator[FieldError]:
    if _report(wish) not in REPORTS[wish.source]:
        yield FieldError("/report", f"{wish.source} has {' and '.join(REPORTS[wish.source])}")
    try:
        zone_of(wish.dates.zone)
    except ValueError:
        yield FieldError("/dates/zone", "there is no time zone of this name here; IANA names are like Europe/Berlin")
    form = wish.dates.format
    if form not in (None, "iso", "unix"):
        shown = SAMPLE.strftime(str(form))
        if (read := moment_of(shown, str(form), "UTC")) is None or read.date() != SAMPLE.date():
            yield FieldError(
                "/dates/format", "it does not tell year, month and day; take iso, unix or such as %d.%m.%Y"
            )


def _rule_problems(rule: Rule, report: str) -> Iterator[tuple[str, str]]:
    graded = report in GRADES_ONLY
    for name in ("completed", "passed"):
        if graded and getattr(rule, name):
            yield f"/{name}", "this export tells grades and no completion: use at_least"
    if rule.passed and report == "results":
        yield "/passed", "OneRoster tells no passing: use at_least"
    if rule.at_least is not None and report == "activity_completion":
        yield "/at_least", "this export tells completion and no grades: use completed or passed"
    if rule.of is not None and float(rule.of) <= 0:
        yield "/of", "the end of the scale is more than 0"
    elif rule.at_least is not None and rule.of is not None and float(rule.at_least) > float(rule.of):
        yield "/at_least", "it is beyond the end of the scale"
    if "award" in rule.gives and rule.at_least is None and not (rule.completed or rule.passed):
        yield "/gives", "say when it is awarded: at_least, completed or passed"


def _pinned(rule: Rule, achievement: Sequence[Recorded], tenant: str, number: int) -> Rule:
    """The rule with its result description as an id, and the version that has it. Raises NotFound or Refused."""
    where = f"/rules/{number}"
    try:
        published = version_to_award(rule.achievement_version, achievement)
        if published.tenant != tenant:
            raise errors.NotFound("There is no such achievement.")
        event: Any = published.event
        description = described(event.document, rule.result_description)
    except LedgerError as refused:
        field = "result_description" if refused.errors else "achievement_id"
        said = "there is no such result description" if refused.errors else refused.detail
        raise type(refused)(refused.detail, errors=[FieldError(f"{where}/{field}", said)]) from refused
    if description is None:
        return rule
    return msgspec.structs.replace(
        rule, result_description=description["id"], achievement_version=event.achievement_version
    )
