"""The link in a notice, the forms on its page and the cookie that remembers who pressed the button. ● Pure.

    claim token = base64url(16 bytes of the notice id ‖ HMAC(server secret, notice id)[:16])

Nothing of it is stored: the token follows from the notice, so a repeated mail holds the same link, and only who knows
the server secret or reads the mail has it. It opens one award of one learner. A form's token names its page, its
purpose and its end; the cookie names the notices that were confirmed in this browser.
"""

import base64
import binascii
import hmac
from datetime import datetime, timedelta

import msgspec

from ledger import ids

FORM_LIFE = timedelta(hours=12)
SESSION_LIFE = timedelta(hours=2)
SESSION_NOTICES = 20
TAG_BYTES = 16


def claim_token(secret: bytes, notice_id: str) -> str:
    """43 characters of base64url."""
    raw = _raw(notice_id)
    return _text(raw + ids.keyed(secret, "credledger/claim/v1", raw)[:TAG_BYTES])


def notice_of(secret: bytes, token: str) -> str | None:
    """The notice whose link this is; None for anything else."""
    try:
        whole = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    raw, tag = whole[:TAG_BYTES], whole[TAG_BYTES:]
    if not hmac.compare_digest(tag, ids.keyed(secret, "credledger/claim/v1", raw)[:TAG_BYTES]):
        return None
    return ids.text_id("ntc", raw) if _text(whole) == token else None


def form_token(secret: bytes, notice_id: str, purpose: str, nonce: str, at: datetime) -> str:
    """What a form of this page carries: `<until>.<nonce>.<mac>`."""
    until = str(int((at + FORM_LIFE).timestamp()))
    return f"{until}.{nonce}.{_tag(secret, 'credledger/form/v1', notice_id, purpose, until, nonce)}"


def is_form_token(secret: bytes, notice_id: str, purpose: str, token: str, at: datetime) -> bool:
    """Whether this page's form of this purpose was given out, not too long ago."""
    until, _, rest = token.partition(".")
    nonce, _, tag = rest.partition(".")
    right = _tag(secret, "credledger/form/v1", notice_id, purpose, until, nonce)
    return hmac.compare_digest(tag.encode(), right.encode()) and until.isdecimal() and at.timestamp() < int(until)


class Session(msgspec.Struct, frozen=True):
    """The notices whose link was confirmed in this browser, and until when that holds (Unix seconds)."""

    notices: tuple[str, ...] = ()
    until: int = 0

    def with_notice(self, notice_id: str, at: datetime) -> "Session":
        """The session after one more button press."""
        known = (notice_id, *(n for n in self.notices if n != notice_id))[:SESSION_NOTICES]
        return Session(known, int((at + SESSION_LIFE).timestamp()))


def session_cookie(secret: bytes, session: Session) -> str:
    """The session as the browser keeps it."""
    body = _text(msgspec.json.encode(session))
    return f"{body}.{_tag(secret, 'credledger/claim-session/v1', body)}"


def session_of(secret: bytes, cookie: str, at: datetime) -> Session:
    """The session in a cookie; an empty one where it is none of ours or over."""
    body, _, tag = cookie.partition(".")
    if not hmac.compare_digest(tag.encode(), _tag(secret, "credledger/claim-session/v1", body).encode()):
        return Session()
    session = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Session)
    return session if at.timestamp() < session.until else Session()


def _raw(notice_id: str) -> bytes:
    return base64.b32decode(notice_id.partition("_")[2].upper() + "======")


def _tag(secret: bytes, purpose: str, *fields: str) -> str:
    return _text(ids.keyed(secret, purpose, *fields)[:TAG_BYTES])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
