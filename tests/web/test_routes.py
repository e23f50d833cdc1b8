"""What a route must say of itself, or the application is not built."""

from typing import Any

import pytest
from litestar import get, post
from tests.web.sample import app

from ledger.web import RouteError, plans_of, public, requires


async def nothing() -> None: ...


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (get("/x", operation_id="x"), "GET /x must state either a scope or public=True"),
        (get("/x", operation_id="x", opt={"public": False}), "GET /x must state either a scope or public=True"),
        (
            get("/x", operation_id="x", opt={"scope": "awards:read", "public": True}),
            "GET /x must state either a scope or public=True",
        ),
        (get("/x", operation_id="x", opt=requires("awards:all")), "names the scope 'awards:all', which does not exist"),
        (get("/x", opt=public()), "GET /x needs an operation_id"),
        (post("/x", operation_id="x", opt={"public": True}), "POST /x changes state and is public"),
    ],
)
def test_a_route_that_does_not_say_who_may_call_is_not_served(handler: Any, sentence: str) -> None:
    with pytest.raises(RouteError, match=sentence):
        app(handlers=[handler(nothing)])


def test_every_route_has_a_plan() -> None:
    plans = {(min(plan.methods), plan.template): plan for plan in plans_of(app())}

    assert plans["POST", "/v1/awards"].changes
    assert plans["POST", "/v1/awards"].scope == "awards:write"
    assert not plans["POST", "/v1/verifications"].changes
    assert plans["GET", "/v1/items"].query == {"limit", "cursor", "at_most"}
    assert plans["GET", "/page"].query is None
    assert all(plan.public is (plan.scope is None) for plan in plans.values())


def test_a_preview_is_a_post_that_changes_nothing() -> None:
    handler = post("/preview", operation_id="preview", opt=requires("standings:write", changes=False))(nothing)

    assert not next(plan for plan in plans_of(app(handlers=[handler])) if plan.template == "/preview").changes
