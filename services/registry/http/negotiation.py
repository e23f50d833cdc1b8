"""Which representation a reader wants (RFC 9110 §12.5.1), as a pure function of its `Accept`."""

from collections.abc import Sequence

import msgspec

HTML = "text/html"


class Range(msgspec.Struct, frozen=True):
    """One media range: `specificity` is 0 for `*/*`, 1 for `type/*`, 2 for a whole type."""

    kind: str
    quality: float
    specificity: int

    def takes(self, media_type: str) -> bool:
        return self.specificity == 0 or media_type == self.kind or media_type.startswith(self.kind.removesuffix("*"))


def chosen(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type that the reader likes best; None when it takes none of them.

    Between equals a type that was named beats a wildcard, then the order of the offer counts. A page is given only to
    a reader that names `text/html`: tools send `*/*` and want the document.
    """
    ranges = _ranges(accept)
    best: tuple[float, int, int] | None = None
    answer = None
    for place, media_type in enumerate(offered):
        matching = max((r for r in ranges if r.takes(media_type)), key=lambda r: r.specificity, default=None)
        if matching is None or matching.quality <= 0 or (media_type == HTML and matching.specificity < 2):
            continue
        rank = (matching.quality, matching.specificity, -place)
        if best is None or rank > best:
            best, answer = rank, media_type
    return answer


def _ranges(accept: str) -> list[Range]:
    ranges = []
    for entry in accept.split(",") if accept.strip() else ["*/*"]:
        kind, _, parameters = entry.strip().lower().partition(";")
        kind = kind.strip()
        if "/" not in kind:
            continue
        specificity = 0 if kind == "*/*" else 1 if kind.endswith("/*") else 2
        ranges.append(Range(kind, _quality(parameters), specificity))
    return ranges


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
