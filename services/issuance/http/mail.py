"""`/mail`: the mails that were written into the mail folder, for a person at this very machine, in test mode alone."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from issuance.parts import Issuance
from ledger.errors import NotFound
from ledger.settings import LOOPBACK
from ledger.web import Pages, public

NAME = re.compile(r"ntc_[a-z2-7]{26}")
SHOWN = 200
UNKEPT = {"cache-control": "no-store", "x-robots-tag": "noindex"}
HTML_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none';"
    " sandbox allow-popups allow-top-navigation-by-user-activation"
)


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as the page shows it."""

    name: str
    written: datetime
    sender: str
    recipient: str
    subject: str
    headers: list[tuple[str, str]]
    text: str
    html: str


@get("/mail", include_in_schema=False, opt=public(cross_origin=False))
async def mail_page(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """The newest mails."""
    folder = _folder(request, issuance)
    files = (
        sorted(folder.glob("ntc_*.eml"), key=lambda file: file.stat().st_mtime, reverse=True) if folder.is_dir() else []
    )
    mails = [_mail(file) for file in files[:SHOWN]]
    return pages.answer(request, "mail.html", headers=UNKEPT, mails=mails, total=len(files), folder=str(folder))


@get("/mail/{name:str}", include_in_schema=False, opt=public(cross_origin=False))
async def one_mail(
    request: Request[Any, Any, Any],
    name: FromPath[str],
    issuance: NamedDependency[Issuance],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    """One mail: its headers, its text."""
    return pages.answer(request, "mail_one.html", headers=UNKEPT, mail=_found(request, issuance, name))


@get("/mail/{name:str}/html", include_in_schema=False, opt=public(cross_origin=False))
async def mail_html(
    request: Request[Any, Any, Any], name: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[bytes]:
    """Its HTML alternative, by itself, as a mail program shows it."""
    headers = {**UNKEPT, "content-security-policy": HTML_CSP}
    return Response(_found(request, issuance, name).html.encode(), media_type="text/html", headers=headers)


def _folder(request: Request[Any, Any, Any], issuance: Issuance) -> Path:
    """The mail folder. Raises NotFound for whoever is not at this machine, and where there is none."""
    mail = issuance.settings.mail
    here = request.client is not None and request.client.host in LOOPBACK and request.url.hostname in LOOPBACK
    if mail is None or mail.folder is None or mail.smtp_url is not None or not issuance.settings.test_mode or not here:
        raise NotFound("There is no such page.")
    return mail.folder


def _found(request: Request[Any, Any, Any], issuance: Issuance, name: str) -> Mail:
    file = _folder(request, issuance) / f"{name}.eml"
    if NAME.fullmatch(name) is None or not file.is_file():
        raise NotFound("There is no such mail.")
    return _mail(file)


def _mail(file: Path) -> Mail:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise NotFound("There is no such mail.")
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return Mail(
        name=file.stem,
        written=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        sender=str(message["From"]),
        recipient=str(message["To"]),
        subject=str(message["Subject"]),
        headers=[
            (name, str(value)) for name, value in message.items() if not name.lower().startswith(("content-", "mime"))
        ],
        text=plain.get_content() if plain else "",
        html=html.get_content() if html else "",
    )


HANDLERS = [mail_page, one_mail, mail_html]
