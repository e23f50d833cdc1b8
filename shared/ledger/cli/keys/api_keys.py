"""API keys, through the HTTP API. A key's secret is shown once, when it is made."""

from datetime import UTC, datetime
from typing import Any

from cyclopts import App

from ledger.cli.api import Api
from ledger.cli.failure import USAGE, Failure
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.place import Place
from ledger.cli.speaking import say, say_json, say_table

app = App(name="keys", help="API keys, signing keys, and the keys that seal the vault.")
SHOWN = ("id", "name", "role", "institution_id", "scopes", "expires_at", "revoked")


def caller(key: str | None) -> Api:
    """Issuance, with the key to act with. Raises Failure."""
    place = Place.here()
    if found := place.api_key(key):
        return Api(place.address("issuance"), found)
    raise Failure(
        "No key to act with: set CREDLEDGER_API_KEY, give --key, or name the state folder that holds operator.key in "
        "CREDLEDGER_DATA.",
        USAGE,
    )


@app.command(name="list")
def list_keys(*, key: Key = None, json: AsJson = False) -> None:
    """The keys that the caller may see, never their secrets."""
    with caller(key) as issuance:
        found = list(issuance.pages("/v1/keys"))
    if json:
        say_json({"data": found})
    else:
        say_table(found, SHOWN)


@app.command
def create(  # noqa: PLR0913 - one parameter an option
    name: str,
    /,
    *,
    scopes: str | None = None,
    role: str | None = None,
    person: str | None = None,
    system: str | None = None,
    institution: str | None = None,
    expires_at: datetime | None = None,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Make a key and show it, once.

    Parameters
    ----------
    name: str
        What the key is called.
    scopes: str
        What it opens, separated by commas; default: all of its role.
    role: str
        owner, issuer, reviewer, reader or auditor of an institution (default: owner); operator, or the whole ledger's
        auditor, where the operator makes it and names no institution.
    person: str
        Who holds it, where a person does. Sealed; shown to the key's own institution alone.
    system: str
        Which system holds it. Likewise.
    institution: str
        Whose key it is (inst_…), where the operator makes it.
    expires_at: datetime
        When it ends (UTC where no zone is given).
    """
    body: dict[str, Any] = {"name": name}
    if scopes is not None:
        body["scopes"] = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    if role is not None:
        body["role"] = role
    if person is not None and system is not None:
        raise Failure("A key is held by a person or by a system: give --person or --system.", USAGE)
    if (label := person or system) is not None:
        body["holder"] = {"kind": "person" if person is not None else "system", "label": label}
    if institution is not None:
        body["institution_id"] = institution
    if expires_at is not None:
        body["expires_at"] = (expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)).isoformat()
    with caller(key) as issuance:
        _show_new(issuance.post("/v1/keys", body, key=idempotency_key), json=json)


@app.command
def rotate(
    key_id: str,
    /,
    *,
    overlap_seconds: int = 24 * 3600,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Make a new key in place of one; the old one ends after the overlap."""
    with caller(key) as issuance:
        body = {"overlap_seconds": overlap_seconds}
        _show_new(issuance.post(f"/v1/keys/{key_id}/rotation", body, key=idempotency_key), json=json)


@app.command
def revoke(
    key_id: str,
    /,
    *,
    reason_code: str = "retired",
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Kill a key: every service refuses it within a second."""
    with caller(key) as issuance:
        facts = issuance.post(f"/v1/keys/{key_id}/revocation", {"reason_code": reason_code}, key=idempotency_key)
    if json:
        say_json(facts)
    else:
        say(f"{facts['id']} ({facts['name']}) is revoked.")


def _show_new(made: dict[str, Any], *, json: bool) -> None:
    if json:
        say_json(made)
        return
    say_table([made], ("id", "name", "role", "institution_id", "expires_at"))
    say()
    say(made["api_key"], "bold")
    say("This is shown once: keep it where your other secrets are.", "yellow")
