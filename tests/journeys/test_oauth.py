"""OAuth 2.0 client credentials, by an independent client: short tokens beside API keys, at all three services."""

import base64
import time
from typing import Any
from urllib.parse import quote_plus

import httpx
import msgspec
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.running import Institution, Running
from tests.servers import wait_until

DEAD_SECONDS = 1.0
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Client(msgspec.Struct, frozen=True):
    """An institution's key as an OAuth client."""

    ledger: Running
    institution: Institution
    id: str
    key: str
    award: str

    @property
    def endpoint(self) -> str:
        return self.ledger.url("issuance") + "/oauth/token"

    def ask(self, body: str | dict[str, str], **headers: str) -> httpx.Response:
        """A request to the token endpoint, as it is."""
        content = {"data": body} if isinstance(body, dict) else {"content": body.encode()}
        return httpx.post(self.endpoint, headers={**FORM, **headers}, **content)  # type: ignore[arg-type]

    def token(self, **more: str) -> Any:
        answer = self.ask({"grant_type": "client_credentials", **more}, authorization=basic(self.id, self.key))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reads(self, token: str) -> dict[str, int]:
        """How each service answers to a token."""
        paths = {
            "issuance": "/v1/awards",
            "revocation": f"/v1/awards/{self.award}/standing",
            "registry": "/v1/events?limit=1",
        }
        return {service: self.ledger.get(service, path, key=token).status_code for service, path in paths.items()}


def part(claims: dict[str, Any]) -> str:
    """A part of a JWT, as anybody can write one."""
    return base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")


def basic(client: str, secret: str) -> str:
    """RFC 6749 §2.3.1: both parts form-encoded, then HTTP Basic."""
    pair = f"{quote_plus(client)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.fixture(scope="module")
def client(ledger: Running) -> Client:
    institution = ledger.institution("oauth")
    award = ledger.award(institution, ledger.achievement(institution))["id"]
    made = ledger.post("issuance", "/v1/keys", {"name": "campus system"}, key=institution.api_key).json()
    return Client(ledger, institution, made["id"], made["api_key"], award)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_independent_client_gets_a_token_and_uses_it_at_every_service(client: Client, method: str) -> None:
    with OAuth2Client(client.id, client.key, token_endpoint_auth_method=method) as oauth:
        token = oauth.fetch_token(client.endpoint, grant_type="client_credentials")

        assert (token["token_type"], 0 < token["expires_in"] <= 900) == ("Bearer", True)
        for service, path in (
            ("issuance", "/v1/awards"),
            ("revocation", f"/v1/awards/{client.award}/standing"),
            ("registry", "/v1/events?limit=1"),
        ):
            assert oauth.get(client.ledger.url(service) + path).status_code == 200
    assert set(client.reads(token["access_token"]).values()) == {200}


async def test_the_metadata_leads_an_independent_client_to_the_token(client: Client) -> None:
    address = client.ledger.url("issuance")
    async with AsyncOAuth2Client(client.id, client.key, scope="awards:read") as oauth:
        found = (
            await oauth.request("GET", f"{address}/.well-known/oauth-authorization-server", withhold_token=True)
        ).json()
        token = await oauth.fetch_token(found["token_endpoint"], grant_type=found["grant_types_supported"][0])

    assert (found["issuer"], found["token_endpoint"]) == (address, client.endpoint)
    assert {"client_secret_basic", "client_secret_post"} == set(found["token_endpoint_auth_methods_supported"])
    assert "awards:read" in found["scopes_supported"]
    assert token["scope"] == "awards:read"


def test_a_token_opens_the_scopes_that_were_asked_for_and_no_others(client: Client) -> None:
    token = client.token(scope="awards:read standings:read")

    assert token["scope"] == "awards:read standings:read"
    assert client.reads(token["access_token"]) == {"issuance": 200, "revocation": 200, "registry": 403}
    whole = client.token()
    assert set(whole["scope"].split()) > {"audit:read", "awards:write"}


def test_what_is_done_with_a_token_is_recorded_as_its_keys(client: Client) -> None:
    ledger = client.ledger
    body = {"name": "By token", "description": "By token.", "criteria": {"narrative": "Exam."}}

    made = ledger.post("issuance", "/v1/achievements", body, key=client.token()["access_token"])

    assert made.status_code == 201, made.text
    lines = ledger.get("registry", "/v1/events?limit=100000", key=client.institution.api_key).text.splitlines()
    actors = [e["actor"]["key"] for e in (msgspec.json.decode(line)["envelope"] for line in lines)
              if e["stream"] == f"achievement/{made.json()['id']}"]  # fmt: skip
    assert actors == [client.id]


