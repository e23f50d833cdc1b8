"""`/v1/achievements` and `/achievements/…`: the catalogue, every version as its document or page, and the pictures."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from ledger import ids
from ledger.errors import NotFound
from ledger.web import NotAcceptable, Page, Pages, Paging, conditional, public
from ledger.web.pages import IMMUTABLE
from registry.achievements import Achievement, Wanted
from registry.elements import elements_of, overview_of
from registry.endorsements import endorsements_of
from registry.http.answers import (
    FIXED,
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
from registry.http.issuers import OPEN_BADGES
from registry.parts import Registry
from registry.pictures import MEDIA_TYPES, picture


@get("/v1/achievements", operation_id="listAchievements", opt=public(), tags=["Achievements"])
async def list_achievements(
    request: AnyRequest,
    registry: NamedDependency[Registry],
    paging: NamedDependency[Paging],
    issuer: Annotated[str | None, QueryParameter(max_length=100, description="An issuer's id or slug.")] = None,
    credential_type: Annotated[str | None, QueryParameter(max_length=100, description="A credential type.")] = None,
    sector: Annotated[str | None, QueryParameter(max_length=100, description="A sector.")] = None,
    q: Annotated[str | None, QueryParameter(max_length=200, description="A text in name or description.")] = None,
) -> Response[Page[Achievement]]:
    """The achievements of this ledger, each by its newest version, newest first; those of a sandbox only where it is
    the issuer asked for."""
    wanted = Wanted(issuer=await issuer_id(registry, issuer), credential_type=credential_type, sector=sector, text=q)
    about(request, wanted.issuer or "")
    before = int(paging.after[0]) if paging.after else None
    found = await registry.achievements.read_page(wanted, before, paging.limit + 1)
    return paging.answer(found, place=lambda achievement: [achievement.position])


@get("/v1/achievements/{achievement_id:str}", operation_id="getAchievement", opt=public(errors=[NotFound]),
     tags=["Achievements"], responses=described(Achievement, "The newest version, and the list of all."))  # fmt: skip
async def get_achievement(
    request: AnyRequest, achievement_id: FromPath[str], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """An achievement by its newest version, with the list of all its versions."""
    found = await registry.found(lambda: registry.achievements.one(achievement_id), "achievement")
    about(request, found.issuer.id)
    return json_answer(request, found, headers={"cache-control": "no-cache"})


@get("/achievements/{achievement_id:str}/versions/{number:int}", operation_id="readAchievementVersion",
     opt=public(errors=[NotFound, NotAcceptable]), tags=["Achievements"],
     responses=described(dict[str, Any], "The Open Badges 3.0 Achievement, or a page.", LD_JSON))  # fmt: skip
async def achievement_version(
    request: AnyRequest,
    achievement_id: FromPath[str],
    number: FromPath[int],
    registry: NamedDependency[Registry],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    """A version of an achievement: the Achievement that its credentials hold, which never changes, or a page. Its
    `endorsementJwt` stands here alone: credentials leave the term out."""
    kind = kind_wanted(request, LD_JSON, JSON, HTML)
    found = await _version(registry, achievement_id, number)
    about(request, found.issuer.id, document=True)
    if kind == HTML:
        issuer = await registry.issuers.one(found.issuer.id)
        elements = elements_of(found.document, found.details, issuer.country if issuer else None)
        return page_answer(
            request,
            pages,
            "achievement.html",
            achievement=found,
            elements=elements,
            overview=overview_of(found.details),
            endorsements=endorsements_of(found.document, found.details),
        )
    document = {"@context": OPEN_BADGES, **found.document}
    if jwts := found.details.get("endorsement_jwts"):
        document["endorsementJwt"] = jwts
    return json_answer(request, document, media_type=kind, headers=FIXED)


@get("/achievements/{achievement_id:str}/versions/{number:int}/{file:str}", operation_id="readAchievementImage",
     opt=public(errors=[NotFound]), tags=["Achievements"],
     responses=described(bytes, "The picture.", "image/svg+xml"))  # fmt: skip
async def achievement_image(
    request: AnyRequest,
    achievement_id: FromPath[str],
    number: FromPath[int],
    file: FromPath[str],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    """The picture of a version, `image.svg` or `image.png`: as uploaded, else drawn from the achievement's id."""
    name, _, form = file.partition(".")
    if name != "image":
        raise NotFound("A picture is to be had as image.svg and image.png.")
    content = await picture(registry.achievements, await _version(registry, achievement_id, number), form)
    return conditional(request, content, media_type=MEDIA_TYPES[form], headers={"cache-control": IMMUTABLE})


async def issuer_id(registry: Registry, name: str | None) -> str | None:
    """The id of the issuer that a filter names by id or slug; a name that nobody has matches nothing."""
    if name is None or ids.is_tenant(name):
        return name
    found = await registry.issuers.one(name)
    return found.id if found else name


async def _version(registry: Registry, achievement_id: str, number: int) -> Achievement:
    version = min(max(number, 0), 2**31 - 1)
    return await registry.found(lambda: registry.achievements.one(achievement_id, version), "version")


HANDLERS = [list_achievements, get_achievement, achievement_version, achievement_image]
