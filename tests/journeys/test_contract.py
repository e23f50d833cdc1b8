"""Every operation behaves as its OpenAPI document says: for generated requests and for each error it can be led to."""

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.journeys.problems import checked_problem
from tests.journeys.routes import APPS, Route, key_for, plans
from tests.running import Institution, Running

from ledger.web import NotAcceptable, Plan
from ledger.web.openapi import operations

DOCUMENTED = sorted((route for route, plan in plans().items() if plan.documented), key=str)
CHECKED = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 8
# What has neither a body, a query, a key nor a number takes any text: no request to it can break its document.
BREAKABLE = [
    route for route in DOCUMENTED if plans()[route].scope or plans()[route].body or plans()[route].query
    or "{number}" in route.template
]  # fmt: skip
MODES = {GenerationMode.POSITIVE: DOCUMENTED, GenerationMode.NEGATIVE: BREAKABLE}
GENERATED = [(route, mode) for mode, routes in MODES.items() for route in routes]

# Path parameters that name nothing, and bodies that are right where one is needed to get as far as the name.
NOTHING = {
    "institution_id": "inst_" + "a" * 26, "key_id": "key_" + "a" * 26, "achievement_id": "ach_" + "a" * 26,
    "award_id": "awd_" + "a" * 26, "learner_id": "lrn_" + "a" * 26, "list_id": "sl_" + "a" * 26, "issuer": "nobody",
    "ring": "data", "epoch": "999",
    "slug": "nobody", "number": "1", "file": "image.png", "name": "A" * 22, "position": "999999999", "code": "nothing",
    "result_id": "res_" + "a" * 26, "mapping_id": "map_" + "a" * 26, "approval_id": "apr_" + "a" * 26,
    "notice_id": "ntc_" + "a" * 26, "job_id": "job_" + "a" * 26, "kind": "nothing", "language": "en",
}  # fmt: skip
BODIES: dict[str, Any] = {
    "/mappings/{mapping_id}/versions": {
        "name": "M",
        "source": "xapi",
        "rules": [{"item": "urn:a", "achievement_id": "ach_" + "a" * 26, "completed": True}],
    },
    "/results/{result_id}/correction": {"value": "1"},
    "/institutions/{institution_id}/suspension": {"reason_code": "unpaid", "authority": "Board"},
    "/institutions/{institution_id}/reinstatement": {"reason_code": "paid", "authority": "Board"},
    "/closure": {"reason_code": "other", "authority": "Board"},
    "/merger": {"reason_code": "other", "authority": "Board", "into": "inst_" + "b" * 26},
    "/renaming": {"reason_code": "other", "authority": "Board", "name": "Renamed"},
    "/move": {"reason_code": "other", "authority": "Board", "did": "did:web:nowhere.example"},
    "/policy": {"four_eyes": []},
    "/refusal": {"reason_code": "not_earned"},
    "/signing-key-exports": {"recipient": "A" * 43},
    "/signing-key-imports": {"institution": "x", "did": "did:web:x", "recipient": "A" * 43, "keys": [], "sealed": "A"},
    "/versions": {"name": "Data", "description": "Data.", "criteria": {"narrative": "Exam."}},
    "/correction": {"changes": {"term": "Fall"}, "reason_code": "other"},
    "/learners/{learner_id}": {"identifiers": [{"kind": "email", "value": "a@learner.example"}]},
    "/suspension": {"reason_code": "other"},
    "/reinstatement": {"reason_code": "other"},
    "/revocation": {"reason_code": "other"},
    "/notice-templates/{kind}/{language}": {"subject": "Well done", "text": "{link}"},
}
TOO_LARGE = b'{"x": "' + b"x" * 2_200_000 + b'"}'


