"""`/v1/achievements`: define what can be awarded, in versions that never change."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from issuance import endorsing
from issuance.achievements import PublishAchievement, achievement_from_ob3, check, is_open_badges, published
from issuance.achievements import versions as rules
from issuance.achievements.endorsements import OPEN_BADGES_NAMES, OWN_NAMES
from issuance.achievements.versions import WithdrawVersion
from issuance.parts import Issuance, now, own_tenant
from ledger import errors, ids
from ledger.codec import Recorded
from ledger.credentials.images import Picture
from ledger.events import AchievementPublished
from ledger.store import Decision, Wish
from ledger.web.authority import caller_of
from ledger.web.conditional import require_match, version_etag
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.validation import convert
from ledger.web.wishes import WishKey, replay_headers

TEXT_LIMIT = 360_000  # an image as a data URI
OPEN_BADGES_FORM = {
    "type": "object",
    "title": "An Open Badges 3.0 Achievement, as it is",
    "properties": {"type": {"type": "array", "items": {"type": "string"}, "contains": {"const": "Achievement"}}},
    "required": ["id", "type", "name", "description", "criteria"],
}
FORMS = (PublishAchievement, OPEN_BADGES_FORM)


class Achievement(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an achievement: the Open Badges 3.0 object that stands in its credentials, and what has no place
    there. `url` is its public address."""

    id: str
    version: int
    url: str
    institution_id: str
    withdrawn: bool
    achievement: dict[str, Any]
    details: dict[str, Any]


@post("/v1/achievements", tags=["Achievements"],
     operation_id="publishAchievement", status_code=201,
      opt=requires("achievements:write", errors=(errors.Refused,), text_limit=TEXT_LIMIT, forms=FORMS))  # fmt: skip
async def publish_achievement(
    request: Request[Any, Any, Any],
    data: JSONBody[dict[str, Any]],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Achievement]:
    """Publish version 1 of an achievement: our own form (`PublishAchievement`), or an Open Badges 3.0 Achievement
    document as it is."""
    tenant = own_tenant(caller_of(request))
    decided = issuance.wish(request, wish, tenant)
    achievement_id = ids.derived_id(issuance.settings.server_secret, "ach", decided.command)
    return await _publish(issuance, decided, achievement_id, data, [])


@post("/v1/achievements/{achievement_id:str}/versions", tags=["Achievements"],
     operation_id="publishAchievementVersion", status_code=201,
      opt=requires(
          "achievements:write",
          errors=(errors.NotFound, errors.Refused, errors.Conflict, errors.Stale, errors.PreconditionRequired),
          text_limit=TEXT_LIMIT, forms=FORMS,
      ))  # fmt: skip
async def publish_achievement_version(
    request: Request[Any, Any, Any],
    achievement_id: FromPath[str],
    data: JSONBody[dict[str, Any]],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Achievement]:
    """Publish the next version, whole; needs `If-Match`. What was awarded keeps the version that it pins."""
    tenant = own_tenant(caller_of(request))
    history = await issuance.history(f"achievement/{achievement_id}", tenant, "achievement")
    decided = issuance.wish(request, wish, tenant)
    if await issuance.store.earlier(decided) is None:
        require_match(request, version_etag(len(history)))
    return await _publish(issuance, decided, achievement_id, data, history)


@post("/v1/achievements/{achievement_id:str}/versions/{number:int}/withdrawal", tags=["Achievements"],
     operation_id="withdrawVersion",
      status_code=200, opt=requires("achievements:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def withdraw_version(
    request: Request[Any, Any, Any],
    achievement_id: FromPath[str],
    number: FromPath[int],
    data: JSONBody[WithdrawVersion],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Achievement]:
    """Stop a version from being awarded. It cannot be taken back; publish another version instead."""
    tenant, at = own_tenant(caller_of(request)), now()
    stream = f"achievement/{achievement_id}"
    await issuance.history(stream, tenant, "achievement")
    decision = await issuance.store.decide(
        stream,
        lambda history, institution: rules.withdraw(number, data, history, institution, at=at),
        wish=issuance.wish(request, wish, tenant),
        reads=[f"institution/{tenant}"],
    )
    answer = _answer(issuance, await issuance.store.load(stream), achievement_id, number)
    return Response(answer, headers=replay_headers(replayed=decision.replayed))


@get("/v1/achievements", tags=["Achievements"], operation_id="listOwnAchievements", opt=requires("awards:read"))
async def list_achievements(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], paging: NamedDependency[Paging]
) -> Response[Page[Achievement]]:
    """The caller's own achievements, each in its newest version; the public catalogue is the registry's."""
    await issuance.caught_up()
    after = int(paging.after[0]) if paging.after else 0
    tenant = own_tenant(caller_of(request))
    rows = await issuance.store.pool.fetch(LIST, tenant, after, paging.limit + 1)
    places = {row["achievement_id"]: row["position"] for row in rows}
    found = [
        _answer(
            issuance, await issuance.store.load_cached(f"achievement/{row['achievement_id']}"), row["achievement_id"]
        )
        for row in rows
    ]
    return paging.answer(found, place=lambda achievement: [places[achievement.id]])


