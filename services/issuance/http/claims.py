"""`/claims/{token}`: the page behind the link in a notice. The link opens one award of one learner.

Programs that look at mails open links, too: so opening shows nobody's name and records nothing. The button does, once;
then the page opens in this browser for two hours. No path, cookie or form of these pages is logged.
"""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from issuance.claims import joining, records, rules, tokens
from issuance.claims.records import MEDIA_TYPES, Record
from issuance.claims.rules import Visibility
from issuance.claims.tokens import Session
from issuance.claims.words import page_language, words_in
from issuance.notices import rules as notice_rules
from issuance.notices.composing import documented
from issuance.notices.rules import Notice
from issuance.notices.templates import day
from issuance.parts import Issuance, draw, now
from ledger import errors, ids
from ledger.codec import Actor, parse_time
from ledger.store import Wish
from ledger.web import Pages, exchange, public
from ledger.web.routes import by_capability

COOKIE = "credledger_claim"
UNKEPT = {"cache-control": "no-store", "x-robots-tag": "noindex"}
NO_LINK = "This link is not complete, or not one of this ledger. Please use the link in the message as it is."
OVER = "This link has expired. Please ask the institution to send you the message again."
AnyRequest = Request[Any, Any, Any]


@get("/claims/{token:str}", include_in_schema=False, opt=public(cross_origin=False))
async def claim_page(
    request: AnyRequest, token: FromPath[str], issuance: NamedDependency[Issuance], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """The page: before the button who sent what, after it the credential and everything to do with it."""
    notice, session = await _notice(issuance, token), _session(request, issuance)
    exchange(request).sandbox = ids.is_sandbox(notice.tenant)
    record = await records.opened(issuance, notice)
    history = await issuance.store.load(f"institution/{notice.tenant}/notices")
    language = page_language(record.opened.personal.get("language"), notice_rules.settings_of(history).language)
    confirmed = record.proven and notice.notice_id in session.notices
    context = _shown(issuance, record, language) if confirmed else {}
    return pages.answer(
        request,
        "claim.html" if confirmed else "claim_intro.html",
        headers=UNKEPT,
        lang=language,
        w=words_in(language),
        here=f"/claims/{token}",
        institution=record.institution,
        achievement=record.achievement.document["name"],
        form=lambda purpose: _form(issuance, notice, purpose),
        done=request.query_params.get("done", ""),
        others=await records.others(issuance, record, session) if confirmed else [],
        **context,
    )


@post("/claims/{token:str}/confirmation", include_in_schema=False, status_code=303, opt=by_capability())
async def confirm(request: AnyRequest, token: FromPath[str], issuance: NamedDependency[Issuance]) -> Redirect:
    """The button: the address is proven, and this browser may see the page."""
    notice, _ = await _posted(request, issuance, token, "confirmation")
    record, at = await records.opened(issuance, notice), now()
    if not record.proven:
        await issuance.store.decide(
            f"learner/{notice.pseudonym}",
            lambda history: rules.prove(
                notice.notice_id, record.address, history, known=False, pseudonym=notice.pseudonym, at=at
            ),
            wish=_wish(request, issuance, notice.tenant, "email-proven", notice.notice_id),
        )
    session = _session(request, issuance).with_notice(notice.notice_id, at)
    cookie = Cookie(
        key=COOKIE,
        value=tokens.session_cookie(issuance.settings.server_secret, session),
        path="/claims",
        max_age=int(tokens.SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https" or not issuance.settings.test_mode,
    )
    return Redirect(f"/claims/{token}", status_code=303, cookies=[cookie], headers=UNKEPT)


@get("/claims/{token:str}/{name:str}", include_in_schema=False, opt=public(cross_origin=False))
async def download(
    request: AnyRequest, token: FromPath[str], name: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[bytes]:
    """The credential as `credential.json`, `.jwt`, `.png` or `.svg`, for whoever pressed the button here."""
    stem, _, form = name.partition(".")
    if stem != "credential" or form not in MEDIA_TYPES:
        raise errors.NotFound("There is no such file.")
    record = await _confirmed(request, issuance, await _notice(issuance, token))
    headers = {**UNKEPT, "content-disposition": f'attachment; filename="{name}"'}
    return Response(await records.download(issuance, record, form), media_type=MEDIA_TYPES[form], headers=headers)


@post("/claims/{token:str}/publication", include_in_schema=False, status_code=303, opt=by_capability())
async def set_publication(request: AnyRequest, token: FromPath[str], issuance: NamedDependency[Issuance]) -> Redirect:
    """Who may see the award's page from now on."""
    notice, form = await _posted(request, issuance, token, "publication")
    await _confirmed(request, issuance, notice)
    try:
        wanted = msgspec.convert(form.get("visibility"), Visibility)
    except msgspec.ValidationError as error:
        raise errors.Malformed("Choose who may see the page.") from error
    at = now()
    await issuance.store.decide(
        f"award/{notice.award_id}",
        lambda history: rules.publish(wanted, history, pseudonym=notice.pseudonym, at=at),
        wish=_wish(request, issuance, notice.tenant, "publication", form["form"]),
    )
    return Redirect(f"/claims/{token}?done=saved", status_code=303, headers=UNKEPT)


@post("/claims/{token:str}/joining", include_in_schema=False, status_code=303, opt=by_capability())
async def join_records(request: AnyRequest, token: FromPath[str], issuance: NamedDependency[Issuance]) -> Redirect:
    """This record and another that is offered here are one learner's."""
    notice, form = await _posted(request, issuance, token, "joining")
    record = await _confirmed(request, issuance, notice)
    offered = await records.others(issuance, record, _session(request, issuance))
    other = next((one for one in offered if one.pseudonym == form.get("record")), None)
    if other is None:
        raise errors.NotFound("This record cannot be joined here, or was joined already.")
    await joining.join(
        issuance, record, other,
        lambda tenant, cause: _wish(request, issuance, tenant, "joined", f"{form['form']} {cause}"), at=now(),
    )  # fmt: skip
    return Redirect(f"/claims/{token}?done=joined_now", status_code=303, headers=UNKEPT)


async def _notice(issuance: Issuance, token: str) -> Notice:
    """The notice whose link this is. Raises NotFound or Gone."""
    notice_id = tokens.notice_of(issuance.settings.server_secret, token)
    rows = await issuance.store.pool.fetch(records.NOTICES, [notice_id]) if notice_id else []
    if not rows:
        raise errors.NotFound(NO_LINK)
    notice = Notice(**dict(rows[0]))
    if notice.link_until <= now():
        raise errors.Gone(OVER)
    return notice


async def _posted(request: AnyRequest, issuance: Issuance, token: str, purpose: str) -> tuple[Notice, dict[str, str]]:
    """The notice and the fields of one of this page's own forms. Raises Forbidden for a form of elsewhere."""
    notice = await _notice(issuance, token)
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    own = tokens.is_form_token(
        issuance.settings.server_secret, notice.notice_id, purpose, fields.get("form", ""), now()
    )
    if not own or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise errors.Forbidden("This form is too old or not from this page. Open the link in the message again.")
    return notice, fields


async def _confirmed(request: AnyRequest, issuance: Issuance, notice: Notice) -> Record:
    """The record, for a browser in which the button was pressed. Raises Forbidden elsewhere."""
    record = await records.opened(issuance, notice)
    if not record.proven or notice.notice_id not in _session(request, issuance).notices:
        raise errors.Forbidden("Open the link in the message and confirm first.")
    return record


def _session(request: AnyRequest, issuance: Issuance) -> Session:
    return tokens.session_of(issuance.settings.server_secret, request.cookies.get(COOKIE, ""), now())


def _form(issuance: Issuance, notice: Notice, purpose: str) -> str:
    return tokens.form_token(issuance.settings.server_secret, notice.notice_id, purpose, draw(9).hex(), now())


def _wish(request: AnyRequest, issuance: Issuance, tenant: str, purpose: str, cause: str) -> Wish:
    """A command of a learner, named by what caused it."""
    command = ids.caused_command(issuance.settings.server_secret, f"claim-{purpose}", cause)
    actor = Actor(key="claim", role="learner", request=exchange(request).request_id)
    return Wish(tenant=tenant, command=command, actor=actor)


def _shown(issuance: Issuance, record: Record, language: str) -> dict[str, Any]:
    event = documented(record.opened.recorded)
    until = parse_time(event.valid_until) if event.valid_until else None
    expired = until is not None and until <= now() and record.standing == "valid"
    return {
        "learner": record.opened.personal.get("name"),
        "address": record.address,
        "description": record.achievement.document.get("description"),
        "awarded": day(parse_time(event.awarded_date), language),
        "valid_until": day(until, language) if until else None,
        "standing": "expired" if expired else record.standing,
        "visibility": record.visibility,
        "credential_url": issuance.addresses.credential_url(record.opened.personal["capability"]),
        "link_until": day(record.notice.link_until, language),
    }


HANDLERS = [claim_page, confirm, download, set_publication, join_records]