class Contract(msgspec.Struct, frozen=True):
    """The documents of the three services, an institution whose key opens them, and keys that open next to nothing."""

    ledger: Running
    institution: Institution
    schemas: dict[str, BaseSchema]
    weak_keys: dict[str, str]
    achievement: str
    client: httpx.Client

    def headers(self, route: Route) -> dict[str, str]:
        """What a good caller of this route sends."""
        key = key_for(plans()[route], self.ledger, self.institution)
        sent = {} if key is None else {"authorization": f"Bearer {key}"}
        return {**sent, "idempotency-key": str(uuid.uuid4())} if plans()[route].keyed else sent

    def send(
        self, route: Route, *, content: bytes | None = None, path: str = "", **headers: str | None
    ) -> httpx.Response:
        """A request to a route at something that is not there; headers as given, over a good caller's."""
        body = next((body for end, body in BODIES.items() if route.template.endswith(end)), {})
        if content is None and plans()[route].body is not None:
            content = msgspec.json.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        taken = plans()[route].body
        media_type = "application/json" if taken is None else taken.media_type
        sent = {"content-type": media_type, "if-match": "*", **self.headers(route), **named}
        return self.client.request(
            route.method, self.ledger.url(route.service) + (path or route.template.format_map(NOTHING)),
            content=content, headers={name: value for name, value in sent.items() if value is not None},
        )  # fmt: skip

    def problem(self, route: Route, answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
        """The problem in an answer: as RFC 9457 writes it, and one that this operation says it may answer with."""
        problem = checked_problem(answer, status, code)
        operation = self.schemas[route.service].raw_schema["paths"][route.template][route.method.lower()]
        assert f"(`{code}`)" in operation["responses"][str(status)]["description"]
        return problem


@pytest.fixture(scope="module")
def contract(ledger: Running) -> Iterator[Contract]:
    institution = ledger.institution("contract")
    achievement = ledger.achievement(institution)
    ledger.award(institution, achievement)
    documents = {name: schemathesis.openapi.from_url(f"{ledger.url(name)}/openapi.json") for name in APPS}
    weak = {scope: _key_with(ledger, institution.api_key, scope) for scope in ("keys:read", "audit:read")}
    with httpx.Client(timeout=30) as client:
        yield Contract(ledger, institution, documents, weak, achievement, client)


def _key_with(ledger: Running, by: str, scope: str) -> str:
    answer = ledger.post("issuance", "/v1/keys", {"name": f"only {scope}", "scopes": [scope]}, key=by)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["api_key"])


@pytest.mark.parametrize("service", APPS)
def test_the_document_is_valid_openapi_3_1(contract: Contract, service: str) -> None:
    assert contract.schemas[service].raw_schema["openapi"].startswith("3.1.")
    contract.schemas[service].validate()


@pytest.mark.parametrize(("route", "mode"), GENERATED, ids=str)
def test_what_is_answered_is_what_is_documented(contract: Contract, route: Route, mode: GenerationMode) -> None:
    operation = contract.schemas[route.service][route.template][route.method]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def judged(case: Case) -> None:
        case.call_and_validate(headers=contract.headers(route), checks=CHECKED)

    judged()


def routes(fits: Callable[[Plan], object]) -> list[Route]:
    """The documented routes whose plan is of a kind."""
    return [route for route in DOCUMENTED if fits(plans()[route])]


