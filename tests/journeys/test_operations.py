"""What operators and careful clients rely on: probes, figures, headers, pages, preconditions."""

import json
import os
import re
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.journeys.problems import checked_problem
from tests.journeys.routes import APPS, Route, key_for, plans
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger.web import Plan

Json = dict[str, Any]
# What differs from one answer to the next: the request's name, the clock, the allowance, a page's nonce.
PASSING = {"x-request-id", "date", "ratelimit", "content-security-policy", "content-length", "transfer-encoding"}
LISTEN = "0A"


class World(msgspec.Struct, frozen=True):
    """An institution with an award, and the names that fill the templates of routes."""

    ledger: Running
    client: httpx.Client
    institution: Institution
    achievement: str
    award: Json
    names: dict[str, str]

    def url(self, route: Route) -> str:
        key = "signing_key" if "/signing-keys/" in route.template else "key_id"
        return self.ledger.url(route.service) + route.template.format_map({**self.names, "key_id": self.names[key]})

    def headers(self, route: Route) -> dict[str, str]:
        key = key_for(plans()[route], self.ledger, self.institution)
        return {} if key is None else {"authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def world(ledger: Running) -> Iterator[World]:
    institution = ledger.institution("operations")
    achievement = ledger.achievement(institution)
    signing_key = reissued_key(ledger, institution)
    award = ledger.award(institution, achievement)
    entry = award["credential"]["credentialStatus"]
    keys = ledger.get("issuance", "/v1/keys", key=institution.api_key).json()["data"]

    def made(path: str, body: Json) -> str:
        """The id of something of the institution."""
        answer = ledger.post("issuance", path, body, key=institution.api_key)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    names = {
        "institution_id": institution.id, "key_id": keys[0]["id"], "achievement_id": achievement,
        "award_id": award["id"], "learner_id": award["learner_id"], "issuer": institution.slug,
        "list_id": entry["statusListCredential"].rpartition("/")[2], "slug": institution.slug, "number": "1",
        "file": "image.svg", "name": award["credential_url"].rpartition("/")[2], "position": str(award["position"]),
        "code": "not_found", "ring": "data", "epoch": "1", "job_id": checked_job(ledger, institution),
        "signing_key": signing_key,
        "token": "A" * 43, "kind": "awarded", "language": "en", "notice_id": "ntc_" + "a" * 26,
        "approval_id": "apr_" + "a" * 26,
        "result_id": made("/v1/results", {
            "achievement_id": achievement, "learner": {"email": "r@learner.example"}, "value": "1"}),
        "mapping_id": made("/v1/mappings", {
            "name": "Exams", "source": "xapi",
            "rules": [{"item": "https://lms.example/exam", "achievement_id": achievement, "passed": True}]}),
    }  # fmt: skip
    with httpx.Client(timeout=30) as client:
        yield World(ledger, client, institution, achievement, award, names)


def reissued_key(ledger: Running, institution: Institution) -> str:
    """A signing key that was retired, and whatever it signed was ordered to be issued anew."""
    rotated = ledger.post("issuance", "/v1/signing-keys/rotation", None, key=institution.api_key)
    assert rotated.status_code == 200, rotated.text
    key_id = str(rotated.json()["keys"][0]["id"])
    ordered = ledger.post("issuance", f"/v1/signing-keys/{key_id}/reissue", {}, key=institution.api_key)
    assert ordered.status_code == 202, ordered.text
    return key_id


def checked_job(ledger: Running, institution: Institution) -> str:
    """A job that was looked through and waits for its start."""
    answer = ledger.send("POST", "issuance", "/v1/jobs?kind=suspensions&reason_code=other&dry_run=true",
                         b"external_id\nnobodys\n", key=institution.api_key, content_type="text/csv")  # fmt: skip
    assert answer.status_code == 202, answer.text
    job = str(answer.json()["id"])
    look = f"/v1/jobs/{job}"
    wait_until(
        lambda: ledger.get("issuance", look, key=institution.api_key).json()["state"] == "checked", 10, "checked"
    )
    return job


def reading(fits: Callable[[Plan], object] = lambda _: True) -> list[Route]:
    """The routes that are read, of which the plan is of a kind."""
    return sorted((r for r, plan in plans().items() if r.method == "GET" and fits(plan)), key=str)


# -- probes and figures


@pytest.mark.parametrize("service", APPS)
def test_the_probes_say_that_it_lives_and_is_ready_and_are_not_kept(world: World, service: str) -> None:
    live, ready = (world.client.get(world.ledger.url(service) + path) for path in ("/livez", "/readyz"))

    assert (live.status_code, live.json()["status"]) == (200, "ok")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["checks"]
    for answer in (live, ready):
        assert answer.headers["cache-control"] == "no-store"
        assert "ratelimit" not in answer.headers


@pytest.mark.parametrize("service", APPS)
def test_the_figures_count_requests_by_route_and_name_nobody(world: World, service: str) -> None:
    for route in reading(lambda plan: plan.public):
        world.client.get(world.url(route))

    answer = world.client.get(world.ledger.url(service) + "/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert {"http_requests", "http_request_duration_seconds", "projection_position", "bus_connected"} <= families.keys()
    templates = {plan.template for route, plan in plans().items() if route.service == service} | {"(none)"}
    assert {sample.labels["route"] for sample in families["http_requests"].samples} <= templates
    for named in (world.names["name"], world.award["id"], world.institution.id, world.institution.slug):
        assert named not in answer.text


def test_the_figures_tell_what_became_of_plans_and_no_plan_was_ever_wrong(world: World) -> None:
    text = world.client.get(world.ledger.url("issuance") + "/metrics").text

    families = {family.name: family for family in text_string_to_metric_families(text)}
    counts = {sample.labels["event"]: sample.value for sample in families["canonicalisation_plans"].samples}
    assert counts["compiled"] >= 1
    assert counts["checked"] >= counts["compiled"]
    assert "mismatch" not in counts


# -- identity of a request


@pytest.mark.parametrize("service", APPS)
def test_a_request_id_is_taken_over_and_stands_in_the_log(world: World, service: str) -> None:
    given = f"check-{secrets.token_hex(8)}"

    answer = world.client.get(world.ledger.url(service) + "/problems", headers={"x-request-id": given})

    assert answer.headers["x-request-id"] == given
    wait_until(lambda: given in world.ledger.log(service), 2, "the line is written")
    (line,) = [line for line in world.ledger.log(service).splitlines() if given in line]
    told = msgspec.json.decode(line)
    assert (told["route"], told["method"], told["status"], told["service"]) == ("/problems", "GET", 200, service)


@pytest.mark.parametrize("bad", ["short", "with space in it", "ada@learner.example", "x" * 129, "semi;colon-12345"])
def test_a_request_id_that_could_say_more_is_replaced(world: World, bad: str) -> None:
    answer = world.client.get(world.ledger.url("registry") + "/problems", headers={"x-request-id": bad})

    assert answer.headers["x-request-id"].startswith("req_")
    assert bad not in world.ledger.log("registry")


def test_an_event_names_the_request_that_made_it(world: World) -> None:
    given = f"award-{secrets.token_hex(8)}"
    body = {"achievement_id": world.achievement, "learner": {"email": "x@learner.example"}}
    made = world.ledger.post("issuance", "/v1/awards", body, key=world.institution.api_key, x_request_id=given).json()

    event = world.ledger.get("registry", f"/v1/events/{made['position']}", key=world.institution.api_key).json()

    assert event["envelope"]["actor"]["request"] == given


# -- headers


@pytest.mark.parametrize("route", reading(), ids=str)
def test_head_is_get_without_a_body_and_every_answer_bears_the_test_mark(world: World, route: Route) -> None:
    url, headers = world.url(route), world.headers(route)

    whole, head = world.client.get(url, headers=headers), world.client.head(url, headers=headers)

    assert head.status_code == whole.status_code
    assert head.content == b""
    assert head.headers.keys() - PASSING == whole.headers.keys() - PASSING
    for name in whole.headers.keys() - PASSING:
        assert head.headers[name] == whole.headers[name], name
    for answer in (whole, head):
        assert answer.headers["test-mode"] == "TEST"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize("route", reading(lambda plan: plan.cross_origin), ids=str)
def test_what_is_public_may_be_read_by_pages_of_other_origins(world: World, route: Route) -> None:
    origin = {"origin": "https://elsewhere.example"}

    answer = world.client.get(world.url(route), headers=origin)
    preflight = world.client.options(world.url(route), headers={**origin, "access-control-request-method": "GET"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "GET" in preflight.headers["access-control-allow-methods"]


@pytest.mark.parametrize("route", sorted((r for r, p in plans().items() if p.scope), key=str), ids=str)
def test_what_needs_a_key_is_for_no_page_of_another_origin(world: World, route: Route) -> None:
    origin = {"origin": "https://elsewhere.example"}

    answer = world.client.get(world.url(route), headers={**origin, **world.headers(route)})
    preflight = world.client.options(
        world.url(route), headers={**origin, "access-control-request-method": route.method}
    )

    if route.method == "GET":
        # Approvals are there only where an institution lets a second key approve: tests/journeys/test_approvals.py.
        assert answer.status_code == (404 if "{approval_id}" in route.template else 200), answer.text
        assert "no-store" in answer.headers["cache-control"] or "private" in answer.headers["cache-control"]
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize("route", reading(lambda plan: plan.limited), ids=str)
def test_every_answer_says_how_many_requests_are_left(world: World, route: Route) -> None:
    answer = world.client.get(world.url(route), headers=world.headers(route))

    policy = re.fullmatch(r'"default";q=(\d+);w=(\d+)', answer.headers["ratelimit-policy"])
    left = re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert policy
    assert left
    assert int(left[1]) < int(policy[1])


def test_too_many_wrong_keys_are_429_with_the_seconds_to_wait_and_good_keys_go_on(world: World) -> None:
    transport = httpx.HTTPTransport(local_address=_another_address())
    url = f"{world.ledger.url('revocation')}/v1/awards/{world.award['id']}/standing"
    with httpx.Client(transport=transport, timeout=30) as client:
        answers = [client.get(url, headers={"authorization": "Bearer nonsense"}) for _ in range(130)]
        good = client.get(url, headers={"authorization": f"Bearer {world.institution.api_key}"})
        public = client.get(f"{world.ledger.url('revocation')}/problems")

    assert {answer.status_code for answer in answers} == {401, 429}
    refused = answers[-1]
    checked_problem(refused, 429, "too_many_requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert ";r=0;" in refused.headers["ratelimit"]
    assert (good.status_code, public.status_code) == (200, 200)


def _another_address() -> str:
    """A loopback address that no other test comes from, where the system has one."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.2", 0))
        except OSError:
            return "127.0.0.1"
    return "127.0.0.2"


# -- lists and preconditions


def test_a_cursor_leads_through_a_whole_list_once_and_through_no_other(world: World) -> None:
    ledger, institution = world.ledger, world.ledger.institution("paged")
    made = [ledger.achievement(institution, f"Part {number}") for number in range(7)]
    path, cursor, found, links = "/v1/achievements?limit=3", "", [], []
    while path:
        page = ledger.get("issuance", path, key=institution.api_key)
        body = page.json()
        found.append([item["id"] for item in body["data"]])
        links.append(page.headers.get("link"))
        assert body["has_more"] is (body["next_cursor"] is not None)
        cursor = body["next_cursor"] or cursor
        path = f"/v1/achievements?limit=3&cursor={cursor}" if body["has_more"] else ""

    assert [len(page) for page in found] == [3, 3, 1]
    assert [one for page in found for one in page] == made
    assert ['rel="next"' in (link or "") for link in links] == [True, True, False]
    elsewhere = [
        ledger.get("issuance", f"/v1/awards?limit=3&cursor={cursor}", key=institution.api_key),
        ledger.get("issuance", f"/v1/achievements?limit=3&cursor={cursor}", key=world.institution.api_key),
        ledger.get("issuance", f"/v1/achievements?limit=3&cursor={cursor}x", key=institution.api_key),
        ledger.get("registry", f"/v1/achievements?limit=3&cursor={cursor}"),
    ]
    assert {answer.status_code for answer in elsewhere} == {400}


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1e3", ""])
@pytest.mark.parametrize("route", reading(lambda plan: plan.query and "cursor" in plan.query), ids=str)
def test_a_limit_out_of_bounds_is_malformed(world: World, route: Route, limit: str) -> None:
    answer = world.client.get(world.url(route), params={"limit": limit}, headers=world.headers(route))

    (error,) = checked_problem(answer, 400, "malformed")["errors"]
    assert (error["parameter"], error["in"]) == ("limit", "query")


def test_a_profile_is_changed_only_by_whoever_read_it(world: World) -> None:
    ledger, institution = world.ledger, world.ledger.institution("careful")
    read = ledger.get("issuance", "/v1/profile", key=institution.api_key)
    wish = {"name": "Careful College", "url": "https://careful.example"}

    def put(**headers: str) -> httpx.Response:
        return ledger.call("PUT", "issuance", "/v1/profile", wish, key=institution.api_key, **headers)

    checked_problem(put(), 428, "precondition_required")
    checked_problem(put(if_match='"99"'), 412, "stale")
    checked_problem(put(if_match="W/" + read.headers["etag"]), 412, "stale")
    checked_problem(put(if_match="no tag"), 400, "malformed")
    changed = put(if_match=read.headers["etag"], idempotency_key="careful-1")
    assert changed.status_code == 200, changed.text
    assert changed.json()["name"] == "Careful College"
    checked_problem(put(if_match=read.headers["etag"]), 412, "stale")
    assert put(if_match=read.headers["etag"], idempotency_key="careful-1").content == changed.content
    now = ledger.get("issuance", "/v1/profile", key=institution.api_key)
    assert now.headers["etag"] == changed.headers["etag"] != read.headers["etag"]


def test_a_version_follows_only_the_version_that_was_read(world: World) -> None:
    ledger, path = world.ledger, f"/v1/achievements/{world.ledger.achievement(world.institution)}"
    tag = ledger.get("issuance", path, key=world.institution.api_key).headers["etag"]
    wish = {"name": "Data", "description": "Data.", "criteria": {"narrative": "Exam."}}

    def post(**headers: str) -> httpx.Response:
        return ledger.post("issuance", f"{path}/versions", wish, key=world.institution.api_key, **headers)

    checked_problem(post(), 428, "precondition_required")
    checked_problem(post(if_match='"0"'), 412, "stale")
    second = post(if_match=tag)
    assert (second.status_code, second.json()["version"]) == (201, 2)
    checked_problem(post(if_match=tag), 412, "stale")
    assert post(if_match=second.headers["etag"]).json()["version"] == 3


@pytest.mark.parametrize("route", reading(lambda plan: plan.public and not plan.scope), ids=str)
def test_what_bears_a_tag_is_not_sent_again_to_whoever_has_it(world: World, route: Route) -> None:
    first = world.client.get(world.url(route))
    tag = first.headers.get("etag", '"none"')

    again = world.client.get(world.url(route), headers={"if-none-match": f'"other", W/{tag}'})
    other = world.client.get(world.url(route), headers={"if-none-match": '"other"'})

    if "etag" in first.headers:
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert again.headers.get("vary") == first.headers.get("vary")
    assert other.status_code == first.status_code


# -- pages and sockets


def pages() -> list[tuple[str, str]]:
    """Every page, by service."""
    version = "/achievements/{achievement_id}/versions/{number}"
    awarded = [version, "/credentials/{name}", "/v1/awards/{award_id}"]
    registry = ["/", "/issuers", "/issuers/{slug}", "/verify", "/demo", *awarded]
    reference = [(service, path) for service in APPS for path in ("/docs", "/problems", "/problems/{code}")]
    return reference + [("registry", path) for path in registry]


@pytest.mark.parametrize(("service", "path"), pages(), ids=lambda value: value)
def test_a_page_says_test_and_loads_nothing_from_elsewhere(world: World, service: str, path: str) -> None:
    url = world.ledger.url(service) + path.format_map(world.names)
    page = world.client.get(url, headers={"accept": "text/html"})

    assert page.headers["content-type"].startswith("text/html")
    assert "TEST" in page.text
    loaded = re.findall(
        r"<(?:script|img|iframe|source|object|embed|video|audio)\b[^>]*\b(?:src|data)=[\"']?([^\"' >]+)", page.text
    )
    loaded += [
        href for link in re.findall(r"<link\b[^>]*>", page.text) for href in re.findall(r"href=[\"']?([^\"' >]+)", link)
    ]
    assert loaded
    for address in loaded:
        if address.startswith("data:"):
            continue
        own = urljoin(url, address)
        assert urlsplit(own).netloc == urlsplit(url).netloc, address
        asset = world.client.get(own)
        assert asset.status_code == 200, address
        if asset.headers["content-type"].startswith("text/css"):
            assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//", asset.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http:" not in page.headers["content-security-policy"].replace(world.ledger.url(service), "")


def test_nothing_listens_outside_loopback(world: World) -> None:
    listening = {service: _listening(process.pid) for service, process in world.ledger.processes.items()}

    for service, addresses in listening.items():
        port = urlsplit(world.ledger.url(service)).port
        assert addresses == {f"127.0.0.1:{port}"}, service


def _listening(pid: int) -> set[str]:
    """Where a process listens for TCP, as address:port."""
    if not Path("/proc/net/tcp").exists():
        command = ["lsof", "-nP", "-a", "-p", str(pid), "-iTCP", "-sTCP:LISTEN", "-Fn"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {line[1:] for line in told.splitlines() if line.startswith("n")}
    links = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                found.add(_address(family, fields[1]))
    return found


def _address(family: socket.AddressFamily, text: str) -> str:
    """An address of the kernel's tables: 32-bit words in the machine's own order, and a port."""
    host, port = text.split(":")
    raw = b"".join(bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8))
    return f"{socket.inet_ntop(family, raw)}:{int(port, 16)}"


def test_what_is_no_http_at_all_is_answered_as_a_problem_too(ledger: Running) -> None:
    with socket.create_connection(("127.0.0.1", ledger.port), timeout=5) as raw:
        raw.sendall(b"BREW / HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(65536), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in head
    assert problem["code"] == "malformed"
    assert problem["request_id"].encode() in head
