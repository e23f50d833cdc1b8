"""Conditional requests (RFC 9110 §13): strong entity tags, `If-None-Match` for readers, `If-Match` for writers."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response

from ledger.errors import Malformed, PreconditionRequired, Stale

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')
_KEPT = ("cache-control", "vary", "content-location", "expires", "link")


def content_etag(content: bytes) -> str:
    """A strong tag of a representation's bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def version_etag(version: int) -> str:
    """The tag of a thing by the version of its stream."""
    return f'"{version}"'


def unchanged(request: Request[Any, Any, Any], etag: str) -> bool:
    """Whether the reader already has it: `If-None-Match` names the tag (weakly compared) or is `*`."""
    given = request.headers.get("if-none-match")
    return given is not None and (given.strip() == "*" or etag in _tags(given, weak=True))


def require_match(request: Request[Any, Any, Any], etag: str, *, required: bool = True) -> None:
    """Let a change pass only if it was made on what is there now.

    Raises PreconditionRequired without `If-Match` where that is `required`, Stale where it names another version.
    """
    given = request.headers.get("if-match")
    if given is None:
        if required:
            raise PreconditionRequired("Send If-Match with the ETag of what you read.")
        return
    if given.strip() != "*" and etag not in _tags(given, weak=False):
        raise Stale("It has changed since you read it; read it again and decide anew.")


def conditional(
    request: Request[Any, Any, Any],
    content: bytes,
    *,
    media_type: str,
    headers: Mapping[str, str],
    etag: str | None = None,
) -> Response[bytes]:
    """The representation, or 304 with the same ETag, Cache-Control and Vary where the reader has it already.

    `headers` are lower-case and name `cache-control`; `etag` defaults to that of the bytes.
    """
    tag = etag or content_etag(content)
    if unchanged(request, tag):
        kept = {name: value for name, value in headers.items() if name in _KEPT}
        return Response(b"", status_code=304, headers={**kept, "etag": tag})
    return Response(content, media_type=media_type, headers={**headers, "etag": tag})


def _tags(field: str, *, weak: bool) -> list[str]:
    if not _LIST.fullmatch(field):
        raise Malformed("The entity tags are not as RFC 9110 writes them.")
    tags = _TAG.findall(field)
    return [tag.removeprefix("W/") for tag in tags] if weak else [tag for tag in tags if not tag.startswith("W/")]
