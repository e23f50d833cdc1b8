"""`/v1/institutions` (the operator's) and the institution's own profile and signing keys."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from issuance import institutions
from issuance.access_keys import CreateKey
from issuance.http import sandboxes
from issuance.http.keys import NewKey, make_key
from issuance.http.sandboxes import Sandbox
from issuance.institutions import CompromiseKey, CreateInstitution, Institution, UpdateInstitution
from issuance.parts import Issuance, now, own_tenant
from issuance.rotations import new_key
from ledger import errors, ids
from ledger.codec import Fact, Recorded
from ledger.dids import did_for
from ledger.store import Name, Wish
from ledger.web.authority import caller_of
from ledger.web.conditional import require_match, version_etag
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class InstitutionFacts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An institution as the log has it. `state` is active, suspended or closed, `successor` the id of who took over;
    `four_eyes` names what takes a second key's approval; `test` and `sandbox_of` mark a sandbox. `api_key` and
    `sandbox` stand only in the answer that created it."""

    id: str
    slug: str
    did: str
    name: str
    url: str
    email: str | None
    description: str | None
    country: str | None
    status_profile: str
    demo: bool
    active: bool
    state: str
    version: int
    keys: tuple[institutions.Key, ...]
    note: str
    successor: str | None = None
    former_names: tuple[str, ...] = ()
    former_dids: tuple[str, ...] = ()
    four_eyes: tuple[str, ...] = ()
    test: bool = False
    sandbox_of: str | None = None
    api_key: str | None = None
    api_key_id: str | None = None
    sandbox: Sandbox | None = None


PROFILES = {
    "certified": "Credentials carry the revocation entry alone: a suspension shows in this ledger's registry and "
    "verification only.",
    "full": "Credentials carry a revocation and a suspension entry, which Open Badges certification does not allow.",
}


def facts_of(institution: Institution, key: NewKey | None = None, sandbox: Sandbox | None = None) -> InstitutionFacts:
    """What the API says of an institution, with the key and the sandbox that were made for it just now."""
    fields = msgspec.structs.asdict(institution)
    return InstitutionFacts(
        **fields,
        note=PROFILES[institution.status_profile],
        api_key=key.api_key if key else None,
        api_key_id=key.id if key else None,
        test=ids.is_sandbox(institution.id),
        sandbox=sandbox,
    )


@post("/v1/institutions", tags=["Institutions"],
     operation_id="createInstitution", status_code=201,
      opt=requires("institutions:write", errors=(errors.Conflict,)))  # fmt: skip
