"""One result, from the request to the answer: the shell around `issuance.results`.

A retry finds the event of the first try and gives the same answer. A second wish with the external id of a result that
is there meets that result, and is refused or answered with it, as it says itself.
"""

from typing import Any, Literal

import msgspec

from issuance import awards, results
from issuance.awards import Overtaken
from issuance.parts import Issuance, now
from issuance.results import AlreadyRecorded, CorrectResult, Origin, RecordResult, ResultState, WithdrawResult
from ledger import errors, ids
from ledger.codec import Recorded
from ledger.events import ResultRecorded
from ledger.store import NameTaken, Wish
from ledger.vault import Erased

TRIES = 5  # the learner may be erased at the same time
EXTERNAL_ID = "result.external_id"
Outcome = Literal["recorded", "replayed", "returned"]


class ResultAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A result as its institution gets it; `learner_id` is the learner's pseudonym at this institution."""

    id: str
    position: int
    learner_id: str
    achievement_id: str
    achievement_version: int
    result_description: str | None
    value: str | None
    status: str | None
    achieved_level: str | None
    evidence: list[dict[str, Any]]
    assessed_at: str
    source: str | None
    external_id: str | None
    mapping_id: str | None
    mapping_version: int | None
    corrected: bool
    withdrawn: str | None


async def record_result(
    issuance: Issuance, wish: Wish, data: RecordResult, origin: Origin | None = None
) -> tuple[ResultAnswer, Outcome]:
    """The result that a wish asks for, and how it came about.

    Raises Malformed, NotFound, Refused, AlreadyRecorded, KeyReused, Unavailable or Erased.
    """
    events, outcome = await decide(issuance, wish, data, origin or Origin())
    return await answer_for(issuance, events), outcome


async def decide(
    issuance: Issuance, wish: Wish, data: RecordResult, origin: Origin
) -> tuple[tuple[Recorded, ...], Outcome]:
    """The events behind a wish. Raises as `record_result` does."""
    if (earlier := await issuance.store.earlier(wish)) is not None:
        return earlier.events, "replayed"
    results.check(data, at=now())
    for tries_left in reversed(range(TRIES)):
        try:
            return await _decide(issuance, wish, data, origin)
        except NameTaken as taken:
            return await _with_external_id(issuance, wish, data, taken.position)
        except (Erased, Overtaken):  # the next look makes a new record of the learner
            if not tries_left:
                raise
    raise RuntimeError("unreachable")


async def correct_result(
    issuance: Issuance, wish: Wish, result_id: str, data: CorrectResult
) -> tuple[ResultAnswer, bool]:
    """The result as corrected. Raises Malformed, NotFound, Refused, KeyReused, Unavailable, Gone."""
    results.check(data, at=now())
    first = await _first(issuance, wish.tenant, result_id)
    return await _changed(
        issuance, wish, result_id,
        lambda history, *read: results.correct(data, history, *read, at=now()),
        [f"institution/{wish.tenant}", f"achievement/{first[0]}", f"learner/{first[1]}"],
    )  # fmt: skip


async def withdraw_result(
    issuance: Issuance, wish: Wish, result_id: str, data: WithdrawResult
) -> tuple[ResultAnswer, bool]:
    """The result as withdrawn; it stays readable. Raises NotFound, Refused, KeyReused, Unavailable."""
    first = await _first(issuance, wish.tenant, result_id)
    return await _changed(
        issuance, wish, result_id,
        lambda history, *read: results.withdraw(data, history, *read, at=now()),
        [f"institution/{wish.tenant}", f"learner/{first[1]}"],
    )  # fmt: skip


