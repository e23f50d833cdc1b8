"""A notice as a mail: plain text with a simple HTML alternative (RFC 5322, RFC 3834). ● Pure.

The Message-ID and the return path follow from the notice: a repeat after a crash is the same message to every mail
system, and a bounce finds its notice by either (VERP).
"""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec
from markupsafe import Markup

from issuance.notices.templates import Filling, filled, words_for
from issuance.notices.texts import Template

TEST_MARK = "[TEST] "
TEST_NOTE = "TEST: sent by a test ledger, or from an institution's sandbox. Nothing in this message is a real award."
DEMO_NOTE = "DEMO: an invented institution. Nothing in this message is a real award."


class Sender(msgspec.Struct, frozen=True):
    """The configured sender address of this ledger, `local@domain`."""

    address: str

    def return_path(self, notice_id: str) -> str:
        """`local+<notice id>@domain`: where bounces of this very notice go."""
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{notice_id}@{domain}"

    def message_id(self, notice_id: str) -> str:
        """`<notice id@domain>`."""
        return f"<{notice_id}@{self.address.rpartition('@')[2]}>"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one mail is made of. `reply_to` is the institution's own address."""

    notice_id: str
    recipient: str
    template: Template
    language: str
    filling: Filling
    reply_to: str | None
    test: bool
    demo: bool
    at: datetime


def message_for(letter: Letter, sender: Sender) -> EmailMessage:
    """The mail."""
    subject, body = texts_of(letter)
    message = EmailMessage()
    message["Message-ID"] = sender.message_id(letter.notice_id)
    message["Date"] = format_datetime(letter.at)
    local, _, domain = sender.address.rpartition("@")
    message["From"] = Address(" ".join(letter.filling.institution.split()), local, domain)
    message["To"] = letter.recipient
    if letter.reply_to is not None:
        message["Reply-To"] = letter.reply_to
    message["Subject"] = subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body, cte="quoted-printable")
    message.add_alternative(html_of(letter, subject, body), subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.language  # last: becoming multipart drops what is said of the content
    return message


def texts_of(letter: Letter) -> tuple[str, str]:
    """Subject and plain text, filled in, with the footer and the marks of test and demo."""
    fill, template = letter.filling, letter.template
    notes = [note for note, said in ((TEST_NOTE, letter.test), (DEMO_NOTE, letter.demo)) if said]
    footer = filled(words_for(letter.language).footer, fill, letter.language)
    body = filled(template.text, fill, letter.language).strip()
    subject = (TEST_MARK if letter.test else "") + filled(template.subject, fill, letter.language)
    return subject, "\n\n".join([*notes, body, "-- \n" + footer]) + "\n"


def html_of(letter: Letter, subject: str, body: str) -> str:
    """The text as HTML: paragraphs, and the link as a button. No pictures, nothing that is fetched."""
    link = letter.filling.link
    text, _, footer = body.rpartition("-- \n")
    paragraphs = [
        BUTTON.format(link=link, label=words_for(letter.language).button)
        if paragraph == link
        else PARAGRAPH.format(Markup("<br>").join(paragraph.split("\n")))
        for paragraph in text.strip().split("\n\n")
    ]
    return str(
        PAGE.format(
            language=letter.language,
            title=subject,
            institution=letter.filling.institution,
            body=Markup("\n").join(paragraphs),
            footer=footer.strip(),
        )
    )


PARAGRAPH = Markup('<p style="margin:0 0 16px">{}</p>')
BUTTON = Markup(
    '<p style="margin:0 0 16px"><a href="{link}" style="display:inline-block;padding:12px 20px;border-radius:6px;'
    'background:#1d4ed8;color:#ffffff;text-decoration:none;font-weight:600">{label}</a></p>'
    '<p style="margin:0 0 16px;font-size:13px;word-break:break-all">'
    '<a href="{link}" style="color:#1d4ed8">{link}</a></p>'
)
PAGE = Markup(
    """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head>
<body style="margin:0;padding:24px 12px;background:#f7f8fa;color:#16202e;
font:16px/1.6 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d5dae2;border-radius:12px">
<p style="margin:0 0 16px;font-size:13px;font-weight:650;color:#55617a">{institution}</p>
{body}
<hr style="border:0;border-top:1px solid #d5dae2;margin:24px 0 16px">
<p style="margin:0;font-size:13px;color:#55617a">{footer}</p>
</div>
</body>
</html>
"""
)
