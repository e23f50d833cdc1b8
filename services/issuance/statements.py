"""xAPI statements, from the request to results and awards: the shell around `issuance.mapping.statements`.

Rules. A batch is taken or refused whole (xAPI 1.0.3, Part 3 §3.2): everything is judged before anything is recorded. A
statement's id names the wish: sent again with the same content it changes nothing, with another it conflicts. A retry
is judged by the mappings that counted when its statement was first taken. Statements with other verbs, or of activities
that no mapping names, pass by: nothing of them is kept.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec

from issuance import intake, recording
from issuance.intake import Rehearsal
from issuance.mapping import Mapping, RowAction, RowFault, apply
from issuance.mapping.statements import Statement, compared, record_of, statements_of
from issuance.parts import Issuance, now
from issuance.results import Origin, WithdrawResult
from ledger import errors, ids
from ledger.codec import Actor
from ledger.errors import FieldError, LedgerError
from ledger.store import Request, Wish
from ledger.vault import Erased

ROUTE = "xapi/statements"
VOIDED = WithdrawResult(reason_code="voided")


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: the ids in its order; how many results and awards came of it now, or were withdrawn; how
    many statements passed by."""

    ids: list[str]
    made: int
    passed_by: int


class Sender(msgspec.Struct, frozen=True):
    """Who sends: the institution, the actor of the events, and whether the key opens awarding."""

    tenant: str
    actor: Actor
    may_award: bool


class _Judged(msgspec.Struct, frozen=True):
    """A statement that was judged: its id, its wish, and what each mapping makes of it."""

    id: str
    wish: Wish
    statement: Statement
    sent: dict[str, Any]
    known: bool
    plans: list[tuple[Mapping, list[RowAction]]]


async def take(issuance: Issuance, sender: Sender, body: Any) -> Taken:
    """Take a statement or an array of them. Raises Malformed, Conflict or Forbidden with nothing recorded, or
    Unavailable: sent again, the rest follows."""
    statements = statements_of(body)
    sent: list[dict[str, Any]] = body if isinstance(body, list) else [body]
    await issuance.caught_up()
    mappings = await issuance.store.pool.fetch(MAPPINGS, sender.tenant)
    states = [await intake.mapping_state(issuance, sender.tenant, row["mapping_id"]) for row in mappings]
    judged = []
    for number, (statement, one) in enumerate(zip(statements, sent, strict=True)):
        pointer = f"/{number}" if isinstance(body, list) else ""
        judged.append(await _judge(issuance, sender, statement, one, states, pointer))
    await _rehearse(issuance, sender, judged)
    made = [await _carry_out(issuance, one) for one in judged]
    passed_by = sum(not one.plans and one.statement.voids is None for one in judged)
    return Taken(ids=[one.id for one in judged], made=sum(made), passed_by=passed_by)


async def _judge(
    issuance: Issuance, sender: Sender, statement: Statement, sent: dict[str, Any], states: Sequence[Any], pointer: str
) -> _Judged:
    statement_id = (statement.id or str(uuid4())).lower()
    secret = issuance.settings.server_secret
    wish = Wish(
        tenant=sender.tenant,
        command=ids.command_id(secret, sender.tenant, ROUTE, statement_id),
        actor=sender.actor,
        request=Request(
            tenant=sender.tenant,
            route=ROUTE,
            key_hash=ids.key_hash(secret, statement_id),
            fingerprint=ids.fingerprint(secret, compared(sent)),
        ),
    )
    try:
        earlier = await issuance.store.earlier(wish)
    except errors.KeyReused as reused:
        where = [FieldError(f"{pointer}/id", "another statement was sent with this id")]
        raise errors.Conflict("A statement never changes; give the new one an id of its own.", errors=where) from reused
    position = earlier.events[0].position if earlier is not None else None
    plans = []
    for state in states if statement.outcome else ():
        mapping = state.as_of(position)
        actions = apply(mapping, record_of(statement)) if mapping is not None else []
        if isinstance(actions, RowFault):
            said = [FieldError(pointer, f"{e.pointer} {e.detail}") for e in actions.errors]
            raise errors.Malformed("The mapping cannot read a statement.", errors=said)
        if mapping is not None and actions:
            plans.append((mapping, actions))
    return _Judged(statement_id, wish, statement, sent, earlier is not None, plans)


async def _rehearse(issuance: Issuance, sender: Sender, judged: Sequence[_Judged]) -> None:
    """Refuse the batch where something in it would be refused. Raises Malformed or Forbidden."""
    rehearsal = Rehearsal(issuance, sender.tenant)
    for one in judged:
        for action in (action for _, actions in one.plans for action in actions):
            if action[0] == "award" and not sender.may_award:
                raise errors.Forbidden("The mapping awards, and the key does not hold the scope awards:write.")
            if one.known:
                continue
            try:
                await rehearsal.plan(action, at=now())
            except errors.Unavailable:
                raise
            except LedgerError as refused:
                raise errors.Malformed(refused.detail, errors=refused.errors) from refused


async def _carry_out(issuance: Issuance, judged: _Judged) -> int:
    """How many results and awards came of a statement now, or were withdrawn by it."""
    if judged.statement.voids is not None:
        return await _void(issuance, judged, judged.statement.voids)
    made = 0
    for number, (mapping, actions) in enumerate(judged.plans):
        origin = Origin(
            name=_origin(issuance, judged.wish.tenant, judged.id),
            mapping=mapping.id,
            mapping_version=mapping.version,
            statement=judged.sent,
        )
        wish = judged.wish if number == 0 else issuance.follow_up(judged.wish, f"mapping-{number}")
        try:
            carried = await intake.carry_out(issuance, wish, actions, origin)
            made += sum(one.outcome in ("recorded", "awarded") for one in carried)
        except Erased as erased:
            if not judged.known:
                raise errors.Unavailable("The learner is being erased at this moment; try again.") from erased
    return made


async def _void(issuance: Issuance, judged: _Judged, voided: str) -> int:
    """Withdraw what a statement led to (Part 2 §2.3.2). Awards stay: revoking one is a decision of its own."""
    await issuance.caught_up()
    origin = _origin(issuance, judged.wish.tenant, voided)
    rows = await issuance.store.pool.fetch(RESULTS, judged.wish.tenant, origin)
    for number, row in enumerate(rows):
        wish = judged.wish if number == 0 else issuance.follow_up(judged.wish, f"void-{number}")
        with suppress(errors.Gone):  # an erased learner's: nothing of it is left to withdraw
            await recording.withdraw_result(issuance, wish, row["result_id"], VOIDED)
    return len(rows)


def _origin(issuance: Issuance, tenant: str, statement_id: str) -> str:
    """The opaque name of a statement, by which what came of it is found."""
    return ids.named_id(issuance.settings.server_secret, "org", f"{tenant}/{ROUTE}/{statement_id.lower()}")


MAPPINGS = "SELECT mapping_id FROM issuance.mappings WHERE tenant = $1 AND source = 'xapi' ORDER BY position"
RESULTS = "SELECT result_id FROM issuance.results WHERE tenant = $1 AND origin = $2 AND NOT withdrawn ORDER BY position"
