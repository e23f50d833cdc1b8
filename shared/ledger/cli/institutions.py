"""`credledger institutions`: the operator takes institutions in, through the HTTP API."""

from typing import Any

from cyclopts import App

from ledger.cli.keys import caller
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.speaking import say, say_json, say_table

app = App(name="institutions", help="Institutions: list, create, deactivate, reactivate.")
SHOWN = ("id", "slug", "name", "status_profile", "active", "demo")


@app.command(name="list")
def list_institutions(*, key: Key = None, json: AsJson = False) -> None:
    """Every institution of this ledger."""
    with caller(key) as issuance:
        found = list(issuance.pages("/v1/institutions"))
    if json:
        say_json({"data": found})
    else:
        say_table(found, SHOWN)


@app.command
def create(  # noqa: PLR0913 - one parameter an option
    slug: str,
    /,
    *,
    name: str,
    url: str,
    email: str | None = None,
    description: str | None = None,
    country: str | None = None,
    status_profile: str | None = None,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Take an institution in: its DID, its signing keys and a first API key, which is shown once.

    Parameters
    ----------
    slug: str
        Its short name in addresses and in its DID, for ever.
    country: str
        ISO 3166-1, two letters.
    status_profile: str
        certified (revocation entry alone, as Open Badges certification wants) or full.
    """
    optional = {"email": email, "description": description, "country": country, "status_profile": status_profile}
    body = {"slug": slug, "name": name, "url": url, **{k: v for k, v in optional.items() if v is not None}}
    with caller(key) as issuance:
        made = issuance.post("/v1/institutions", body, key=idempotency_key)
    if json:
        say_json(made)
        return
    say_table([made], SHOWN)
    say()
    say(made["api_key"], "bold")
    say("This is its first API key, shown once: hand it over safely.", "yellow")


@app.command
def deactivate(
    institution_id: str, /, *, reason_code: str, idempotency_key: Wish = None, key: Key = None, json: AsJson = False
) -> None:
    """Stop an institution from writing; it can be taken back."""
    _change(institution_id, "deactivation", reason_code, idempotency_key, key, json=json)


@app.command
def reactivate(
    institution_id: str, /, *, reason_code: str, idempotency_key: Wish = None, key: Key = None, json: AsJson = False
) -> None:
    """Let a deactivated institution write again."""
    _change(institution_id, "reactivation", reason_code, idempotency_key, key, json=json)


def _change(
    institution_id: str, change: str, reason_code: str, wish: str | None, key: str | None, *, json: bool
) -> None:
    body = {"reason_code": reason_code}
    with caller(key) as issuance:
        facts: dict[str, Any] = issuance.post(f"/v1/institutions/{institution_id}/{change}", body, key=wish)
    if json:
        say_json(facts)
    else:
        say(f"{facts['name']} is {'active' if facts['active'] else 'deactivated'}.")
