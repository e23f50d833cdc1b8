"""Signing, after COMMIT: the event names the keys, the document follows from the event, and every format is kept.

An award's event has a document, and so has each of its corrections. Deterministic: signing the same again, at a retry
or after a crash, gives the same bytes; with keys in an HSM, whose ECDSA is not, what was kept first counts. A
follower signs what a crash left unsigned; a document whose key was destroyed meanwhile stays unsigned and is reported.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from issuance.documents import Addresses
from issuance.institutions import Institution, institution_of
from ledger import errors
from ledger.codec import Recorded, parse_time
from ledger.events import AchievementPublished, DocumentIssued
from ledger.keys import KeyGone, SigningKeys
from ledger.proofs import secure, vc_jwt
from ledger.proofs.problems import ProofError
from ledger.store import Store
from ledger.store.away import DATABASE_AWAY
from ledger.vault import Document, Documents, Erased, Formats, Owner, Vault

Turn = Callable[[], Awaitable[None]]
SWEEP_SECONDS = 1.0
GRACE_SECONDS = 5.0

log = structlog.get_logger()


class Signed(msgspec.Struct, frozen=True):
    """An award as its institution gets it: the capability behind its URL, the credential in all formats, and the
    institution's own name for it."""

    capability: str
    pseudonym: str
    formats: Formats
    external_id: str | None = None


class Signing:
    """Builds, signs and keeps the documents of awards and their corrections."""

    def __init__(self, store: Store, vault: Vault, keys: SigningKeys, addresses: Addresses) -> None:
        self._store, self._vault, self._keys, self._addresses = store, vault, keys, addresses
        self._documents = Documents(store.pool)

    async def sign(self, recorded: Recorded, personal: dict[str, Any] | None = None) -> Signed:
        """The event's credential, signed with the keys that the event names, and kept.

        `personal` spares opening the vault when the values are at hand. Raises Erased, or Unavailable when a key is
        gone and nothing was kept.
        """
        if personal is None:
            personal = await self._vault.open(recorded)
        capability = personal["capability"]
        if not self._keys.repeatable and (kept := await self._documents.open(capability)) is not None:
            return Signed(capability, str(recorded.subject), kept.formats, personal.get("external_id"))
        try:
            document = await self._document(recorded, personal)
        except errors.Unavailable:
            kept = await self._documents.open(capability)
            if kept is None:
                raise
            return Signed(capability, str(recorded.subject), kept.formats, personal.get("external_id"))
        if not await self._documents.keep(document):
            raise Erased("This learner's record was erased.")
        formats = document.formats
        if not self._keys.repeatable and (kept := await self._documents.open(capability)) is not None:
            formats = kept.formats  # another process may have signed the same event first
        return Signed(capability, str(recorded.subject), formats, personal.get("external_id"))

    async def sign_many(self, awards: Sequence[tuple[Recorded, dict[str, Any] | None]], turn: Turn) -> None:
        """Sign and keep the credentials of many events; `turn` is awaited between two of them, so that others get
        theirs. What cannot be signed now (a key is gone, a learner was erased) is left to the sweep, which says so."""
        documents = []
        for recorded, personal in awards:
            with suppress(KeyGone, Erased, ProofError):
                documents.append(await self._document(recorded, personal or await self._vault.open(recorded)))
            await turn()
        await self._documents.keep_many(documents)

    async def _document(self, recorded: Recorded, personal: dict[str, Any]) -> Document:
        event = _issued(recorded)
        institution, published = await self._pinned(recorded, event)
        unsigned, formats = await self._formats(event, personal, institution, published)
        owner = Owner(recorded.tenant, str(recorded.subject), award_id(recorded), recorded.position)
        return Document(owner, personal["capability"], unsigned, formats)

    async def _formats(
        self, event: DocumentIssued, personal: dict[str, Any], institution: Institution, published: Recorded
    ) -> tuple[dict[str, Any], Formats]:
        unsigned = self._addresses.unsigned(event, personal, institution, published)
        ed25519, p256 = [await self._keys.signer(k, f"{institution.did}#{k}") for k in event.keys]
        issued = parse_time(event.issued)

        def signed() -> Formats:
            credential = msgspec.json.encode(secure(unsigned, ed25519, issued)).decode()
            return Formats(credential, vc_jwt.sign(unsigned, p256))

        # A module may take its time, and would keep everybody waiting.
        return unsigned, signed() if self._keys.repeatable else await asyncio.to_thread(signed)

    async def _pinned(self, recorded: Recorded, event: DocumentIssued) -> tuple[Institution, Recorded]:
        """The profile and the achievement version that the event pins; both never change."""
        history = await self._store.load_cached(f"institution/{recorded.tenant}")
        institution = institution_of(history, event.profile_version)
        if institution is None or institution.version < event.profile_version:
            history = await self._store.load_cached(f"institution/{recorded.tenant}", fresh=True)
            institution = institution_of(history, event.profile_version)
        if institution is None:
            raise RuntimeError(f"position {recorded.position} pins what the log does not hold")
        return institution, await self.published(event)

    async def published(self, event: DocumentIssued) -> Recorded:
        """The achievement version that an award pins."""
        for fresh in (False, True):  # what is cached may be behind
            history = await self._store.load_cached(f"achievement/{event.achievement_id}", fresh=fresh)
            if (published := _published(history, event.achievement_version)) is not None:
                return published
        raise RuntimeError(f"an award pins version {event.achievement_version} of {event.achievement_id}, which is not")

    async def sweep(self) -> None:
        """For ever: sign what has no document some seconds after its event (a crash came between)."""
        after = 0
        while True:
            with suppress(*TRANSIENT):
                after = await self._sweep_once(after)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _sweep_once(self, after: int) -> int:
        # The bound first: what appears or comes of age meanwhile is looked at next time, not passed over.
        bound: int = await self._store.pool.fetchval(SETTLED, after, GRACE_SECONDS)
        for row in await self._store.pool.fetch(UNSIGNED, after, bound):
            recorded = await self._store.at(row["position"])
            try:
                await self.sign(recorded)
            except (Erased, ProofError) as error:
                log.warning("document stays unsigned", position=recorded.position, reason=error.code)
            except errors.Unavailable as error:
                if error.code != KeyGone.code:
                    raise  # away for a while: this one is asked about again
                log.warning("document stays unsigned", position=recorded.position, reason=error.code)
            else:
                log.info("signed what was left", position=recorded.position)
        return bound


