"""`/v1/notice-settings` and `/v1/notice-templates`: whether, when and in which words learners are told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from issuance.awards import Language
from issuance.institutions import Institution
from issuance.notices import rules, templates
from issuance.notices.letters import Letter, html_of, texts_of
from issuance.notices.rules import NoticeSettings
from issuance.notices.templates import PLACEHOLDERS, Filling, Kind, Sample, SetTemplate
from issuance.notices.texts import BUILT_IN, Template
from issuance.parts import Issuance, now, own_tenant
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.store import Wish
from ledger.web.authority import caller_of
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers

TAGS = ["Notice texts"]
SAMPLE_DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text of notices: whose it is (`built_in` or `own`), of which kind and language."""

    kind: str
    language: str
    origin: str
    subject: str
    text: str


class Texts(msgspec.Struct, frozen=True):
    """Every text that serves now, and what can be filled in."""

    data: list[Text]
    placeholders: dict[str, str]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as a learner would get it: subject, plain text and HTML."""

    language: str
    subject: str
    text: str
    html: str


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing needs to be said."""


@get("/v1/notice-settings", tags=TAGS, operation_id="getNoticeSettings", opt=requires("notices:read"))
async def get_settings(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance]
) -> Response[NoticeSettings]:
    """Whether learners of the caller's awards get notices, in which language by default, and never before when."""
    return Response(rules.settings_of(await _history(issuance, own_tenant(caller_of(request)))))


@put("/v1/notice-settings", tags=TAGS, operation_id="setNoticeSettings", opt=requires("notices:write"))
async def set_settings(
    request: Request[Any, Any, Any],
    data: JSONBody[NoticeSettings],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[NoticeSettings]:
    """Set all of them. With `enabled` false nothing more is sent and what waits is dropped; a new `not_before` moves
    what waits."""
    at = now()
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    replayed = await _decide(issuance, decided, lambda history: rules.set_settings(data, history, at=at))
    return Response(data, headers=replay_headers(replayed=replayed))


@get("/v1/notice-templates", tags=TAGS, operation_id="listNoticeTemplates", opt=requires("notices:read"))
async def list_templates(request: Request[Any, Any, Any], issuance: NamedDependency[Issuance]) -> Response[Texts]:
    """The texts of every kind and language: the built-in ones, and the caller's own in their place."""
    own = rules.templates_of(await _history(issuance, own_tenant(caller_of(request))))
    built_in = {(kind, language): text for language, texts in BUILT_IN.items() for kind, text in texts.items()}
    data = [
        Text(kind=key[0], language=key[1], origin="own" if key in own else "built_in", subject=t.subject, text=t.text)
        for key, t in sorted({**built_in, **own}.items())
    ]
    return Response(Texts(data, dict(PLACEHOLDERS)))


@put("/v1/notice-templates/{kind:str}/{language:str}", tags=TAGS,
     operation_id="setNoticeTemplate",
      opt=requires("notices:write", errors=(errors.NotFound,)))  # fmt: skip
async def set_template(
    request: Request[Any, Any, Any],
    kind: FromPath[str],
    language: FromPath[str],
    data: JSONBody[SetTemplate],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Text]:
    """Publish an own text for a kind of notice in a language. Unknown placeholders are refused, each with its place."""
    _check_place(kind, language)
    at = now()
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    replayed = await _decide(
        issuance, decided, lambda history: rules.set_template(kind, language, data, history, at=at)
    )
    answer = Text(kind=kind, language=language, origin="own", subject=data.subject, text=data.text)
    return Response(answer, headers=replay_headers(replayed=replayed))


@post("/v1/notice-templates/{kind:str}/{language:str}/removal", tags=TAGS,
     operation_id="removeNoticeTemplate", status_code=200,
      opt=requires("notices:write", errors=(errors.NotFound,)))  # fmt: skip
async def remove_template(
    request: Request[Any, Any, Any],
    kind: FromPath[str],
    language: FromPath[str],
    data: JSONBody[Removal],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Texts]:
    """Drop an own text: the built-in one serves again."""
    _check_place(kind, language)
    at = now()
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    replayed = await _decide(issuance, decided, lambda history: rules.remove_template(kind, language, history, at=at))
    left = [
        Text(kind=kind, language=language, origin="built_in", subject=found.subject, text=found.text)
        for found in [BUILT_IN.get(language, {}).get(kind)]
        if found is not None
    ]
    return Response(Texts(left, dict(PLACEHOLDERS)), headers=replay_headers(replayed=replayed))


@post("/v1/notice-templates/previews", tags=TAGS,
     operation_id="previewNotice", status_code=200,
      opt=requires("notices:read", changes=False))  # fmt: skip
async def preview_notice(
    request: Request[Any, Any, Any], data: JSONBody[Sample], issuance: NamedDependency[Issuance]
) -> Response[Preview]:
    """A notice filled in with an example, in the given words or in those that serve now. Nothing is sent or kept."""
    templates.check_language(data.language, "/language")
    tenant = own_tenant(caller_of(request))
    history = await _history(issuance, tenant)
    language, template = templates.chosen(
        data.kind, data.language, rules.settings_of(history).language, rules.templates_of(history)
    )
    if data.subject is not None or data.text is not None:
        language, template = data.language, Template(data.subject or template.subject, data.text or template.text)
        templates.check(template)
    letter = _example(issuance, await issuance.institution(tenant), language, template)
    subject, text = texts_of(letter)
    return Response(Preview(language=language, subject=subject, text=text, html=html_of(letter, subject, text)))


def _example(issuance: Issuance, institution: Institution, language: str, template: Template) -> Letter:
    filling = Filling(
        learner="Ada Example",
        achievement="Data Basics",
        institution=institution.name,
        contact=institution.email or institution.url,
        date=SAMPLE_DAY,
        link=f"{issuance.settings.mail.claim_url if issuance.settings.mail else ''}/claims/example",
        link_until=SAMPLE_DAY + rules.LINK_LIFE,
        renew_by=SAMPLE_DAY + timedelta(days=365),
    )
    return Letter(
        notice_id="", recipient="", template=template, language=language, filling=filling,
        reply_to=institution.email, test=issuance.addresses.test_mode, demo=institution.demo, at=SAMPLE_DAY,
    )  # fmt: skip


def _check_place(kind: str, language: str) -> None:
    """Raises NotFound where no notices of this kind or language are written."""
    try:
        templates.check_language(msgspec.convert(language, Language), "")
    except (msgspec.ValidationError, errors.Malformed) as error:
        raise errors.NotFound("There is no such language here.") from error
    if kind not in get_args(Kind):
        raise errors.NotFound(f"There is no such kind of notice; there are {', '.join(get_args(Kind))}.")


async def _history(issuance: Issuance, tenant: str) -> Sequence[Recorded]:
    return await issuance.store.load(_stream(tenant))


async def _decide(issuance: Issuance, wish: Wish, rule: Callable[[Sequence[Recorded]], Sequence[Fact]]) -> bool:
    """Append what the rule decides; whether an earlier try had done it already."""
    return (await issuance.store.decide(_stream(wish.tenant), rule, wish=wish)).replayed


def _stream(tenant: str) -> str:
    return f"institution/{tenant}/notices"


HANDLERS = [get_settings, set_settings, list_templates, preview_notice, set_template, remove_template]
