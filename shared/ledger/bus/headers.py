"""CloudEvents 1.0 over NATS, binary mode: every attribute a header `ce-<name>`, the body the data. Pure.

Header values percent-encode space, `"`, `%` and everything outside U+0021–U+007E as UTF-8 with upper-case hex; reading
accepts lower case and quoted values and refuses invalid UTF-8 (CloudEvents HTTP binding §3.1.3.2, used by NATS').
"""

import base64
import re
from collections.abc import Mapping

from ledger.codec import Headers, Recorded, format_time, parse_time
from ledger.events import EVENTS, public_type

SEQUENCE_DIGITS = 20
_ESCAPE = re.compile(r'[^\x21-\x7e]|["%]')
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def encode_value(text: str) -> str:
    """A header value."""
    return _ESCAPE.sub(lambda m: "".join(f"%{byte:02X}" for byte in m.group().encode()), text)


def decode_value(value: str) -> str:
    """The text behind a header value. Raises ValueError for invalid UTF-8."""
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return _ESCAPED.sub(lambda m: bytes.fromhex(m.group().replace("%", "")).decode("utf-8"), text)


def headers_for(recorded: Recorded, source: str) -> dict[str, str]:
    """The CloudEvents headers of a stored event; `source` is the URL of the log."""
    event_type = EVENTS[recorded.topic]
    attributes = {
        "specversion": "1.0",
        "id": str(recorded.position),
        "source": source,
        "type": public_type(event_type),
        "subject": recorded.stream,
        "time": format_time(recorded.recorded_at),
        "datacontenttype": "application/json",
        "dataschema": f"{source.removesuffix('/log')}/schemas/{recorded.topic}.v{event_type.VERSION}.json",
        "sequence": str(recorded.position).zfill(SEQUENCE_DIGITS),
        "streamversion": str(recorded.version),
        "tenant": recorded.tenant,
        "leaf": base64.urlsafe_b64encode(recorded.leaf).decode().rstrip("="),
    }
    return {f"ce-{name}": encode_value(value) for name, value in attributes.items()}


def read_headers(headers: Mapping[str, str]) -> Headers:
    """What the headers say of the event. Raises ValueError or KeyError for headers that are not ours."""
    ce = {name.lower(): decode_value(value) for name, value in headers.items() if name.lower().startswith("ce-")}
    topic, _, _ = ce["ce-type"].removeprefix("org.credledger.").rpartition(".v")
    return Headers(
        position=int(ce["ce-id"]),
        stream=ce["ce-subject"],
        version=int(ce["ce-streamversion"]),
        topic=topic,
        recorded_at=parse_time(ce["ce-time"]),
        leaf=leaf_of(ce["ce-leaf"]),
    )


def leaf_of(text: str) -> bytes:
    """The log entry in a `ce-leaf` header."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
