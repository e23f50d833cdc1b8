"""The verification: one credential in, named checks and a verdict out. A submission is neither kept nor logged.

Verifier → reading (a document, a JWT, an address or a picture becomes one credential)
         → content (structure, validity, schema, recipient) · signatures (proofs, contexts) · origin (key_at_time,
           recorded, issuer_recognised) · status
         → verdict
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec

from ledger.canonicaliser import Canonicaliser
from ledger.errors import FieldError, Malformed, Refused
from ledger.outbound import Limits, Outbound, TargetRefused, Unreachable
from ledger.settings import Settings
from registry.verification import content, reading
from registry.verification.addresses import Addresses
from registry.verification.content import Recipient
from registry.verification.knowledge import Knowledge
from registry.verification.methods import Methods
from registry.verification.origin import SANDBOX, Record, key_check, recognised_check, recorded_check
from registry.verification.reading import Presented, Unreadable
from registry.verification.signatures import Signatures, signatures_of
from registry.verification.status import status_check
from registry.verification.status_lists import ForeignLists
from registry.verification.verdict import Check, Verdict, failed, unread, verdict_of

A = TypeVar("A")
B = TypeVar("B")

IMAGE_LIMIT: Final = 1_450_000  # base64 of a little more than 1 MiB
LIMITS: Final = Limits(redirects=3)
ACCEPT: Final = (
    "application/vc, application/vc+jwt, application/ld+json;q=0.9, application/json;q=0.9, image/png;q=0.8,"
    " image/svg+xml;q=0.8"
)


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody wants judged: exactly one of the first four. `image` is a baked PNG or SVG as base64 or data URL;
    `recipient` the person it should belong to."""

    credential: dict[str, Any] | None = None
    jwt: Annotated[str, msgspec.Meta(max_length=reading.DOCUMENT_LIMIT)] | None = None
    url: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    image: Annotated[str, msgspec.Meta(max_length=IMAGE_LIMIT)] | None = None
    recipient: Recipient | None = None

    def __repr__(self) -> str:
        return "Submission(…)"


