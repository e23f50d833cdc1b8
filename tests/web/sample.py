"""A small real application over the shell: awards of two invented institutions, kept in memory, and their keys."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
from litestar import Litestar, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from ledger import access
from ledger.access import Caller
from ledger.codec import Actor
from ledger.errors import Conflict, NotFound, PreconditionRequired, Stale, Unauthenticated, Unavailable
from ledger.settings import Settings
from ledger.web import (
    Page,
    Pages,
    Paging,
    Service,
    WishKey,
    application,
    conditional,
    public,
    replay_headers,
    require_match,
    requires,
    version_etag,
)

PEPPER = b"p" * 32
OAK, ELM = "inst_" + "o" * 26, "inst_" + "e" * 26
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class Learner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    email: str | None = None


class AwardLearner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is awarded what."""

    achievement_id: str
    learner: Learner
    credits: Annotated[int, msgspec.Meta(ge=1)] = 1
    tags: Annotated[list[Name], msgspec.Meta(max_length=3)] = []
    valid_until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Award(msgspec.Struct, frozen=True):
    id: str
    tenant: str
    said: str
    actor: Actor


class Item(msgspec.Struct, frozen=True):
    position: int


def settings(service: str = "registry", **environment: str) -> Settings:
    told = {
        "CREDLEDGER_DATABASE_URL": "postgresql:///none",
        "CREDLEDGER_SERVER_SECRET": b"server-secret-of-the-sample-00000".hex()[:64],
        "CREDLEDGER_KEY_PEPPER": PEPPER.hex(),
    }
    return Settings.from_environment(service, {**told, **environment})


def token(name: str) -> str:
    return access.new_token("key_" + name[0] * 26, name[0].encode() * 32, live=False)


OAK_KEY, ELM_KEY, OPERATOR_KEY, CLOSED_KEY = token("oak"), token("elm"), token("user"), token("closed")


class FixedKeys:
    """The keys of the sample, judged like those of a service but kept in a dict."""

    def __init__(self) -> None:
        self.callers = {
            OAK_KEY: _institution(OAK),
            ELM_KEY: _institution(ELM, scopes=frozenset({"awards:read"})),
            CLOSED_KEY: _institution(OAK, active=False),
            OPERATOR_KEY: Caller(
                key_id="key_" + "u" * 26,
                role="operator",
                tenant=None,
                scopes=access.ROLE_SCOPES["operator"],
                name="operator",
            ),
        }

    async def authenticate(self, text: str, now: datetime) -> Caller:
        assert now.tzinfo is UTC
        if text not in self.callers:
            raise Unauthenticated("This API key is not known.")
        return self.callers[text]


def _institution(tenant: str, **changed: Any) -> Caller:
    known = {"scopes": access.ROLE_SCOPES["institution"], "name": "registrar", "key_id": f"key_{tenant}"}
    return Caller(role="institution", tenant=tenant, **{**known, **changed})


@post("/v1/awards", operation_id="awardLearner", opt=requires("awards:write"), tags=["Awards"])
async def award_learner(
    data: JSONBody[AwardLearner],
    wish: NamedDependency[WishKey],
    actor: NamedDependency[Actor],
) -> Response[Award]:
    """Award an achievement to a learner."""
    award = Award(data.achievement_id, wish.tenant, wish.said.decode(), actor)
    return Response(award, headers=replay_headers(replayed=wish.key == "again"))


@get("/v1/awards/{award_id:str}", operation_id="readAward", opt=requires("awards:read"), tags=["Awards"])
async def read_award(award_id: FromPath[str], caller: NamedDependency[Caller]) -> Item:
    if award_id != "awd_1" or caller.tenant != OAK:
        raise NotFound("There is no such award.")
    return Item(1)


@put(
    "/v1/awards/{award_id:str}",
    operation_id="correctAward",
    opt=requires("awards:write", errors=[Stale, PreconditionRequired]),
    tags=["Awards"],
)
async def correct_award(
    request: Request[Any, Any, Any], award_id: FromPath[str], data: JSONBody[Item], wish: NamedDependency[WishKey]
) -> Item:
    require_match(request, version_etag(3))
    return data


@get("/v1/items", operation_id="listItems", opt=public(), tags=["Items"])
async def list_items(paging: NamedDependency[Paging], at_most: FromQuery[int] = 7) -> Response[Page[Item]]:
    """All items, oldest first."""
    start = paging.after[0] if paging.after else 0
    assert isinstance(start, int)
    found = [Item(position) for position in range(start + 1, at_most + 1)]
    return paging.answer(found[: paging.limit + 1], place=lambda item: [item.position])


@get("/credentials/{credential_id:str}", operation_id="readCredential", opt=public(), tags=["Items"])
async def read_credential(request: Request[Any, Any, Any], credential_id: FromPath[str]) -> Response[bytes]:
    headers = {"cache-control": "no-cache", "vary": "accept"}
    return conditional(request, b'{"name":"Ann"}', media_type="application/vc", headers=headers)


@post("/v1/verifications", operation_id="verify", opt=public(accepts=["application/vc"]), tags=["Items"])
async def verify(data: JSONBody[dict[str, Any]]) -> dict[str, bool]:
    return {"verified": not data}


@get("/v1/failures/{kind:str}", operation_id="fail", opt=public(errors=[Conflict]), tags=["Failures"])
async def fail(kind: FromPath[str]) -> None:
    failures = {
        "unexpected": ValueError("Ann Lee <ann@school.example>"),
        "refused-connection": ConnectionRefusedError("[Errno 111]"),
        "unavailable": Unavailable("The bus is away.", retry_after_seconds=7),
        "conflict": Conflict("The slug is taken."),
    }
    raise failures[kind]


@get("/page", include_in_schema=False, opt=public())
async def page(request: Request[Any, Any, Any], pages: NamedDependency[Pages]) -> Response[bytes]:
    return pages.answer(request, "page.html", name="<Ann & co>")


HANDLERS = [award_learner, read_award, correct_award, list_items, read_credential, verify, fail, page]


def app(folders: list[Path] | None = None, configured: Settings | None = None, **changed: Any) -> Litestar:
    service = {"title": "Sample", "handlers": HANDLERS, "keys": FixedKeys(), "folders": folders or []}
    return application(configured or settings(), Service(**{**service, **changed}))


def client(of: Litestar) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=of, raise_app_exceptions=False, client=("203.0.113.7", 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://sample.example")


def bearer(key: str = OAK_KEY, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", **more}


def writing(key: str = OAK_KEY, name: str = "8e03978e", **more: str) -> dict[str, str]:
    return bearer(key, **{"idempotency-key": name, **more})