@pytest.mark.parametrize("route", routes(lambda plan: plan.scope), ids=str)
def test_without_a_key_it_is_401(contract: Contract, route: Route) -> None:
    answer = contract.send(route, authorization=None)

    contract.problem(route, answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", routes(lambda plan: plan.scope), ids=str)
def test_with_a_key_that_does_not_open_it_it_is_403(contract: Contract, route: Route) -> None:
    scope = plans()[route].scope
    weak = contract.weak_keys["audit:read" if scope == "keys:read" else "keys:read"]

    problem = contract.problem(route, contract.send(route, authorization=f"Bearer {weak}"), 403, "forbidden")

    assert str(scope) in problem["detail"]


@pytest.mark.parametrize("route", routes(lambda plan: "{" in plan.template), ids=str)
def test_what_is_not_there_is_404(contract: Contract, route: Route) -> None:
    contract.problem(route, contract.send(route), 404, "not_found")


@pytest.mark.parametrize("route", routes(lambda plan: NotAcceptable in plan.errors), ids=str)
def test_a_form_that_nobody_makes_is_406(contract: Contract, route: Route) -> None:
    contract.problem(route, contract.send(route, accept="video/mp4"), 406, "not_acceptable")


@pytest.mark.parametrize("route", DOCUMENTED, ids=str)
def test_another_method_is_405_and_told_which_there_are(contract: Contract, route: Route) -> None:
    path = contract.ledger.url(route.service) + route.template.format_map(NOTHING)

    answer = contract.client.delete(path)

    checked_problem(answer, 405, "method_not_allowed")
    assert route.method in answer.headers["allow"].split(", ")


# Lists may be larger than other bodies, and are no JSON: they have tests of their own.
@pytest.mark.parametrize("route", routes(lambda plan: plan.body and plan.template != "/v1/jobs"), ids=str)
def test_a_body_that_is_too_large_is_413(contract: Contract, route: Route) -> None:
    contract.problem(route, contract.send(route, content=TOO_LARGE), 413, "too_large")


@pytest.mark.parametrize("route", routes(lambda plan: plan.body), ids=str)
@pytest.mark.parametrize("headers", [
    {"content_type": "text/plain"},
    {"content_type": None},
    {"content_type": "application/json; charset=latin-1"},
    {"content_encoding": "gzip"},
], ids=str)  # fmt: skip
def test_a_body_of_another_kind_is_415(contract: Contract, route: Route, headers: dict[str, str | None]) -> None:
    contract.problem(route, contract.send(route, **headers), 415, "unsupported_media_type")


# A file is read only for a mapping that is there.
@pytest.mark.parametrize(
    "route",
    routes(lambda plan: plan.body and "{mapping_id}/preview" not in plan.template and plan.template != "/v1/jobs"),
    ids=str,
)
def test_a_body_that_cannot_be_read_is_400_and_each_bad_member_is_pointed_at(contract: Contract, route: Route) -> None:
    for broken in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": NaN}', b"{} {}"):
        contract.problem(route, contract.send(route, content=broken), 400, "malformed")

    path = route.template.format_map({**NOTHING, "achievement_id": contract.achievement})
    answer = contract.send(route, path=path, content=b'{"no_such": 1, "nor/th~at": 2}')
    unknown = contract.problem(route, answer, 400, "malformed")
    pointers = {error["pointer"] for error in unknown["errors"]}
    assert {"/no_such", "/nor~1th~0at"} <= pointers


@pytest.mark.parametrize("route", DOCUMENTED, ids=str)
def test_a_query_parameter_that_is_not_there_is_400_and_named(contract: Contract, route: Route) -> None:
    path = route.template.format_map(NOTHING) + "?no_such=1"

    problem = contract.problem(route, contract.send(route, path=path), 400, "malformed")

    assert [(error["parameter"], error["in"]) for error in problem["errors"]] == [("no_such", "query")]


@pytest.mark.parametrize("route", routes(lambda plan: plan.keyed), ids=str)
def test_a_write_without_an_idempotency_key_or_with_a_bad_one_is_400(contract: Contract, route: Route) -> None:
    contract.problem(route, contract.send(route, idempotency_key=None), 400, "idempotency_key_missing")
    for bad in ("", '""', '"open', "x" * 256, "two words"):
        contract.problem(route, contract.send(route, idempotency_key=bad), 400, "malformed")


@pytest.mark.parametrize("service", APPS)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_an_address_that_no_service_has_is_404(contract: Contract, service: str, method: str) -> None:
    checked_problem(contract.client.request(method, contract.ledger.url(service) + "/v1/nothing"), 404, "not_found")


@pytest.mark.parametrize("service", APPS)
def test_every_code_that_is_documented_has_a_page(contract: Contract, service: str) -> None:
    documented = [
        found["description"]
        for _, _, operation in operations(contract.schemas[service].raw_schema)
        for status, found in operation["responses"].items()
        if int(status) >= 400
    ]
    codes = sorted({code for description in documented for code in re.findall(r"\(`([a-z_]+)`\)", description)})

    assert len(codes) > 8
    for code in codes:
        assert contract.client.get(f"{contract.ledger.url(service)}/problems/{code}").status_code == 200