@pytest.mark.parametrize("how", ["revocation", "expiry"])
def test_a_token_dies_with_its_key_within_a_second_everywhere(client: Client, how: str) -> None:
    ledger, owner = client.ledger, client.institution.api_key
    made = ledger.post("issuance", "/v1/keys", {"name": f"short-lived {how}"}, key=owner).json()
    mine = Client(ledger, client.institution, made["id"], made["api_key"], client.award)
    token = mine.token()["access_token"]
    assert set(mine.reads(token).values()) == {200}

    path, body = (f"/v1/keys/{made['id']}/revocation", {}) if how == "revocation" else (
        f"/v1/keys/{made['id']}/rotation", {"overlap_seconds": 0})  # fmt: skip
    answer = ledger.post("issuance", path, body, key=owner)
    assert answer.is_success, answer.text
    began = time.monotonic()
    wait_until(lambda: set(mine.reads(token).values()) == {401}, 5.0, "the token is dead everywhere")

    assert time.monotonic() - began < DEAD_SECONDS + 0.5  # the asking itself takes a moment
    refused = mine.ask({"grant_type": "client_credentials"}, authorization=basic(mine.id, mine.key))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_a_token_ends_no_later_than_its_key(client: Client) -> None:
    soon = time.time() + 60
    body = {"name": "ends soon", "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon))}
    made = client.ledger.post("issuance", "/v1/keys", body, key=client.institution.api_key).json()

    token = Client(client.ledger, client.institution, made["id"], made["api_key"], client.award).token()

    assert 0 < token["expires_in"] <= 60


def test_the_secret_alone_does_as_well_as_the_keys_whole_text(client: Client) -> None:
    answer = client.ask({"grant_type": "client_credentials"}, authorization=basic(client.id, client.key[-43:]))

    assert answer.status_code == 200, answer.text


WRONG: dict[str, tuple[str | dict[str, str], dict[str, str], int, str]] = {
    "no grant type": ({}, {"authorization": "GOOD"}, 400, "invalid_request"),
    "another grant": ({"grant_type": "password"}, {"authorization": "GOOD"}, 400, "unsupported_grant_type"),
    "no client": ({"grant_type": "client_credentials"}, {}, 401, "invalid_client"),
    "a wrong secret": (
        {"grant_type": "client_credentials"}, {"authorization": basic("key_" + "a" * 26, "x" * 43)}, 401,
        "invalid_client"),
    "no Basic": ({"grant_type": "client_credentials"}, {"authorization": "Bearer x"}, 401, "invalid_client"),
    "broken Basic": ({"grant_type": "client_credentials"}, {"authorization": "Basic %%%"}, 401, "invalid_client"),
    "two ways at once": (
        {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}, {"authorization": "GOOD"}, 400,
        "invalid_request"),
    "a parameter twice": (
        "grant_type=client_credentials&grant_type=client_credentials", {"authorization": "GOOD"}, 400,
        "invalid_request"),
    "a scope of nobody": (
        {"grant_type": "client_credentials", "scope": "no:such"}, {"authorization": "GOOD"}, 400, "invalid_scope"),
    "a scope of the operator": (
        {"grant_type": "client_credentials", "scope": "institutions:write"}, {"authorization": "GOOD"}, 400,
        "invalid_scope"),
    "JSON": ('{"grant_type": "client_credentials"}', {"authorization": "GOOD", "content-type": "application/json"},
             400, "invalid_request"),
    "no form": ("grant_type", {"authorization": "GOOD"}, 400, "invalid_request"),
    "no text": ("grant_type=%ff", {"authorization": "GOOD"}, 400, "invalid_request"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_those_of_rfc_6749(client: Client, name: str) -> None:
    body, headers, status, error = WRONG[name]
    sent = {k: basic(client.id, client.key) if v == "GOOD" else v for k, v in headers.items()}

    answer = client.ask(body, **sent)

    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"error", "error_description"}
    assert ("www-authenticate" in answer.headers) is (status == 401)


def test_another_keys_secret_is_no_secret_of_this_client(client: Client) -> None:
    answer = client.ask(
        {"grant_type": "client_credentials"}, authorization=basic(client.id, client.institution.api_key)
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_token_that_was_altered_or_made_by_others_opens_nothing(client: Client) -> None:
    token = client.token()["access_token"]
    head, claims, signature = token.split(".")
    said = msgspec.json.decode(base64.urlsafe_b64decode(claims + "=="))
    others = OctKey.import_key(b"o" * 32)
    forged = {
        "of another key": jwt.encode({"alg": "HS256", "typ": "at+jwt"}, said, others),
        "unsigned": f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{claims}.",
        "with another signature": f"{head}.{claims}.{'A' * len(signature)}",
        "with other claims": f"{head}.{part({**said, 'exp': 2**33})}.{signature}",
        "nothing of the kind": "a.b.c",
    }

    for name, text in forged.items():
        assert set(client.reads(text).values()) == {401}, name


def test_making_a_token_appends_nothing_and_leaves_no_secret_in_any_log(client: Client) -> None:
    ledger = client.ledger

    def events() -> int:
        lines = ledger.get("registry", "/v1/events?limit=100000", key=client.institution.api_key).text.splitlines()
        return sum(msgspec.json.decode(line)["envelope"]["actor"]["role"] != "service" for line in lines)

    before, token = events(), client.token()["access_token"]
    client.reads(token)

    assert events() == before
    for service in ("issuance", "registry", "revocation"):
        log = ledger.log(service)
        assert token not in log
        assert token.rpartition(".")[2] not in log
        assert client.key[-43:] not in log


def test_guessing_secrets_is_slowed_down(client: Client) -> None:
    answers = [
        client.ask({"grant_type": "client_credentials"}, authorization=basic(client.id, "x" * 43), connection="close")
        for _ in range(3)
    ]

    assert {answer.status_code for answer in answers} <= {401, 429}
    limits = {answer.headers["ratelimit-policy"] for answer in answers}
    assert limits == {'"default";q=100;w=20'}