async def answer_for(issuance: Issuance, history: Any, version: int | None = None) -> ResultAnswer:
    """The answer that follows from a result's events. Raises Erased where the outcome was erased."""
    state = results.result_of(history, version)
    if state is None or not isinstance(state.recorded.event, ResultRecorded):
        raise errors.NotFound("There is no such result.")
    event = state.recorded.event
    first, outcome = await _opened(issuance, state)
    return ResultAnswer(
        id=result_id(state.recorded),
        position=state.recorded.position,
        learner_id=str(state.recorded.subject),
        achievement_id=event.achievement_id,
        achievement_version=event.achievement_version,
        result_description=event.result_description,
        value=outcome.get("value"),
        status=outcome.get("status"),
        achieved_level=outcome.get("achieved_level"),
        evidence=first.get("evidence", []),
        assessed_at=state.assessed_at,
        source=event.source,
        external_id=first.get("external_id"),
        mapping_id=event.mapping,
        mapping_version=event.mapping_version,
        corrected=state.outcome is not state.recorded,
        withdrawn=state.withdrawn,
    )


def result_id(recorded: Recorded) -> str:
    """The result that a stream is about."""
    return recorded.stream.partition("/")[2]


async def _opened(issuance: Issuance, state: ResultState) -> tuple[dict[str, Any], dict[str, str]]:
    """What was sealed when the result was recorded, and the outcome that counts."""
    first = await issuance.vault.open(state.recorded)
    counts = first if state.outcome is state.recorded else await issuance.vault.open(state.outcome)
    return first, counts["outcome"]


async def _decide(
    issuance: Issuance, wish: Wish, data: RecordResult, origin: Origin
) -> tuple[tuple[Recorded, ...], Outcome]:
    names = [issuance.external_name(wish.tenant, EXTERNAL_ID, data.external_id)] if data.external_id else []
    for name in names:
        if (position := await issuance.vault.position_of(name)) is not None:
            raise NameTaken(position)
    pseudonym = await issuance.vault.learner(wish.tenant, awards.identifiers_of(data.learner))
    at = now()

    def rule(*histories: Any) -> Any:
        return results.record(data, *histories, pseudonym=pseudonym, origin=origin, at=at)

    stream = f"result/{ids.derived_id(issuance.settings.server_secret, 'res', wish.command)}"
    reads = (f"institution/{wish.tenant}", f"achievement/{data.achievement_id}", f"learner/{pseudonym}")
    decision = await issuance.store.decide(stream, rule, wish=wish, reads=reads, names=names, new=True)
    return decision.events, "replayed" if decision.replayed else "recorded"


async def _with_external_id(
    issuance: Issuance, wish: Wish, data: RecordResult, position: int
) -> tuple[tuple[Recorded, ...], Outcome]:
    """What a wish gets whose external id is taken: that result, where it is the same learner's and a return was asked
    for. Raises AlreadyRecorded."""
    holder = await issuance.store.at(position)
    if holder.command_id == wish.command:
        return (holder,), "replayed"
    known = {await issuance.vault.find(wish.tenant, one) for one in awards.identifiers_of(data.learner)}
    event = holder.event
    same = isinstance(event, ResultRecorded) and event.achievement_id == data.achievement_id and holder.subject in known
    if same and data.on_duplicate == "return":
        return tuple(await issuance.store.load(holder.stream)), "returned"
    what = "is that of" if same else "was given to another learner or achievement, by"
    raise AlreadyRecorded(f"This external_id {what} the result {result_id(holder)}; it can be given once.")


async def _first(issuance: Issuance, tenant: str, result_id: str) -> tuple[str, str]:
    """The achievement and the learner's pseudonym of a result of this tenant. Raises NotFound."""
    recorded = (await issuance.history(f"result/{result_id}", tenant, "result"))[0]
    event = recorded.event
    if not isinstance(event, ResultRecorded):
        raise TypeError("a result begins with result.recorded")
    return event.achievement_id, str(recorded.subject)


async def _changed(
    issuance: Issuance, wish: Wish, result_id: str, rule: Any, reads: list[str]
) -> tuple[ResultAnswer, bool]:
    """Decide on the result's stream and answer with what it then was; a retry gives the same answer."""
    stream = f"result/{result_id}"
    decision = await issuance.store.decide(stream, rule, wish=wish, reads=reads)
    history = await issuance.store.load(stream)
    upto = decision.events[-1].version if decision.events else None
    return await answer_for(issuance, history, upto), decision.replayed
