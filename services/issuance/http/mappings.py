"""`/v1/mappings`: how an institution reads what its learning management system exports, version by version."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from issuance import intake
from issuance.intake import Preview
from issuance.mapping import Mapping, PublishMapping, Unreadable, WithdrawMapping, versions
from issuance.mapping.versions import MappingState
from issuance.parts import Issuance, now, own_tenant
from ledger import errors, ids
from ledger.codec import Recorded
from ledger.store import Wish
from ledger.web.authority import caller_of
from ledger.web.conditional import require_match, version_etag
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers

TAGS = ["Mappings"]
SHOWN_MOST = 1000
FORMS = ("text/csv", "application/zip", "application/json")
VersionParameter = Annotated[int | None, QueryParameter(ge=1, description="A version; by default the newest.")]
ShownParameter = Annotated[int, QueryParameter(ge=0, le=SHOWN_MOST, description="How many rows and faults are shown.")]


class MappingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a mapping. `rules` name result descriptions by id, with the achievement version they are of."""

    id: str
    version: int
    name: str
    source: str
    report: str
    withdrawn: bool
    learner: dict[str, Any]
    numbers: dict[str, Any]
    dates: dict[str, Any]
    states: dict[str, Any]
    rules: list[dict[str, Any]]


@post("/v1/mappings", tags=TAGS, operation_id="publishMapping", status_code=201,
      opt=requires("mappings:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def publish_mapping(
    request: Request[Any, Any, Any],
    data: JSONBody[PublishMapping],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[MappingAnswer]:
    """Publish version 1 of a mapping: which columns name the learner, and which items lead to which achievements."""
    versions.check(data)
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    mapping_id = ids.derived_id(issuance.settings.server_secret, "map", decided.command)
    return await _publish(issuance, decided, mapping_id, data, 1)


@post("/v1/mappings/{mapping_id:str}/versions", tags=TAGS, operation_id="publishMappingVersion", status_code=201,
      opt=requires(
          "mappings:write",
          errors=(errors.NotFound, errors.Refused, errors.Conflict, errors.Stale, errors.PreconditionRequired),
      ))  # fmt: skip
async def publish_mapping_version(
    request: Request[Any, Any, Any],
    mapping_id: FromPath[str],
    data: JSONBody[PublishMapping],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[MappingAnswer]:
    """Publish the next version, whole; needs `If-Match`. What earlier versions made stays as it is."""
    versions.check(data)
    tenant = own_tenant(caller_of(request))
    state = await intake.mapping_state(issuance, tenant, mapping_id)
    decided = issuance.wish(request, wish, tenant)
    if await issuance.store.earlier(decided) is None:
        require_match(request, version_etag(state.version))
    return await _publish(issuance, decided, mapping_id, data, len(state.versions) + 1)


@post("/v1/mappings/{mapping_id:str}/withdrawal", tags=TAGS, operation_id="withdrawMapping", status_code=200,
      opt=requires("mappings:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def withdraw_mapping(
    request: Request[Any, Any, Any],
    mapping_id: FromPath[str],
    data: JSONBody[WithdrawMapping],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[MappingAnswer]:
    """Use a mapping no longer. It cannot be taken back; publish another one instead."""
    tenant, at = own_tenant(caller_of(request)), now()
    await intake.mapping_state(issuance, tenant, mapping_id)
    decision = await issuance.store.decide(
        f"job/{mapping_id}",
        lambda history, institution: versions.withdraw(data, history, institution, at=at),
        wish=issuance.wish(request, wish, tenant),
        reads=[f"institution/{tenant}"],
    )
    state = await intake.mapping_state(issuance, tenant, mapping_id)
    return Response(_answer(state.newest, withdrawn=True), headers=replay_headers(replayed=decision.replayed))


@post("/v1/mappings/{mapping_id:str}/preview", tags=TAGS, operation_id="previewMapping", status_code=200,
      opt=requires("results:read", changes=False, errors=(errors.NotFound, Unreadable), texts=FORMS))  # fmt: skip
async def preview_mapping(
    request: Request[Any, Any, Any],
    mapping_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    version: VersionParameter = None,
    shown: ShownParameter = 100,
) -> Response[Preview]:
    """What a file would lead to, row by row; nothing is recorded. The body is the file itself, as it was exported: CSV,
    the zip of a OneRoster set, or xAPI statements as JSON. A file too large for this is a job with `dry_run`."""
    content = await request.body()
    tenant = own_tenant(caller_of(request))
    state = await intake.mapping_state(issuance, tenant, mapping_id)
    mapping = versions.version_of(state, version)
    return Response(await intake.preview(issuance, tenant, mapping, content, shown=shown))


@get("/v1/mappings/{mapping_id:str}", tags=TAGS, operation_id="getMapping",
     opt=requires("results:read", errors=(errors.NotFound,)))  # fmt: skip
async def get_mapping(
    request: Request[Any, Any, Any],
    mapping_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    version: VersionParameter = None,
) -> Response[MappingAnswer]:
    """One of the caller's own mappings; the ETag is what the next version must match."""
    state = await intake.mapping_state(issuance, own_tenant(caller_of(request)), mapping_id)
    answer = _answer(versions.version_of(state, version), withdrawn=state.withdrawn)
    return Response(answer, headers={"etag": version_etag(state.version)})


@get("/v1/mappings", tags=TAGS, operation_id="listMappings", opt=requires("results:read"))
async def list_mappings(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], paging: NamedDependency[Paging]
) -> Response[Page[MappingAnswer]]:
    """The caller's own mappings, each in its newest version."""
    await issuance.caught_up()
    after, tenant = int(paging.after[0]) if paging.after else 0, own_tenant(caller_of(request))
    rows = await issuance.store.pool.fetch(LIST, tenant, after, paging.limit + 1)
    places = {row["mapping_id"]: row["position"] for row in rows}
    states = [await intake.mapping_state(issuance, tenant, mapping_id) for mapping_id in places]
    found = [_answer(state.newest, withdrawn=state.withdrawn) for state in states]
    return paging.answer(found, place=lambda mapping: [places[mapping.id]])


async def _publish(
    issuance: Issuance, wish: Wish, mapping_id: str, data: PublishMapping, number: int
) -> Response[MappingAnswer]:
    at = now()

    def rule(history: Sequence[Recorded], *read: Sequence[Recorded]) -> Any:
        return versions.publish(data, history, *read, expected=number, at=at)

    reads = [f"institution/{wish.tenant}", *(f"achievement/{achievement}" for achievement in versions.named(data))]
    decision = await issuance.store.decide(f"job/{mapping_id}", rule, wish=wish, reads=reads)
    state: MappingState = versions.existing(decision.events)  # the event alone: a retry gives the same bytes
    headers = {
        **replay_headers(replayed=decision.replayed),
        "location": f"/v1/mappings/{mapping_id}",
        "etag": version_etag(decision.events[-1].version),
    }
    return Response(_answer(state.newest, withdrawn=False), status_code=201, headers=headers)


def _answer(mapping: Mapping, *, withdrawn: bool) -> MappingAnswer:
    said = msgspec.to_builtins(mapping.definition)
    return MappingAnswer(
        id=mapping.id,
        version=mapping.version,
        name=mapping.name,
        source=mapping.source,
        report=mapping.report,
        withdrawn=withdrawn,
        learner=said.get("learner", {}),
        numbers=said.get("numbers", {}),
        dates=said.get("dates", {}),
        states=said.get("states", {}),
        rules=said["rules"],
    )


LIST = """
SELECT mapping_id, position FROM issuance.mappings
WHERE tenant = $1 AND position > $2 ORDER BY position LIMIT $3
"""
HANDLERS = [
    publish_mapping,
    publish_mapping_version,
    withdraw_mapping,
    preview_mapping,
    list_mappings,
    get_mapping,
]
