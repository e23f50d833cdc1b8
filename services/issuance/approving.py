"""Awards that take a second key: the shell around `ledger.approvals`.

Approving is a fact of its own and comes first, so of two keys that decide at once one is recorded. Then the award is
made by the rule that makes every award, under a command that follows from the approval: whoever asks again, and the
follower that finishes what a crash left, finds it or makes it, once.
"""

import asyncio
from contextlib import suppress
from typing import Any

import structlog

from issuance import award_proposals, awarding
from issuance.awarding import Made
from issuance.institutions import active_institution
from issuance.parts import Issuance, now
from issuance.signing import TRANSIENT
from ledger import approvals, errors, ids
from ledger.approvals import Approval, RefuseProposal
from ledger.codec import Actor
from ledger.errors import LedgerError
from ledger.store import Wish
from ledger.store.store import PERSON

SWEEP_SECONDS = 5.0

log = structlog.get_logger()


async def read(issuance: Issuance, approval_id: str, tenant: str) -> tuple[Approval, dict[str, Any]]:
    """An approval of this institution, and the wish as it was proposed. Raises NotFound or Erased."""
    approval = await _own(issuance, approval_id, tenant)
    opened = await issuance.vault.open(approval.proposed)
    wish: dict[str, Any] = opened[award_proposals.WISH]
    return approval, wish


async def approve(issuance: Issuance, wish: Wish, approval_id: str) -> tuple[Made, bool]:
    """The award that this approval makes, or made before, and whether an earlier try of the request had given it.

    Raises NotFound, Erased, and what awarding raises; Refused also where the decider proposed it.
    """
    earlier, at = await issuance.store.earlier(wish), now()
    approval = await _own(issuance, approval_id, wish.tenant)
    if earlier is None:
        same = await _same(issuance, approval, wish)
        if approval.status == "open":
            data = award_proposals.proposed_wish(await issuance.vault.open(approval.proposed))
            await awarding.check(issuance, wish.tenant, data, approval_id)

        def rule(history: Any, institution: Any) -> Any:
            active_institution(institution)
            return approvals.give(history, same=same, at=at)

        reads = (f"institution/{wish.tenant}",)
        await issuance.store.decide(issuance.approvals.stream(approval_id), rule, wish=wish, reads=reads)
    return await _finish(issuance, await issuance.approvals.one(approval_id)), earlier is not None


async def refuse(issuance: Issuance, wish: Wish, approval_id: str, data: RefuseProposal) -> tuple[Approval, bool]:
    """The refused proposal, and whether an earlier try of the request had refused it. Raises NotFound or Refused."""
    earlier, at = await issuance.store.earlier(wish), now()
    approval = await _own(issuance, approval_id, wish.tenant)
    if earlier is None:
        same = await _same(issuance, approval, wish)

        def rule(history: Any, institution: Any) -> Any:
            active_institution(institution)
            return approvals.refuse(data, history, same=same, at=at)

        reads = (f"institution/{wish.tenant}",)
        await issuance.store.decide(issuance.approvals.stream(approval_id), rule, wish=wish, reads=reads)
    return await issuance.approvals.one(approval_id), earlier is not None


async def sweep(issuance: Issuance) -> None:
    """For ever: make the awards that were approved and that a crash kept from being made."""
    left_alone: set[str] = set()
    while True:
        with suppress(*TRANSIENT):
            for approval_id in await issuance.approvals.unfinished():
                if approval_id in left_alone:
                    continue
                try:
                    await _finish(issuance, await issuance.approvals.one(approval_id))
                    log.info("approved award made", approval=approval_id)
                except LedgerError as error:
                    if isinstance(error, TRANSIENT):
                        raise
                    log.warning("approved award cannot be made", approval=approval_id, reason=error.code)
                # Made, or not to be made as things stand: whoever approves again hears why.
                left_alone.add(approval_id)
        await asyncio.sleep(SWEEP_SECONDS)


async def _finish(issuance: Issuance, approval: Approval) -> Made:
    """The award of an approval that was given. Raises as `awarding.decide` does."""
    if approval.decided is None or approval.status != "approved":
        raise errors.Refused("This was refused, for good; propose it anew.")
    giver = approval.decided.actor
    wish = Wish(
        tenant=approval.proposed.tenant,
        command=ids.caused_command(issuance.settings.server_secret, "approval", approval.id),
        actor=Actor(giver["key"], giver["role"], giver.get("request")),
    )
    data = award_proposals.proposed_wish(await issuance.vault.open(approval.proposed))
    return await awarding.decide(issuance, wish, data, approval=approval.id)


async def _own(issuance: Issuance, approval_id: str, tenant: str) -> Approval:
    approval = await issuance.approvals.one(approval_id)
    if approval.proposed.tenant != tenant:
        raise errors.NotFound("There is no such approval.")
    return approval


async def _same(issuance: Issuance, approval: Approval, wish: Wish) -> str | None:
    """What proposer and decider have in common: the key, the person, or nothing."""
    if await approvals.same_decider(issuance.store, approval.proposer, wish.actor.key):
        return "key"
    if wish.person is None:
        return None
    person = (await issuance.vault.open(approval.proposed)).get(PERSON)
    return "person" if person == wish.person else None