class Verifier:
    """Judges credentials. `test` marks what a ledger in test mode says; `clock` gives aware UTC times."""

    def __init__(
        self,
        knowledge: Knowledge,
        outbound: Outbound,
        canonicaliser: Canonicaliser,
        addresses: Addresses,
        *,
        test: bool,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._knowledge, self._outbound, self._canonicaliser = knowledge, outbound, canonicaliser
        self._addresses, self._test, self._clock = addresses, test, clock

    async def verify(self, submission: Submission) -> Verdict:
        """The verdict on what was handed in.

        Raises Malformed unless exactly one thing was, Refused for an address that holds nothing or must not be asked,
        Unavailable when the database is away or too many documents wait.
        """
        given = [name for name in ("credential", "jwt", "url", "image") if getattr(submission, name) is not None]
        if len(given) != 1:
            where = [FieldError("", "exactly one of credential, jwt, url and image is required")]
            raise Malformed("Hand in one credential: as a document, a JWT, an address or a picture.", errors=where)
        if submission.url is not None:
            return await self.url(submission.url, submission.recipient)
        readers: dict[str, Callable[[Any], Presented]] = {
            "credential": reading.from_document,
            "jwt": reading.from_jwt,
            "image": reading.from_image,
        }
        value = getattr(submission, given[0])
        return await self._read(lambda: readers[given[0]](value), submission.recipient)

    async def verify_document(self, document: dict[str, Any], recipient: Recipient | None = None) -> Verdict:
        """The verdict on a credential as a JSON object."""
        return await self._read(lambda: reading.from_document(document), recipient)

    async def content(self, raw: bytes, recipient: Recipient | None = None) -> Verdict:
        """The verdict on the bytes of a file: JSON, a JWT or a baked picture."""
        return await self._read(lambda: reading.from_bytes(raw), recipient)

    async def url(self, url: str, recipient: Recipient | None = None) -> Verdict:
        """The verdict on what lies at an address; one of ours is opened inside. Raises Refused."""
        url = url.strip()
        if not self._addresses.is_own_url(url):
            raw = await self._fetched(url)
            return await self._read(lambda: reading.from_bytes(raw), recipient)
        capability = self._addresses.capability(url)
        document = await self._knowledge.document(capability) if capability is not None else None
        if document is None:
            raise _refused("There is no credential at this address of this ledger, or no longer.")
        return await self.verify_document(document, recipient)

    async def _fetched(self, url: str) -> bytes:
        try:
            return (await self._outbound.get(url, accept=ACCEPT, limits=LIMITS)).body
        except (TargetRefused, Unreachable) as error:
            raise _refused(error.detail) from error

    async def _read(self, read: Callable[[], Presented], recipient: Recipient | None) -> Verdict:
        try:
            presented = read()
        except Unreadable as error:
            reason = failed("structure", error.detail, code="PARSING_ERROR", errors=error.errors)
            return unread(reason, test=self._test)
        return await self._judge(presented, recipient)

    async def _judge(self, presented: Presented, recipient: Recipient | None) -> Verdict:
        now, document = self._clock(), presented.document
        methods = Methods(self._knowledge, self._outbound, self._addresses)
        # First, since it waits for our tables to have seen the award: then they have seen the key that signed it.
        record = await self._record(presented)
        lists = ForeignLists(self._outbound, methods, self._canonicaliser, now)
        signatures, status = await _both(
            signatures_of(presented, methods, self._canonicaliser, now),
            status_check(document, record.award, self._knowledge, self._addresses, lists.fetch),
        )
        key = key_check(signatures.signatories, content.issuer_of(document), record.award, now)
        checks = [
            content.structure_check(presented),
            signatures.contexts,
            *signatures.proofs,
            key,
            content.validity_check(document, now),
            status,
            content.schema_check(document),
            recorded_check(record),
            await self._recognised(document, signatures, key),
            content.recipient_check(document, recipient),
        ]
        summary = content.summary_of(document)
        if record.award is not None:
            where = {"award_id": record.award.award_id, "position": record.award.position}
            summary = msgspec.structs.replace(summary, **where)
        return verdict_of(checks, summary, test=self._test or any(check.code == SANDBOX for check in checks))

    async def _record(self, presented: Presented) -> Record:
        identifier, issuer = presented.document.get("id"), content.issuer_of(presented.document)
        url = identifier if isinstance(identifier, str) else ""
        ours = self._addresses.is_own_url(url) or (issuer is not None and self._addresses.is_own_did(issuer))
        capability, award, other = self._addresses.capability(url), None, False
        if capability is not None:
            award = await self._knowledge.recorded(capability, presented.unsecured)
            other = award is None and await self._knowledge.document(capability) is not None
        return Record(claims_ours=ours, award=award, other_text=other)

    async def _recognised(self, document: dict[str, Any], signatures: Signatures, key: Check) -> Check:
        issuer = document.get("issuer")
        name = content.label(issuer.get("name")) if isinstance(issuer, dict) else None
        namesake = await self._knowledge.institution_named(name) if name else None
        sound = signatures.sound and key.status == "passed"
        return recognised_check(signatures.signatories, sound=sound, name=name, namesake=namesake)


def verifier_for(settings: Settings, knowledge: Knowledge, canonicaliser: Canonicaliser) -> Verifier:
    """The verifier of a registry with these settings."""
    addresses = Addresses(settings.public_url, settings.status_url)
    outbound = Outbound(settings.outbound_allow)
    return Verifier(knowledge, outbound, canonicaliser, addresses, test=settings.test_mode)


async def _both(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Both results, worked on at the same time; the first error, by itself, when one fails."""
    try:
        async with asyncio.TaskGroup() as together:
            tasks = together.create_task(first), together.create_task(second)
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return tasks[0].result(), tasks[1].result()


def _refused(detail: str) -> Refused:
    return Refused(detail, errors=[FieldError("/url", detail)])
