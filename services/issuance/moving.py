"""An institution's move to another DID: its document is asked for at the new address, through the guard, and judged by
the rule in `issuance.institution_life`."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from issuance import institution_life as life
from issuance.institution_life import MoveInstitution
from issuance.institutions import existing
from issuance.parts import Issuance, now
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.dids import did_web_url
from ledger.events import LEDGER_TENANT
from ledger.outbound import Limits
from ledger.proofs import ProofError, decode
from ledger.store import Name, Wish

LIMITS: Final = Limits(size_bytes=256 * 1024, seconds=8.0, redirects=2)
ACCEPT: Final = "application/did+json, application/did+ld+json;q=0.9, application/json;q=0.8"

Rule = Callable[[Sequence[Recorded]], list[Fact]]


async def rule_for(issuance: Issuance, wish: Wish, data: MoveInstitution) -> tuple[Rule, tuple[Name, ...]]:
    """The rule that decides this move, with what lies at the new address now, and the name that it takes: a DID is one
    institution's, for ever.

    Raises NotFound, Refused, TargetRefused or Unreachable.
    """
    own_host, at = urlsplit(issuance.settings.public_url).netloc, now()
    institution = existing(await issuance.store.load(f"institution/{wish.tenant}"))
    document: dict[str, Any] = {}
    if institution.did != data.did and await issuance.store.earlier(wish) is None:
        life.check_did(data.did, own_host=own_host, institution=institution)
        if data.did in institution.former_dids and urlsplit(did_web_url(data.did)).netloc == own_host:
            document = life.document_for(institution, data.did)  # served here, so there is nothing to ask
        else:
            document = await _fetched(issuance, data.did)

    def rule(history: Sequence[Recorded]) -> list[Fact]:
        return life.move(data, history, document=document, own_host=own_host, at=at)

    # Who comes back to a DID took its name before.
    known = data.did in (institution.did, *institution.former_dids)
    return rule, () if known else (Name(LEDGER_TENANT, "institution.did", hashlib.sha256(data.did.encode()).digest()),)


async def _fetched(issuance: Issuance, did: str) -> dict[str, Any]:
    url = did_web_url(did)
    parts = urlsplit(url)
    if issuance.outbound.is_exception(parts.hostname or "", parts.port or 443):
        url = parts._replace(scheme="http").geturl()  # a place that the operator of a test ledger opened
    fetched = await issuance.outbound.get(url, accept=ACCEPT, limits=LIMITS)
    try:
        document = decode(fetched.body)
    except ProofError as error:
        raise errors.Refused(f"What lies at {url} is no DID document: {error.detail}") from error
    if not isinstance(document, dict):
        raise errors.Refused(f"What lies at {url} is no DID document: it is no object.")
    return document
