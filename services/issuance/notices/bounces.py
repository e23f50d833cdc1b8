"""Delivery status notifications (RFC 3464): which notice came back, and with which status (RFC 3463). ● Pure."""

import re
from collections.abc import Iterator
from email import message_from_string, policy
from email.message import EmailMessage, Message

import msgspec

from ledger import errors

_NOTICE = re.compile(r"ntc_[a-z2-7]{26}")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
WHERE_NAMED = ("to", "x-original-to", "delivered-to", "references", "in-reply-to")
RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


class Returned(msgspec.Struct, frozen=True):
    """What a report says: about which notice, whether it failed for good, with which status."""

    notice_id: str
    failed: bool
    status: str


def returned(raw: str) -> Returned:
    """The report in a raw mail. Raises Malformed for what is no delivery status notification or names no notice."""
    message = message_from_string(raw, policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise errors.Malformed("This is no mail.")
    fields = list(_recipients(message))
    if not fields:
        raise errors.Malformed("This is no delivery status notification: it has no message/delivery-status part.")
    notice = next(_notices(message), None)
    if notice is None:
        raise errors.Malformed("The report names no notice of this ledger, neither by return path nor by Message-ID.")
    for action, status in fields:
        if action == "failed":
            return Returned(notice, True, status or "5.0.0")
    return Returned(notice, False, fields[0][1] or "4.0.0")


def _recipients(message: EmailMessage) -> Iterator[tuple[str, str | None]]:
    """Action and status of each recipient."""
    for part in message.walk():
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if not isinstance(block, Message):
                continue
            if (action := block.get("Action")) is not None:
                found = _STATUS.search(str(block.get("Status", "")))
                yield str(action).partition("(")[0].strip().lower(), found.group(0) if found else None


def _notices(message: EmailMessage) -> Iterator[str]:
    """The notices that the report's own address, its envelope id and the returned headers name."""
    for part in message.walk():
        kind = part.get_content_type()
        texts: list[str] = []
        if part is message:
            texts += [str(part.get(name, "")) for name in WHERE_NAMED]
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            blocks = part.get_payload()
            texts += [str(block) for block in blocks] if isinstance(blocks, list) else []
        if kind in RETURNED:
            texts.append(part.as_string())
        for text in texts:
            yield from _NOTICE.findall(text)