def award_id(recorded: Recorded) -> str:
    """The award that a stream is about."""
    return recorded.stream.partition("/")[2]


def _published(history: Sequence[Recorded], version: int) -> Recorded | None:
    for recorded in history:
        event = recorded.event
        if isinstance(event, AchievementPublished) and event.achievement_version == version:
            return recorded
    return None


def _issued(recorded: Recorded) -> DocumentIssued:
    event = recorded.event
    if not isinstance(event, DocumentIssued):
        raise TypeError("only awards and their corrections are signed")
    return event


TRANSIENT: tuple[type[Exception], ...] = (errors.Unavailable, *DATABASE_AWAY)
UNSIGNED = """
SELECT i.position FROM (
  SELECT position, tenant, pseudonym FROM issuance.awards WHERE position > $1 AND position <= $2
  UNION ALL
  SELECT position, tenant, pseudonym FROM issuance.corrections WHERE position > $1 AND position <= $2) i
WHERE NOT EXISTS (SELECT FROM vault.documents d WHERE d.position = i.position)
  AND EXISTS (SELECT FROM vault.data_keys k WHERE k.tenant = i.tenant AND k.pseudonym = i.pseudonym)
ORDER BY i.position
"""
SETTLED = """
SELECT coalesce(max(position), $1) FROM (
  SELECT position, recorded_at FROM issuance.awards WHERE position > $1
  UNION ALL
  SELECT position, recorded_at FROM issuance.corrections WHERE position > $1) i
WHERE recorded_at < now() - make_interval(secs => $2)
"""
