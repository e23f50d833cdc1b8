"""`/v1/awards/{award_id}`: an award's public facts, which events, feed and pages link to. Nothing personal."""

from datetime import UTC, datetime

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from ledger.errors import NotFound
from ledger.web import NotAcceptable, Pages, public
from registry.achievements import IssuerNamed
from registry.awards import HistoryEntry, Renewed
from registry.http.answers import HTML, JSON, AnyRequest, about, described, json_answer, kind_wanted, page_answer
from registry.parts import Registry


class AchievementNamed(msgspec.Struct, frozen=True):
    """Which version of which achievement was awarded."""

    id: str
    version: int
    name: str
    url: str
    image: str


class Correction(msgspec.Struct, frozen=True):
    """An event that gave the award a new credential: the ones before it count no longer."""

    position: int
    recorded_at: datetime
    reason_code: str | None


class PublicAward(msgspec.Struct, frozen=True, kw_only=True):
    """An award as anyone may know it. `standing` is valid, suspended or revoked and since when; `leaf` is its entry in
    the transparency log (base64); `history` holds every event about it, oldest first. `issued`, `valid_from`,
    `valid_until` and `keys` are those of its newest credential, since the last of its `corrections`. `renews` is the
    award that this one renews, `renewed_by` are those that renew it."""

    id: str
    position: int
    standing: str
    standing_since: datetime
    standing_position: int
    expired: bool
    issuer: IssuerNamed
    achievement: AchievementNamed
    issued: datetime
    awarded_date: datetime
    valid_from: datetime
    valid_until: datetime | None
    keys: list[str]
    recorded_at: datetime
    leaf: bytes
    corrections: tuple[Correction, ...]
    renews: str | None
    renew_by: datetime | None
    renewed_by: tuple[Renewed, ...]
    history: tuple[HistoryEntry, ...]


@get("/v1/awards/{award_id:str}", operation_id="readAward", opt=public(errors=[NotFound, NotAcceptable]),
     tags=["Awards"], responses=described(PublicAward, "The award's public facts."))  # fmt: skip
async def read_award(
    request: AnyRequest,
    award_id: FromPath[str],
    registry: NamedDependency[Registry],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    """An award's public facts: achievement, issuer, dates, standing, position and leaf, and everything that happened
    to it. Whose award it is, and where the credential lies, is not public."""
    kind = kind_wanted(request, JSON, HTML)
    award = await public_award(registry, award_id)
    about(request, award.issuer.id)
    if kind == JSON:
        return json_answer(request, award)
    return page_answer(request, pages, "award.html", award=award)


async def public_award(registry: Registry, award_id: str) -> PublicAward:
    """The public facts of an award. Raises NotFound."""
    award = await registry.found(lambda: registry.awards.one(award_id), "award")
    achievement = await registry.achievements.one(award.achievement_id, award.achievement_version)
    if achievement is None:
        raise LookupError("an award names a version that the log does not hold")
    facts = msgspec.structs.asdict(award)
    named = {field: facts[field] for field in PublicAward.__struct_fields__ if field in facts}
    return PublicAward(
        **named,
        expired=award.valid_until is not None and award.valid_until <= datetime.now(UTC),
        corrections=tuple(Correction(one.position, one.recorded_at, one.reason_code) for one in award.corrections),
        issuer=achievement.issuer,
        achievement=AchievementNamed(
            achievement.id, achievement.version, achievement.name, achievement.url, achievement.image
        ),
    )


HANDLERS = [read_award]
