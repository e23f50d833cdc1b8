"""Status lists that other systems publish: fetched through the guard, read as credentials, and judged as such.

A list counts only when it is a BitstringStatusListCredential whose proofs hold, by keys of its own issuer, within its
period of validity. It may have another issuer than the credential (Bitstring Status List 1.0); which list counts is
what the credential's own proofs cover.
"""

from datetime import datetime
from typing import Any, Final

from ledger.canonicaliser import Canonicaliser
from ledger.credentials.data_model import structure_errors
from ledger.outbound import Limits, Outbound, TargetRefused, Unreachable
from registry.verification import reading
from registry.verification.content import issuer_of, told, validity_check
from registry.verification.methods import Methods
from registry.verification.origin import key_check
from registry.verification.reading import Presented, Unreadable
from registry.verification.signatures import signatures_of
from registry.verification.status import RETRIEVAL, VERIFICATION, StatusFault

LIST_TYPE: Final = "BitstringStatusListCredential"
LIMITS: Final = Limits(size_bytes=reading.DOCUMENT_LIMIT, seconds=4.0, redirects=2)
ACCEPT: Final = "application/vc, application/vc+jwt, application/ld+json;q=0.9, application/json;q=0.9"
UNJUDGED: Final = "Whether it was withdrawn could not be judged: "


class ForeignLists:
    """The lists of one verification, each fetched once."""

    def __init__(self, outbound: Outbound, methods: Methods, canonicaliser: Canonicaliser, now: datetime) -> None:
        self._outbound, self._methods, self._canonicaliser, self._now = outbound, methods, canonicaliser, now
        self._lists: dict[str, dict[str, Any]] = {}

    async def fetch(self, url: str) -> dict[str, Any]:
        """The verified list credential at `url`. Raises StatusFault."""
        url = url.partition("#")[0]
        if url not in self._lists:
            presented = await self._read(url)
            await self._check(presented, url)
            self._lists[url] = presented.document
        return self._lists[url]

    async def _read(self, url: str) -> Presented:
        try:
            fetched = await self._outbound.get(url, accept=ACCEPT, limits=LIMITS)
            return reading.from_bytes(fetched.body)
        except (TargetRefused, Unreachable) as error:
            raise StatusFault(f"{UNJUDGED}its status list cannot be had. {error.detail}", RETRIEVAL) from error
        except Unreadable as error:
            raise StatusFault(f"{UNJUDGED}its status list cannot be read. {error.detail}", RETRIEVAL) from error

    async def _check(self, presented: Presented, url: str) -> None:
        document = presented.document
        kinds = document.get("type")
        if LIST_TYPE not in (kinds if isinstance(kinds, list) else [kinds]) or document.get("id", url) != url:
            raise StatusFault(f"{UNJUDGED}at the list's address lies something else.", VERIFICATION)
        if faults := structure_errors(document):
            raise StatusFault(f"{UNJUDGED}its status list is malformed: {told(faults)}.", VERIFICATION)
        signatures = await signatures_of(presented, self._methods, self._canonicaliser, self._now)
        key = key_check(signatures.signatories, issuer_of(document), None, self._now)
        checks = [signatures.contexts, *signatures.proofs, key, validity_check(document, self._now)]
        wrong = next((check for check in checks if check.status != "passed"), None)
        if wrong is not None:
            raise StatusFault(f"{UNJUDGED}its status list does not hold. {wrong.detail}", VERIFICATION)
