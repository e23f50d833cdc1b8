"""HTML: Jinja templates, the assets beside them, and the answer that carries a page.

Templates extend `base.html` (blocks title, main). Assets are served under names that hold their hash, for ever. No
page asks a foreign host for anything; scripts carry the nonce of their answer.
"""

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from litestar import Request, Response

from ledger.errors import NotFound
from ledger.settings import Settings
from ledger.web.exchange import exchange

HTML = "text/html"
IMMUTABLE = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True):
    """A file that pages use, under a name that changes with its content."""

    name: str
    media_type: str
    content: bytes


class Pages:
    """Renders the templates of the product and of one service. `folders` hold `templates/` and `static/`; a later
    folder's file wins over an earlier one's of the same name."""

    def __init__(self, settings: Settings, folders: Sequence[Path] = (), **shared: Any) -> None:
        places = [Path(str(resources.files("ledger.web"))), *folders]
        self.public_url = settings.public_url
        self._named: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        for place in places:
            for file in sorted((place / "static").glob("*")):
                self._add(file)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([str(place / "templates") for place in reversed(places)]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=self.asset_url,
            test_mode=settings.test_mode,
            public_url=settings.public_url,
            status_url=settings.status_url,
            service=settings.service,
            **shared,
        )

    def asset_url(self, name: str) -> str:
        """The address of an asset by the name of its file. Raises KeyError."""
        return f"/assets/{self._named[name]}"

    def asset(self, name: str) -> Asset:
        """The asset under its hashed name. Raises NotFound."""
        if name not in self._assets:
            raise NotFound("There is no such file.")
        return self._assets[name]

    def render(self, template: str, **context: Any) -> str:
        """A template as text. What it needs and is not given is an error."""
        return self._environment.get_template(template).render(**context)

    def answer(
        self,
        request: Request[Any, Any, Any],
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """A page. The template also has `nonce`, for a script of its own, and `sandbox`, whether it is about one."""
        at = exchange(request)
        text = self.render(template, nonce=at.nonce, sandbox=at.sandbox, **context)
        return Response(text.encode(), status_code=status, media_type=HTML, headers=dict(headers or {}))

    def _add(self, file: Path) -> None:
        content = file.read_bytes()
        hashed = f"{file.stem}.{hashlib.sha256(content).hexdigest()[:16]}{file.suffix}"
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._named[file.name] = hashed
        self._assets[hashed] = Asset(hashed, media_type, content)


def prefers_html(accept: str) -> bool:
    """Whether a caller asks for a page: it names text/html, and no JSON before or above it. `*/*` is no such wish."""
    best: dict[str, float] = {}
    for entry in accept.split(","):
        media_type, _, parameters = entry.strip().lower().partition(";")
        quality = 1.0
        for parameter in parameters.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name == "q":
                quality = float(value) if value.replace(".", "", 1).isdigit() else 0.0
        kind = "html" if media_type.strip() in ("text/html", "application/xhtml+xml") else "other"
        if media_type.strip() not in ("*/*", "text/*", "image/*") and (kind == "html" or "json" in media_type):
            best[kind] = max(best.get(kind, 0.0), quality)
    return best.get("html", 0.0) > 0 and best.get("html", 0.0) > best.get("other", 0.0)