async def create_institution(
    request: Request[Any, Any, Any],
    data: JSONBody[CreateInstitution],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Take an institution in: its DID, its signing keys, a first API key with all of its scopes, and its sandbox with
    a key of its own."""
    secret = issuance.settings.server_secret
    tenant = ids.named_id(secret, "inst", data.slug)
    first = issuance.wish(request, wish, tenant)
    did = did_for(issuance.settings.public_url, data.slug)
    keys = [await new_key(issuance, first, tenant, algorithm) for algorithm in institutions.ALGORITHMS]
    at = now()
    decision = await issuance.store.decide(
        f"institution/{tenant}",
        lambda history: institutions.create(data, history, did=did, keys=keys, at=at),
        wish=first,
    )
    institution = institutions.institution_of(decision.events)
    if institution is None:
        raise RuntimeError("a creation without its event")
    key, _ = await make_key(issuance, issuance.follow_up(first, "first-key"), tenant, CreateKey("first key"))
    if not decision.replayed:
        issuance.leases.ask(tenant)
    answer = facts_of(institution, key, await _sandbox(issuance, first, institution))
    headers = {**replay_headers(replayed=decision.replayed), "location": f"/v1/institutions/{tenant}"}
    return Response(answer, status_code=201, headers=headers)


async def _sandbox(issuance: Issuance, wish: Wish, institution: Institution) -> Sandbox:
    """The sandbox that comes with a new institution, and its first key."""
    tenant = ids.sandbox_of(institution.id)
    sandbox = await sandboxes.opened(issuance, issuance.follow_up(wish, "sandbox", tenant), institution)
    wanted = CreateKey(sandboxes.KEY_NAME)
    key, _ = await make_key(issuance, issuance.follow_up(wish, "sandbox-key", tenant), tenant, wanted)
    return sandboxes.answer_for(sandbox, key)


@get("/v1/institutions", tags=["Institutions"], operation_id="listInstitutions", opt=requires("institutions:read"))
async def list_institutions(
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    test: Annotated[bool | None, QueryParameter(description="Sandboxes alone, or institutions alone.")] = None,
) -> Response[Page[InstitutionFacts]]:
    """Every institution and every sandbox, in the order in which they joined."""
    await issuance.caught_up()
    after = int(paging.after[0]) if paging.after else 0
    rows = await issuance.store.pool.fetch(LIST, after, paging.limit + 1, test)
    places = {row["tenant"]: row["position"] for row in rows}
    found = [facts_of(await issuance.institution(row["tenant"])) for row in rows]
    return paging.answer(found, place=lambda institution: [places[institution.id]])


@get("/v1/institutions/{institution_id:str}", tags=["Institutions"],
     operation_id="getInstitution",
     opt=requires("institutions:read", errors=(errors.NotFound,)))  # fmt: skip
async def get_institution(
    institution_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[InstitutionFacts]:
    """One institution, for the operator."""
    institution = await issuance.institution(institution_id)
    return Response(facts_of(institution), headers={"etag": version_etag(institution.version)})


@get("/v1/profile", tags=["Profile and signing keys"], operation_id="getProfile", opt=requires("awards:read"))
async def get_profile(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance]
) -> Response[InstitutionFacts]:
    """The caller's own institution, with its signing keys."""
    institution = await issuance.institution(own_tenant(caller_of(request)))
    return Response(facts_of(institution), headers={"etag": version_etag(institution.version)})


@put("/v1/profile", tags=["Profile and signing keys"],
     operation_id="updateProfile",
     opt=requires("profile:write", errors=(errors.Refused, errors.Stale, errors.PreconditionRequired)))  # fmt: skip
async def update_profile(
    request: Request[Any, Any, Any],
    data: JSONBody[UpdateInstitution],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Change the issuer profile for future credentials; needs `If-Match`. Issued ones keep theirs."""
    tenant, at = own_tenant(caller_of(request)), now()

    def rule(history: Sequence[Recorded]) -> list[Fact]:
        require_match(request, version_etag(len(history)))  # inside: what is appended is what was matched
        return institutions.update(data, history, at=at)

    return await changed(issuance, issuance.wish(request, wish, tenant), rule)


@post("/v1/signing-keys/rotation", tags=["Profile and signing keys"],
     operation_id="rotateSigningKeys", status_code=200,
      opt=requires("profile:write", errors=(errors.Refused,)))  # fmt: skip
async def rotate_signing_keys(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], wish: NamedDependency[WishKey]
) -> Response[InstitutionFacts]:
    """Fresh signing keys from now on. What the old ones signed stays verifiable."""
    tenant, at = own_tenant(caller_of(request)), now()
    decided = issuance.wish(request, wish, tenant)
    new = [await new_key(issuance, decided, tenant, algorithm) for algorithm in institutions.ALGORITHMS]
    return await changed(issuance, decided, lambda history: institutions.rotate(history, new=new, at=at))


@post("/v1/signing-keys/{key_id:str}/compromise", tags=["Profile and signing keys"],
     operation_id="reportCompromisedKey", status_code=200,
      opt=requires("profile:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def report_compromised_key(
    request: Request[Any, Any, Any],
    key_id: FromPath[str],
    data: JSONBody[CompromiseKey],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[InstitutionFacts]:
    """Say that a signing key was in other hands. It is replaced and destroyed; from then on its signatures count
    only for documents that this ledger recorded before."""
    tenant, at = own_tenant(caller_of(request)), now()
    decided = issuance.wish(request, wish, tenant)
    known = next((k for k in (await issuance.institution(tenant)).keys if k.id == key_id), None)
    if known is None:
        raise errors.NotFound("This institution has no such key.")
    new = await new_key(issuance, decided, tenant, known.algorithm)
    answer = await changed(
        issuance,
        decided,
        lambda history: institutions.compromise(key_id, history, since=data.compromised_since or at, new=new, at=at),
    )
    await issuance.keys.destroy(key_id)
    return answer


async def changed(
    issuance: Issuance, wish: Wish, rule: Any, *, reads: Sequence[str] = (), names: Sequence[Name] = ()
) -> Response[InstitutionFacts]:
    """Decide on the institution's stream and answer with what it then was; a retry gives the same bytes."""
    stream = f"institution/{wish.tenant}"
    decision = await issuance.store.decide(stream, rule, wish=wish, reads=reads, names=names)
    await issuance.caught_up()  # this service's own guard knows it before the answer does
    history = await issuance.store.load(stream)
    upto = decision.events[-1].version if decision.events else None
    institution = institutions.institution_of(history, upto)
    if institution is None:
        raise errors.NotFound("There is no such institution.")
    headers = {**replay_headers(replayed=decision.replayed), "etag": version_etag(institution.version)}
    return Response(facts_of(institution), headers=headers)


LIST = """
SELECT tenant, position FROM issuance.institutions
WHERE position > $1 AND ($3::boolean IS NULL OR starts_with(tenant, 'test_') = $3)
ORDER BY position LIMIT $2
"""
HANDLERS = [
    create_institution,
    list_institutions,
    get_institution,
    get_profile,
    update_profile,
    rotate_signing_keys,
    report_compromised_key,
]
