"""Words on pages: moments as people read them, and Markdown of others as safe markup. ● Pure."""

from datetime import datetime
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from ledger.codec import format_time, parse_time

# Pictures are left out: they would be fetched from wherever the author says.
TAGS = {"a", "blockquote", "br", "code", "em", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong", "ul"}
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def prose(text: str | None) -> Markup:
    """Markdown as markup: no HTML of its own, links that lend no credit, nothing that is fetched."""
    if not text:
        return Markup("")
    clean = nh3.clean(
        _MARKDOWN.render(text), tags=TAGS, url_schemes={"http", "https", "mailto"}, link_rel="nofollow noopener"
    )
    return Markup(clean)  # noqa: S704 - cleaned in the line above


def when(moment: datetime) -> Markup:
    """A moment to the second, in UTC."""
    return _time(moment, f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC")


def day(moment: datetime) -> Markup:
    """A moment's day, in UTC."""
    return _time(moment, f"{moment.day} {moment:%B %Y}")


def moment_of(text: str | None) -> datetime | None:
    """The moment that a document names, None where it names none that can be read."""
    try:
        return None if text is None else parse_time(text)
    except ValueError:
        return None


def said(value: Any, silence: str = "not stated") -> Markup:
    """A value, or in quiet letters that there is none."""
    if value is None or value == "":
        return Markup('<span class="quiet">{}</span>').format(silence)
    return Markup("{}").format(value)


def _time(moment: datetime, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(format_time(moment), shown)