@get("/v1/achievements/{achievement_id:str}", tags=["Achievements"],
     operation_id="getOwnAchievement",
     opt=requires("awards:read", errors=(errors.NotFound,)))  # fmt: skip
async def get_achievement(
    request: Request[Any, Any, Any], achievement_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[Achievement]:
    """One of the caller's own achievements, in its newest version; the ETag is what the next version must match."""
    history = await issuance.history(f"achievement/{achievement_id}", own_tenant(caller_of(request)), "achievement")
    return Response(_answer(issuance, history, achievement_id), headers={"etag": version_etag(len(history))})


def wanted(body: dict[str, Any]) -> PublishAchievement:
    """The wish in a body, in our form or in Open Badges'. Raises Malformed with a pointer to every bad field."""
    return achievement_from_ob3(body) if is_open_badges(body) else convert(body, PublishAchievement)


async def _publish(
    issuance: Issuance, wish: Wish, achievement_id: str, body: dict[str, Any], history: list[Recorded]
) -> Response[Achievement]:
    version, at, asked = rules.next_version(history), now(), wanted(body)
    check(asked)
    names = OPEN_BADGES_NAMES if is_open_badges(body) else OWN_NAMES
    # A retry is answered from its event, whatever became of the endorsers meanwhile.
    answered = await issuance.store.earlier(wish) is not None
    found = endorsing.Judgement() if answered else await endorsing.judge(issuance, wish.tenant, asked, names)
    url = issuance.addresses.achievement_url(achievement_id, version)
    event, picture = published(asked, url, version, found.judged)
    rules.check_signable(event)
    await _keep(issuance, event, picture)
    judged_at = list(found.endorsers.values())
    decision = await issuance.store.decide(
        f"achievement/{achievement_id}",
        lambda *histories: rules.publish(event, *histories, judged_at=judged_at, at=at),
        wish=wish,
        reads=[f"institution/{wish.tenant}", *found.endorsers],
    )
    return _published(issuance, decision, achievement_id)


def _published(issuance: Issuance, decision: Decision, achievement_id: str) -> Response[Achievement]:
    """The answer of a publication, made from its event alone: a retry gives the same bytes."""
    answer = _answer(issuance, decision.events, achievement_id)
    headers = {
        **replay_headers(replayed=decision.replayed),
        "location": f"/v1/achievements/{achievement_id}",
        "etag": version_etag(decision.events[-1].version),
    }
    return Response(answer, status_code=201, headers=headers)


async def _keep(issuance: Issuance, event: AchievementPublished, picture: Picture | None) -> None:
    """Keep an uploaded picture before the event names it; an orphan is harmless."""
    if picture is not None:
        await issuance.store.pool.execute(KEEP, event.image_sha256, picture.media_type, picture.data)


def _answer(issuance: Issuance, history: Any, achievement_id: str, number: int | None = None) -> Achievement:
    event = rules.version_of(history, number)
    return Achievement(
        id=achievement_id,
        version=event.achievement_version,
        url=issuance.addresses.achievement_url(achievement_id, event.achievement_version),
        institution_id=history[0].tenant,
        withdrawn=event.achievement_version in rules.withdrawn(history),
        achievement=event.document,
        details=event.details,
    )


LIST = """
SELECT achievement_id, position FROM issuance.achievements
WHERE tenant = $1 AND position > $2 ORDER BY position LIMIT $3
"""
KEEP = "INSERT INTO vault.images (sha256, media_type, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
HANDLERS = [publish_achievement, publish_achievement_version, withdraw_version, list_achievements, get_achievement]
