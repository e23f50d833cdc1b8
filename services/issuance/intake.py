"""What a mapping makes of a record, tried and carried out: the shell around `issuance.mapping`.

A record's actions are one wish: the first is the wish itself, the others follow it. So a retry, with the same mapping
version, completes what a crash left and makes nothing twice.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

import msgspec

from issuance import awarding, awards, recording, results
from issuance.awards import AwardLearner
from issuance.mapping import Mapping, Record, RowAction, RowFault, apply, read
from issuance.mapping.versions import MappingState, existing
from issuance.parts import Issuance, now
from issuance.results import Origin, RecordResult
from ledger import errors
from ledger.codec import Recorded
from ledger.errors import FieldError, LedgerError
from ledger.events import Awarded
from ledger.store import Wish


class Carried(msgspec.Struct, frozen=True):
    """What became of an action: `recorded`, `awarded`, `returned` (it was there), `proposed` (a second key has to
    approve), `replayed` (an earlier try's)."""

    kind: str
    event: Recorded
    outcome: str
    personal: dict[str, Any] | None = None  # of an award that was made just now: spares opening the vault

    @property
    def is_signed(self) -> bool:
        """Whether a credential is to be signed for it."""
        return isinstance(self.event.event, Awarded) and self.outcome != "returned"


class PlannedAction(msgspec.Struct, frozen=True, kw_only=True):
    """What would be recorded or awarded: the wish itself, with the version that is meant; `already` where it is there,
    so that nothing would be added."""

    kind: str
    achievement_version: int
    already: bool
    wish: dict[str, Any]


class PreviewRow(msgspec.Struct, frozen=True):
    """A record by its line in the file: what it leads to, or what is wrong with it, column by column."""

    line: int
    actions: list[PlannedAction]
    errors: list[FieldError]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a file would lead to: how many results and awards would be added, how many are there already; how many rows
    lead to nothing and how many are faulty. `rows` are the first of the file, `faults` the first faulty ones. Nothing
    was recorded."""

    mapping_id: str
    mapping_version: int
    row_count: int
    result_count: int
    award_count: int
    already_count: int
    nothing_count: int
    fault_count: int
    rows: list[PreviewRow]
    faults: list[PreviewRow]


async def mapping_state(issuance: Issuance, tenant: str, mapping_id: str) -> MappingState:
    """A mapping of this tenant, with all its versions. Raises NotFound."""
    return existing(await issuance.history(f"job/{mapping_id}", tenant, "mapping"))


async def preview(issuance: Issuance, tenant: str, mapping: Mapping, content: bytes, *, shown: int) -> Preview:
    """What the file would lead to with this mapping, row by row. Raises Unreadable or Malformed."""
    rehearsal = Rehearsal(issuance, tenant)
    rows = [await _previewed(rehearsal, mapping, record) for record in read(mapping, content)]
    faults = [row for row in rows if row.errors]
    planned = [action for row in rows for action in row.actions]
    fresh = [action.kind for action in planned if not action.already]
    return Preview(
        mapping_id=mapping.id,
        mapping_version=mapping.version,
        row_count=len(rows),
        result_count=fresh.count("result"),
        award_count=fresh.count("award"),
        already_count=len(planned) - len(fresh),
        nothing_count=sum(not row.actions and not row.errors for row in rows),
        fault_count=len(faults),
        rows=rows[:shown],
        faults=faults[:shown],
    )


async def carry_out(issuance: Issuance, wish: Wish, actions: Sequence[RowAction], origin: Origin) -> list[Carried]:
    """Record and award what a record leads to; credentials are signed. Raises what recording and awarding raise: a
    retry goes on from there."""
    carried = await decide(issuance, wish, actions, origin)
    for one in carried:
        if one.is_signed:
            await issuance.signing.sign(one.event, one.personal)
    return carried


async def decide(issuance: Issuance, wish: Wish, actions: Sequence[RowAction], origin: Origin) -> list[Carried]:
    """The events that a record leads to, committed; its awards are not signed yet. Raises as `carry_out` does."""
    carried: list[Carried] = []
    for number, (kind, data) in enumerate(actions):
        step = wish if number == 0 else issuance.follow_up(wish, f"action-{number}")
        if isinstance(data, RecordResult):
            events, outcome = await recording.decide(issuance, step, data, origin)
            carried.append(Carried(kind, events[0], outcome))
        else:
            made = await awarding.decide(issuance, step, data)
            carried.append(Carried(kind, made.recorded, made.outcome, made.personal))
    return carried


class Rehearsal:
    """Judges actions as carrying them out would, one after another, and records nothing."""

    def __init__(self, issuance: Issuance, tenant: str) -> None:
        self._issuance, self._tenant = issuance, tenant
        self._planned: set[tuple[str, ...]] = set()

    async def plan(self, action: RowAction, *, at: datetime) -> PlannedAction:
        """What the action would do. Raises what would refuse it."""
        kind, data = action
        try:
            version = await self._version(data, at=at)
        except LedgerError:  # what is cached may be behind
            version = await self._version(data, at=at, fresh=True)
        learners = await self._learners(data)
        named: list[tuple[str, ...]]
        if isinstance(data, RecordResult):
            named = [(kind, data.external_id)] if data.external_id else []
            already = await self._is_recorded(data)
        else:
            named = [(kind, data.achievement_id, one.kind, one.value) for one in awards.identifiers_of(data.learner)]
            already = await self._is_held(data, learners)
        already = already or any(name in self._planned for name in named)
        self._planned.update(named)
        wish: dict[str, Any] = msgspec.to_builtins(data)
        shown = {name: value for name, value in wish.items() if value not in (None, []) and name != "on_duplicate"}
        return PlannedAction(kind=kind, achievement_version=version, already=already, wish=shown)

    async def _version(self, data: RecordResult | AwardLearner, *, at: datetime, fresh: bool = False) -> int:
        """The achievement version that would be pinned."""
        store, tenant = self._issuance.store, self._tenant
        institution = await store.load_cached(f"institution/{tenant}", fresh=fresh)
        achievement = await store.load_cached(f"achievement/{data.achievement_id}", fresh=fresh)
        if isinstance(data, RecordResult):
            results.check(data, at=at)
            results.record(data, (), institution, achievement, (), pseudonym="", origin=Origin(), at=at)
        else:
            awards.check(data, at=at)
        published = awards.version_to_award(data.achievement_version, achievement)
        if published.tenant != tenant:
            raise errors.NotFound("There is no such achievement.")
        if isinstance(data, AwardLearner):
            awards.check_results(data.results, published)
        version: int = published.event.achievement_version  # type: ignore[attr-defined]
        return version

    async def _is_recorded(self, data: RecordResult) -> bool:
        if data.external_id is None:
            return False
        name = self._issuance.external_name(self._tenant, recording.EXTERNAL_ID, data.external_id)
        return await self._issuance.vault.position_of(name) is not None

    async def _learners(self, data: RecordResult | AwardLearner) -> set[str]:
        """The learner as far as known here, one or none. Raises Refused where the names are of different learners."""
        found = {
            pseudonym
            for one in awards.identifiers_of(data.learner)
            if (pseudonym := await self._issuance.vault.find(self._tenant, one)) is not None
        }
        if len(found) > 1:
            raise errors.Refused("These identifiers belong to different learners of this institution.")
        return found

    async def _is_held(self, data: AwardLearner, learners: set[str]) -> bool:
        """Whether the learner holds the achievement by an award that was not revoked."""
        store, secret = self._issuance.store, self._issuance.settings.server_secret
        for pseudonym in learners:
            for number in count():
                award = awards.award_id_for(secret, self._tenant, pseudonym, data.achievement_id, number)
                if not await store.load(f"award/{award}"):
                    break
                if not awards.is_revoked(await store.load(f"standing/{award}")):
                    return True
        return False


async def _previewed(rehearsal: Rehearsal, mapping: Mapping, record: Record) -> PreviewRow:
    actions = apply(mapping, record.values)
    if isinstance(actions, RowFault):
        return PreviewRow(record.line, [], list(actions.errors))
    try:
        return PreviewRow(record.line, [await rehearsal.plan(action, at=now()) for action in actions], [])
    except LedgerError as refused:
        said = "; ".join([refused.detail, *(f"{e.pointer} {e.detail}".strip() for e in refused.errors)])
        return PreviewRow(record.line, [], [FieldError("", said)])
