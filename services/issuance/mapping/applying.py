"""A mapping applied to one record: what to record and award, or what is wrong with the record.

Total: any record gives actions or a fault. No clock: a result or award without a date in the record is of the moment
at which it is carried out.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

import msgspec

from issuance.awards import AwardLearner, Learner
from issuance.mapping.model import Mapping as MappingVersion
from issuance.mapping.model import Rule, moment_of, plain_number
from issuance.mapping.outcomes import Outcome, Unread, item_column, outcome_of
from issuance.mapping.presets import PRESETS, Preset, filled
from issuance.results import RecordResult
from ledger.errors import FieldError

RowAction = tuple[Literal["result"], RecordResult] | tuple[Literal["award"], AwardLearner]
T = TypeVar("T")
_PLACE: Final = re.compile(r" - at `\$\.(\w+)`$")


class RowFault(msgspec.Struct, frozen=True):
    """What is wrong with a record: a JSON pointer to each bad column and what is wrong there. No cell is repeated."""

    errors: tuple[FieldError, ...]


def apply(mapping: MappingVersion, record: Mapping[str, str]) -> list[RowAction] | RowFault:
    """What the record leads to, rule by rule: the result before the award; an empty list where it leads to nothing."""
    preset = filled(mapping.definition.learner, PRESETS[mapping.report])
    actions: list[RowAction] = []
    faults: list[Unread] = []
    for rule in mapping.definition.rules:
        try:
            actions += _actions(mapping, preset, rule, record)
        except Unread as unread:
            faults.append(unread)
    if faults:
        said = dict.fromkeys(FieldError(pointer_to(fault.column), fault.detail) for fault in faults)
        return RowFault(tuple(said))
    return actions


def named_in(mapping: MappingVersion, record: Mapping[str, str]) -> dict[str, str]:
    """By what the record names its learner, as far as it can be read: what an erasure looks for."""
    try:
        learner = _learner(mapping, filled(mapping.definition.learner, PRESETS[mapping.report]), record)
    except Unread:
        return {}
    named = {"email": learner.email, "student_id": learner.student_id, "did": learner.did}
    return {kind: value for kind, value in named.items() if value is not None}


def pointer_to(column: str) -> str:
    """The JSON pointer (RFC 6901) to a column of a record."""
    return "/" + column.replace("~", "~0").replace("/", "~1")


def _actions(mapping: MappingVersion, preset: Preset, rule: Rule, record: Mapping[str, str]) -> list[RowAction]:
    outcome = outcome_of(mapping, rule, record)
    if outcome is None or (not rule.record_failed and not _reached(rule, outcome)):
        return []
    reached = _reached(rule, outcome)
    learner = _learner(mapping, preset, record)
    at = _date(mapping, preset, rule, record)
    said = {"value": _value(outcome), "status": "Completed" if reached else "Failed"}
    made: list[RowAction] = []
    if "result" in rule.gives:
        made.append(("result", _result(mapping, rule, learner, at, said)))
    if "award" in rule.gives and reached:
        made.append(("award", _award(rule, learner, at, said)))
    return made


def _reached(rule: Rule, outcome: Outcome) -> bool:
    """Whether every condition of the rule holds. Raises Unread for a grade that cannot be compared."""
    if rule.at_least is not None:
        if outcome.text is not None and outcome.grade is None:
            raise Unread(outcome.column, "is no number")
        if rule.of is not None and outcome.of is not None and outcome.of != Decimal(rule.of):
            raise Unread(outcome.column, f"is on a scale of {plain_number(outcome.of)}, the mapping says {rule.of}")
        if rule.of is not None and outcome.grade is not None and outcome.grade > Decimal(rule.of):
            raise Unread(outcome.column, f"is more than {rule.of}, the end of the mapping's scale")
        if outcome.grade is None or outcome.grade < Decimal(rule.at_least):
            return False
    if rule.passed and outcome.state != "passed":
        return False
    if rule.completed and outcome.state not in ("completed", "passed"):
        return False
    return rule.at_least is not None or rule.passed or rule.completed or outcome.state != "failed"


def _value(outcome: Outcome) -> str | None:
    return plain_number(outcome.grade) if outcome.grade is not None else outcome.text


def _learner(mapping: MappingVersion, preset: Preset, record: Mapping[str, str]) -> Learner:
    """The learner whom the record names. Raises Unread where it names nobody."""
    home = mapping.definition.learner.account_home_page
    if home is not None and record.get("actor.account.homePage", home) != home:
        raise Unread("actor.account.homePage", "is not the home page whose accounts this mapping takes")
    did = mapping.definition.learner.did
    columns = {
        "email": _first_of(preset.email, record),
        "student_id": _first_of(preset.student_id, record),
        "did": did if did in record else None,
    }
    fields = {name: text for name, column in columns.items() if column and (text := record[column].strip())}
    if not fields:
        asked = [*preset.email, *preset.student_id, *([did] if did else [])]
        raise Unread(next((c for c in asked if c in record), asked[0]), "names no learner")
    spelled = next((names for names in preset.name if all(n in record for n in names)), ())
    if full := " ".join(text for n in spelled if (text := record[n].strip())):
        fields["name"] = full
    return _converted(fields, Learner, {**columns, "name": spelled[0] if spelled else None})


def _first_of(columns: tuple[str, ...], record: Mapping[str, str]) -> str | None:
    return next((column for column in columns if column in record), None)


def _date(mapping: MappingVersion, preset: Preset, rule: Rule, record: Mapping[str, str]) -> datetime | None:
    column = rule.date
    if column is None and preset.date is not None:
        column = preset.date.format(item=item_column(mapping.report, rule.item, record))
        if column not in record:
            return None
    if column is None:
        return None
    if column not in record:
        raise Unread(column, "is not a column of this file")
    if not (text := record[column].strip()):
        return None
    form = mapping.definition.dates.format or preset.date_format
    moment = moment_of(text, form, mapping.definition.dates.zone)
    if moment is None:
        raise Unread(column, f"is no date as the mapping says they are written ({form})")
    return moment


def _result(
    mapping: MappingVersion, rule: Rule, learner: Learner, at: datetime | None, said: dict[str, str | None]
) -> RecordResult:
    fields = {
        "achievement_id": rule.achievement_id,
        "learner": msgspec.to_builtins(learner),
        "achievement_version": rule.achievement_version,
        "result_description": rule.result_description,
        "assessed_at": at,
        "source": mapping.source,
        "on_duplicate": "return",
        **said,
    }
    if mapping.source != "xapi":  # a statement has an id of its own
        fields["external_id"] = _name_of(mapping, rule, learner, at, said)
    return _converted(fields, RecordResult, {"value": rule.item})


def _name_of(
    mapping: MappingVersion, rule: Rule, learner: Learner, at: datetime | None, said: dict[str, str | None]
) -> str:
    """A name for what a row says: the same learner's same outcome of the same item is one result, however often the
    file is exported and sent; another grade or another day is another result."""
    who = [learner.email and learner.email.lower(), learner.student_id, learner.did]
    told = [mapping.id, rule.item, rule.achievement_id, who, at, said["value"], said["status"]]
    return f"{mapping.id}/{hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:32]}"


def _award(rule: Rule, learner: Learner, at: datetime | None, said: dict[str, str | None]) -> AwardLearner:
    shown = {name: text for name, text in said.items() if text is not None}
    if rule.result_description is not None:
        shown["result_description"] = rule.result_description
    fields: dict[str, Any] = {
        "achievement_id": rule.achievement_id,
        "learner": msgspec.to_builtins(learner),
        "achievement_version": rule.achievement_version,
        "awarded_date": at,
        "results": [shown],
        "on_duplicate": "return",
    }
    return _converted(fields, AwardLearner, {"results": rule.item})


def _converted(fields: Mapping[str, Any], wanted: type[T], columns: Mapping[str, str | None]) -> T:
    """The wish of these fields, as strict as if it had come over HTTP. Raises Unread at the column of a bad one."""
    try:
        return msgspec.convert({name: value for name, value in fields.items() if value is not None}, wanted)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        field = place.group(1) if place else ""
        column = columns.get(field) or next((c for c in columns.values() if c), field)
        raise Unread(str(column), "cannot stand in an award or result: " + _PLACE.sub("", str(error))) from error
