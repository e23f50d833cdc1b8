"""Which representation a reader gets (RFC 9110 §12.5.1)."""

import pytest

from registry.http.negotiation import chosen

OFFERED = ("application/vc", "application/json", "text/html")


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("", "application/vc"),
        ("*/*", "application/vc"),
        ("application/json", "application/json"),
        ("application/json, */*", "application/json"),
        ("text/html, */*;q=0.8", "text/html"),
        ("text/html;q=0.5, application/vc;q=0.6", "application/vc"),
        ("text/*", None),
        ("text/*, */*;q=0.1", "application/vc"),
        ("application/vc;q=0, */*", "application/json"),
        ("application/vc;q=0", None),
        ("image/png", None),
        ("TEXT/HTML", "text/html"),
        ("application/json;q=high", None),
        ("nonsense", None),
    ],
)
def test_the_best_liked_form_is_chosen(accept: str, answer: str | None) -> None:
    assert chosen(accept, OFFERED) == answer
