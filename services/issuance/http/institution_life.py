"""`/v1/institutions/{id}/…`: what the operator decides about an institution's life, each with its authority; and the
institution's own policy."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from issuance import institution_life as life
from issuance import moving
from issuance.http.institutions import InstitutionFacts, changed
from issuance.institution_life import (
    CloseInstitution,
    MergeInstitution,
    MoveInstitution,
    RenameInstitution,
    SetPolicy,
    Turn,
)
from issuance.institutions import Institution
from issuance.parts import Issuance, now, own_tenant
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.dids import did_web_url
from ledger.outbound import TargetRefused, Unreachable
from ledger.store import NameTaken
from ledger.web.authority import caller_of
from ledger.web.conditional import require_match, version_etag
from ledger.web.routes import requires
from ledger.web.wishes import WishKey

TAGS = ["Institutions"]
MAY = requires("institutions:write", errors=(errors.NotFound, errors.Refused))
MOVING = (errors.NotFound, errors.Refused, errors.Conflict, TargetRefused, Unreachable)
WhichDid = Annotated[
    str | None,
    QueryParameter(max_length=300, description="A did:web to move to; by default the one that is issued under now."),
]


class DidPlacement(msgspec.Struct, frozen=True):
    """A DID document, and the address at which its DID is resolved: place it there, and again whenever keys change.
    `current` says whether the institution issues under this DID now."""

    did: str
    url: str
    current: bool
    document: dict[str, Any]


@post("/v1/institutions/{institution_id:str}/suspension", tags=TAGS, operation_id="suspendInstitution",
      status_code=200, opt=MAY)  # fmt: skip
async def suspend_institution(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[Turn],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Stop an institution from writing; nobody here vouches for it meanwhile. Reinstating takes it back."""
    at, decided = now(), issuance.wish(request, wish, institution_id)
    return await changed(issuance, decided, lambda history: life.suspend(data, history, at=at))


@post("/v1/institutions/{institution_id:str}/reinstatement", tags=TAGS, operation_id="reinstateInstitution",
      status_code=200, opt=MAY)  # fmt: skip
async def reinstate_institution(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[Turn],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Let a suspended institution write again."""
    at, decided = now(), issuance.wish(request, wish, institution_id)
    return await changed(issuance, decided, lambda history: life.reinstate(data, history, at=at))


@post("/v1/institutions/{institution_id:str}/closure", tags=TAGS, operation_id="closeInstitution",
      status_code=200, opt=MAY)  # fmt: skip
async def close_institution(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[CloseInstitution],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """End an institution, for good. Its awards stay verifiable; the successor decides about their standing."""
    at, decided = now(), issuance.wish(request, wish, institution_id)
    reads = (f"institution/{data.successor}",) if data.successor else ()
    return await changed(issuance, decided, lambda history, *read: life.close(data, history, *read, at=at), reads=reads)


@post("/v1/institutions/{institution_id:str}/merger", tags=TAGS, operation_id="mergeInstitution",
      status_code=200, opt=MAY)  # fmt: skip
async def merge_institution(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[MergeInstitution],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Let an institution go into another one: it is closed, for good, and the other one is its successor."""
    at, decided = now(), issuance.wish(request, wish, institution_id)
    return await changed(
        issuance,
        decided,
        lambda history, into: life.merge(data, history, into, at=at),
        reads=(f"institution/{data.into}",),
    )


@post("/v1/institutions/{institution_id:str}/renaming", tags=TAGS, operation_id="renameInstitution",
      status_code=200, opt=MAY)  # fmt: skip
async def rename_institution(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[RenameInstitution],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Give an institution another name. What it issued keeps the old one; its page tells both."""
    at, decided = now(), issuance.wish(request, wish, institution_id)
    return await changed(issuance, decided, lambda history: life.rename(data, history, at=at))


@get("/v1/institutions/{institution_id:str}/did-document", tags=TAGS, operation_id="getDidPlacement",
     opt=requires("institutions:read", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def get_did_placement(
    institution_id: FromPath[str], issuance: NamedDependency[Issuance], did: WhichDid = None
) -> Response[DidPlacement]:
    """The DID document to be placed at a host of the institution's own before it moves there."""
    return Response(_placement(issuance, await issuance.institution(institution_id), did))


@get("/v1/profile/did-document", tags=["Profile and signing keys"], operation_id="getOwnDidPlacement",
     opt=requires("awards:read", errors=(errors.Refused,)))  # fmt: skip
async def get_own_did_placement(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], did: WhichDid = None
) -> Response[DidPlacement]:
    """The caller's own DID document. An institution that moved to a host of its own keeps it in place there, after
    each change of its keys too."""
    institution = await issuance.institution(own_tenant(caller_of(request)))
    return Response(_placement(issuance, institution, did))


@post("/v1/institutions/{institution_id:str}/move", tags=TAGS, operation_id="moveInstitution", status_code=200,
      opt=requires("institutions:write", errors=MOVING))  # fmt: skip
async def move_institution(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[MoveInstitution],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Let an institution issue under another DID from now on. Its document must lie at the new address and list the
    institution's keys; what was issued before stays as it is, and the old DID stays served."""
    decided = issuance.wish(request, wish, institution_id)
    rule, names = await moving.rule_for(issuance, decided, data)
    try:
        return await changed(issuance, decided, rule, names=names)
    except NameTaken as error:
        raise errors.Conflict("Another institution of this ledger has, or had, this DID.") from error


@put("/v1/profile/policy", tags=["Profile and signing keys"], operation_id="setPolicy",
     opt=requires("profile:write", errors=(errors.Refused, errors.Stale, errors.PreconditionRequired)))  # fmt: skip
async def set_policy(
    request: Request[Any, Any, Any],
    data: JSONBody[SetPolicy],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Say what takes the approval of a second key: awards, revocations, both or neither. Needs `If-Match`, the ETag of
    the profile."""
    tenant, at = own_tenant(caller_of(request)), now()

    def rule(history: Sequence[Recorded]) -> list[Fact]:
        require_match(request, version_etag(len(history)))
        return life.set_policy(data, history, at=at)

    return await changed(issuance, issuance.wish(request, wish, tenant), rule)


def _placement(issuance: Issuance, institution: Institution, did: str | None) -> DidPlacement:
    wanted = did or institution.did
    if wanted != institution.did:
        life.check_did(wanted, own_host=urlsplit(issuance.settings.public_url).netloc, institution=institution)
    document = life.document_for(institution, wanted)
    return DidPlacement(wanted, did_web_url(wanted), wanted == institution.did, document)


HANDLERS = [
    suspend_institution,
    reinstate_institution,
    close_institution,
    merge_institution,
    rename_institution,
    get_did_placement,
    get_own_did_placement,
    move_institution,
    set_policy,
]
