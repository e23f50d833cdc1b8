"""What the checks of a verification may know: from our own tables, the vault and, for status lists, revocation.

Nothing of ours is fetched over HTTP. A status list is asked for over the bus, and an answer is kept for a second at
most: so a change of standing shows within that time.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from ledger.bus import Bus
from ledger.errors import NotFound, Unavailable
from ledger.vault import Kept
from registry.awards import HIDDEN, Award
from registry.issuers import Issuer, IssuerKey
from registry.parts import Reads
from registry.verification.knowledge import (
    Correction,
    KnownInstitution,
    KnownKey,
    RecordedAward,
    Renewal,
    Standing,
)

LIST_SUBJECT = "cmd.revocation.list.v1"
LIST_TIMEOUT_SECONDS = 0.5
LIST_KEPT_SECONDS = 1.0
LISTS_KEPT = 256
STATES = {"valid": "good", "suspended": "suspended", "revoked": "revoked"}

log = structlog.get_logger()


class RegistryKnowledge:
    """The port `registry.verification.knowledge.Knowledge` over the registry."""

    def __init__(self, reads: Reads, bus: Bus, clock: Callable[[], float] = time.monotonic) -> None:
        self._reads, self._bus, self._clock = reads, bus, clock
        self._lists: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()

    async def institution_by_did(self, did: str) -> KnownInstitution | None:
        """The institution with this DID, of now or before, active or not; its keys are named under that DID."""
        issuer = await self._reads.issuers.one(did)
        return None if issuer is None else _institution(issuer.under(did))

    async def institution_named(self, name: str) -> KnownInstitution | None:
        """An active institution whose name reads like this one."""
        issuer = await self._reads.issuers.named(name)
        return None if issuer is None else _institution(issuer)

    async def recorded(self, capability: str, unsecured: dict[str, Any]) -> RecordedAward | None:
        """The award whose credential is exactly this one, and the position of the document's event in the log."""
        kept = await self._reads.documents.is_this(capability, unsecured)
        if kept is None:
            return None
        if not await self._has_seen(kept):  # its document is there, so its event is: our tables are behind
            await self._reads.caught_up()
            if not await self._has_seen(kept):
                raise Unavailable("The registry has not caught up with the log yet; try again.", retry_after_seconds=1)
        return RecordedAward(kept.award_id, kept.position)

    async def document(self, capability: str) -> dict[str, Any] | None:
        """The credential with its embedded proofs that lies at this capability, unless its learner closed it."""
        opened = await self._reads.documents.open(capability)
        if opened is None or await self._reads.awards.visibility(opened.award_id) == HIDDEN:
            return None
        document: dict[str, Any] = msgspec.json.decode(opened.formats.vc)
        return document

    async def standing(self, award_id: str) -> Standing | None:
        """How the award stands, by everything that the log holds at this moment. Raises Unavailable when our tables
        cannot follow: then nobody may be told that it was not withdrawn."""
        if not await self._reads.caught_up():
            raise Unavailable("The registry's tables are behind the log; try again shortly.", retry_after_seconds=1)
        award = await self._reads.awards.one(award_id)
        if award is None:
            return None
        touched = award.standing_position != award.position
        return Standing(
            state=STATES[award.standing],  # type: ignore[arg-type]
            effective=award.standing_since if touched else None,
            position=award.standing_position if touched else None,
            corrections=tuple(
                Correction(entry.position, entry.recorded_at, entry.reason_code or "other")
                for entry in award.corrections
            ),
            renewal=_renewal(award),
        )

    async def _has_seen(self, kept: Kept) -> bool:
        award = await self._reads.awards.one(kept.award_id)
        return award is not None and any(entry.position == kept.position for entry in award.history)

    async def own_status_list(self, list_id: str) -> dict[str, Any] | None:
        """The signed list as revocation gives it, at most a second old; None when it cannot be asked."""
        known = self._lists.get(list_id)
        asked_at = self._clock()
        if known is not None and asked_at - known[0] < LIST_KEPT_SECONDS:
            return known[1]
        try:
            raw = await self._bus.request(LIST_SUBJECT, msgspec.json.encode({"list_id": list_id}), LIST_TIMEOUT_SECONDS)
        except Unavailable:
            return None
        answer: dict[str, Any] = msgspec.json.decode(raw)
        credential: dict[str, Any] | None = answer.get("credential")
        if credential is None:
            _refuse_unknown(answer)
            return None
        # Counted from before the question: the answer may be as old as that.
        self._lists[list_id] = (asked_at, credential)
        self._lists.move_to_end(list_id)
        if len(self._lists) > LISTS_KEPT:
            self._lists.popitem(last=False)
        return credential


def _renewal(award: Award) -> Renewal | None:
    counting = [by for by in award.renewed_by if by.standing != "revoked"]
    return Renewal(counting[-1].id, counting[-1].position, counting[-1].recorded_at) if counting else None


def _refuse_unknown(answer: dict[str, Any]) -> None:
    code = (answer.get("error") or {}).get("code")
    if code == "not_found":
        raise NotFound("There is no such status list.")
    log.warning("revocation gave no status list", code=code)


def _institution(issuer: Issuer) -> KnownInstitution:
    return KnownInstitution(
        id=issuer.id,
        did=issuer.did,
        slug=issuer.slug,
        name=issuer.name,
        active=issuer.active,
        state=issuer.state,
        successor=issuer.successor.name if issuer.successor else None,
        keys=tuple(_key(key) for key in issuer.keys),
    )


def _key(key: IssuerKey) -> KnownKey:
    added, retired, compromised = (key.change(name) for name in ("added", "retired", "compromised"))
    if added is None:
        raise LookupError("a key was changed that was never added")
    return KnownKey(
        id=key.verification_method,
        algorithm=key.algorithm,
        public_key=key.public_key,
        added=added.effective,
        added_position=added.position,
        retired=retired.effective if retired else None,
        retired_position=retired.position if retired else None,
        compromised=compromised.effective if compromised else None,
        compromised_position=compromised.position if compromised else None,
    )
