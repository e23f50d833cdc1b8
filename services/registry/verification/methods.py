"""Whose key a verification method is: our institutions' from the registry, did:key from itself, did:web by its address.

Rules. Nothing of ours is fetched, nor the DID document of an institution that moved from here to a host of its own. A
foreign document is asked for through the guard, at most three in one verification;
a place that the operator of a test ledger opened is asked over plain http. A method that cannot be resolved gives a
sentence instead of a key: nothing is then known to be wrong, and nothing verified.
"""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from ledger import dids
from ledger.credentials.lexical import read_time
from ledger.outbound import Limits, Outbound, TargetRefused, Unreachable
from ledger.proofs import ProofError, PublicKey, decode
from ledger.proofs.keys import from_multibase
from registry.verification.addresses import Addresses
from registry.verification.knowledge import Knowledge, KnownInstitution
from registry.verification.origin import Signatory

FETCHES: Final = 3
LIMITS: Final = Limits(size_bytes=256 * 1024, seconds=4.0, redirects=2)
ACCEPT: Final = "application/did+json, application/did+ld+json;q=0.9, application/json;q=0.8"


class Resolved(msgspec.Struct, frozen=True):
    """The key behind a method, or the sentence why there is none; whose it is, where that is known."""

    key: PublicKey | str
    signatory: Signatory | None = None


class Methods:
    """Resolves the methods of one verification; a document is asked for once."""

    def __init__(self, knowledge: Knowledge, outbound: Outbound, addresses: Addresses) -> None:
        self._knowledge, self._outbound, self._addresses = knowledge, outbound, addresses
        self._documents: dict[str, dict[str, Any] | str] = {}

    async def resolve(self, method: str) -> Resolved:
        """The key behind a DID URL."""
        did = method.partition("#")[0]
        try:
            if self._addresses.is_own_did(did):
                return await self._own(did, method)
            if did.startswith("did:key:"):
                return Resolved(dids.key_of_did_key(method), Signatory(method=method, controller=did))
            if did.startswith("did:web:"):
                moved = await self._knowledge.institution_by_did(did)
                return _key_of(moved, method) if moved is not None else await self._foreign(did, method)
        except ProofError as error:
            return Resolved(error.detail)
        return Resolved("Its key is named in a way that is not resolved here; did:key and did:web are.")

    async def _own(self, did: str, method: str) -> Resolved:
        institution = await self._knowledge.institution_by_did(did)
        if institution is None:
            return Resolved(f"No institution of this registry has the DID {did}.")
        return _key_of(institution, method)

    async def _foreign(self, did: str, method: str) -> Resolved:
        if did not in self._documents:
            self._documents[did] = await self._fetched(did)
        document = self._documents[did]
        if isinstance(document, str):
            return Resolved(document)
        found = dids.described(document, method)
        if found.key is None:
            return Resolved(f"The key {method} is of a kind that is not known here, or broken.")
        ends = [_end(text) for text in (found.expires, found.revoked) if text is not None]
        if None in ends:
            return Resolved(f"When the key {method} ends is not written as a time.")
        by = Signatory(
            method=method,
            controller=found.controller,
            may_assert=dids.ASSERTION in found.purposes,
            ended=min((end for end in ends if end is not None), default=None),
        )
        return Resolved(found.key, by)

    async def _fetched(self, did: str) -> dict[str, Any] | str:
        """The document of a foreign did:web, or the sentence why it cannot be had."""
        if len(self._documents) >= FETCHES:
            return f"It names keys of more than {FETCHES} places; no more are asked."
        try:
            url = dids.did_web_url(did)
        except ValueError:
            return f"{did[:200]} is no DID that can be resolved."
        try:
            fetched = await self._outbound.get(self._reachable(url), accept=ACCEPT, limits=LIMITS)
            document = decode(fetched.body)
        except (TargetRefused, Unreachable, ProofError) as error:
            return f"The issuer's keys cannot be had: {error.detail}"
        return document if isinstance(document, dict) else "The issuer's DID document is no object."

    def _reachable(self, url: str) -> str:
        parts = urlsplit(url)
        opened = self._outbound.is_exception(parts.hostname or "", parts.port or 443)
        return parts._replace(scheme="http").geturl() if opened else url


def _key_of(institution: KnownInstitution, method: str) -> Resolved:
    key = next((one for one in institution.keys if one.id == method), None)
    if key is None:
        return Resolved(f"{institution.name} never had a key of this name.")
    by = Signatory(method=method, controller=institution.did, institution=institution, key=key)
    return Resolved(from_multibase(key.public_key), by)


def _end(text: str) -> datetime | None:
    return read_time(text)
