"""`/v1/issuers` and `/issuers`: who issues here, with every key and what became of it, and the DID documents."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from ledger.codec import format_time
from ledger.dids import Method, did_document, did_for
from ledger.errors import NotFound
from ledger.web import NotAcceptable, Page, Pages, Paging, public
from registry.http.answers import (
    HTML,
    JSON,
    LD_JSON,
    AnyRequest,
    about,
    described,
    json_answer,
    kind_wanted,
    page_answer,
)
from registry.issuers import Issuer, IssuerKey
from registry.parts import Registry

DID_JSON = "application/did+json"
SHOWN = 200
OPEN_BADGES = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]


@get("/v1/issuers", operation_id="listIssuers", opt=public(), tags=["Issuers"])
async def list_issuers(registry: NamedDependency[Registry], paging: NamedDependency[Paging]) -> Response[Page[Issuer]]:
    """Every institution of this ledger, active or not, with its keys, oldest first."""
    after = int(paging.after[0]) if paging.after else 0
    found = await registry.issuers.read_page(after, paging.limit + 1)
    return paging.answer(found, place=lambda issuer: [issuer.position])


@get("/v1/issuers/{issuer:str}", operation_id="getIssuer", opt=public(errors=[NotFound]), tags=["Issuers"],
     responses=described(Issuer, "The issuer with every key it ever had."))  # fmt: skip
async def get_issuer(
    request: AnyRequest, issuer: FromPath[str], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """An issuer by its id or slug, with every key it ever had and what became of it."""
    found = await registry.found(lambda: registry.issuers.one(issuer), "issuer")
    about(request, found.id)
    return json_answer(request, found, headers={"cache-control": "no-cache"})


@get("/issuers", include_in_schema=False, opt=public())
async def issuers_page(
    request: AnyRequest, registry: NamedDependency[Registry], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """The issuers as a page, or as JSON."""
    found = await registry.issuers.read_page(0, SHOWN)
    if kind_wanted(request, JSON, HTML) == JSON:
        return json_answer(request, {"data": found})
    return page_answer(request, pages, "issuers.html", issuers=found)


@get("/issuers/{slug:str}", operation_id="readIssuerProfile", opt=public(errors=[NotFound, NotAcceptable]),
     tags=["Issuers"], responses=described(dict[str, Any], "The profile, as Open Badges or a page."))  # fmt: skip
async def issuer_page(
    request: AnyRequest,
    slug: FromPath[str],
    registry: NamedDependency[Registry],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    """The issuer's profile: an Open Badges 3.0 Profile, or a page for a browser."""
    kind = kind_wanted(request, JSON, LD_JSON, HTML)
    issuer = await registry.found(lambda: registry.issuers.one(slug), "issuer")
    about(request, issuer.id, document=True)
    if kind != HTML:
        return json_answer(request, profile_of(issuer), media_type=kind)
    achievements = await registry.achievements.of_issuer(issuer.id, SHOWN)
    return page_answer(request, pages, "issuer.html", issuer=issuer, achievements=achievements)


@get("/issuers/{slug:str}/did.json", operation_id="readDidDocument", opt=public(errors=[NotFound]), tags=["Issuers"],
     responses=described(dict[str, Any], "The DID document.", DID_JSON))  # fmt: skip
async def read_did_document(
    request: AnyRequest, slug: FromPath[str], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """The DID document behind `did:web:…:issuers:<slug>`. Retired and compromised keys stay listed, with their end.
    Where the institution moved to another DID, it lists the keys of its time here, and both name each other."""
    issuer = await registry.found(lambda: registry.issuers.one(slug), "issuer")
    about(request, issuer.id, document=True)
    here = did_for(registry.settings.public_url, slug)
    did = here if here in (issuer.did, *issuer.former_dids) else issuer.did
    return json_answer(
        request, did_document_of(issuer, did), media_type=DID_JSON, headers={"cache-control": "no-cache"}
    )


def profile_of(issuer: Issuer) -> dict[str, Any]:
    """The Open Badges 3.0 Profile, members that are not stated left out."""
    members = {
        "@context": OPEN_BADGES,
        "id": issuer.did,
        "type": ["Profile"],
        "name": issuer.name,
        "url": issuer.url,
        "email": issuer.email,
        "description": issuer.description,
    }
    return {name: value for name, value in members.items() if value is not None}


def did_document_of(issuer: Issuer, did: str) -> dict[str, Any]:
    """The document of one of the issuer's DIDs."""
    others = [known for known in (issuer.did, *issuer.former_dids) if known != did]
    return did_document(did, [_method(key) for key in issuer.under(did).keys], also_known_as=[issuer.url, *others])


def _method(key: IssuerKey) -> Method:
    ends = {name: change for name in ("retired", "compromised") if (change := key.change(name)) is not None}
    return Method(key.id, key.public_key, **{name: format_time(change.effective) for name, change in ends.items()})


HANDLERS = [list_issuers, get_issuer, issuers_page, issuer_page, read_did_document]
