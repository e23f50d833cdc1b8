"""`credledger institutions`: the operator takes institutions in, and decides what becomes of them, over HTTP."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from ledger.cli.keys import caller
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.speaking import note, say, say_json, say_table

app = App(
    name="institutions",
    help="Institutions: list, create, suspend, reinstate, close, merge, rename, place, move, sandbox.",
)
SHOWN = ("id", "slug", "name", "status_profile", "state", "demo", "test")
Authority = Annotated[str, Parameter(help="The body or rule that decided, never a person: everybody can read it.")]


@app.command(name="list")
def list_institutions(*, test: bool | None = None, key: Key = None, json: AsJson = False) -> None:
    """Every institution of this ledger, and every sandbox.

    Parameters
    ----------
    test: bool
        Sandboxes alone (--test), or institutions alone (--no-test).
    """
    wanted = {} if test is None else {"test": str(test).lower()}
    with caller(key) as issuance:
        found = list(issuance.pages("/v1/institutions", **wanted))
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
    """Take an institution in: its DID, its signing keys, its sandbox, and a first key to each, which are shown once.

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
    say()
    say(made["sandbox"]["api_key"], "bold")
    say(f"This one opens its sandbox ({made['sandbox']['slug']}), where everything says TEST.", "yellow")


@app.command
def sandbox(
    institution_id: str | None = None, /, *, idempotency_key: Wish = None, key: Key = None, json: AsJson = False
) -> None:
    """Make a key to an institution's sandbox, and the sandbox where there is none yet.

    Parameters
    ----------
    institution_id: str
        Whose (inst_…), with the operator's key; an institution's key opens its own.
    """
    body = {} if institution_id is None else {"institution_id": institution_id}
    with caller(key) as issuance:
        made = issuance.post("/v1/sandbox", body, key=idempotency_key)
    if json:
        say_json(made)
        return
    say_table([made], ("id", "slug", "did"))
    say()
    say(made["api_key"], "bold")
    say("This key opens the sandbox, where everything says TEST, and is shown once.", "yellow")


@app.command
def suspend(
    institution_id: str,
    /,
    *,
    reason_code: str,
    authority: Authority,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Stop an institution from writing, until it is reinstated."""
    _change(institution_id, "suspension", _why(reason_code, authority), idempotency_key, key, json=json)


@app.command
def reinstate(
    institution_id: str,
    /,
    *,
    reason_code: str,
    authority: Authority,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Let a suspended institution write again."""
    _change(institution_id, "reinstatement", _why(reason_code, authority), idempotency_key, key, json=json)


@app.command
def close(
    institution_id: str,
    /,
    *,
    reason_code: str,
    authority: Authority,
    successor: str | None = None,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """End an institution, for good. Its awards stay verifiable.

    Parameters
    ----------
    successor: str
        The institution (inst_…) that decides about the standing of its awards from then on.
    """
    body = _why(reason_code, authority) | ({"successor": successor} if successor else {})
    _change(institution_id, "closure", body, idempotency_key, key, json=json)


@app.command
def merge(
    institution_id: str,
    /,
    *,
    into: str,
    reason_code: str,
    authority: Authority,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Let an institution go into another one, which decides about its awards from then on.

    Parameters
    ----------
    into: str
        The institution (inst_…) that it goes into.
    """
    _change(institution_id, "merger", _why(reason_code, authority) | {"into": into}, idempotency_key, key, json=json)


@app.command
def rename(
    institution_id: str,
    /,
    *,
    name: str,
    reason_code: str,
    authority: Authority,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Give an institution another name. What it issued keeps the old one."""
    _change(institution_id, "renaming", _why(reason_code, authority) | {"name": name}, idempotency_key, key, json=json)


@app.command
def place(institution_id: str, /, *, did: str | None = None, key: Key = None) -> None:
    """The DID document of an institution, to be placed where its DID is resolved before it moves there.

    Parameters
    ----------
    did: str
        The did:web of a host of its own; default: the DID that it issues under now.
    """
    with caller(key) as issuance:
        found = issuance.get(f"/v1/institutions/{institution_id}/did-document", **({"did": did} if did else {}))
    say_json(found["document"])
    note(f"Place this at {found['url']}, and again whenever its keys change.")


@app.command
def move(
    institution_id: str,
    /,
    *,
    did: str,
    reason_code: str,
    authority: Authority,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Let an institution issue under a DID at a host of its own; its document must lie there (see `place`).

    Parameters
    ----------
    did: str
        The did:web, such as did:web:badges.nova.example.
    """
    _change(institution_id, "move", _why(reason_code, authority) | {"did": did}, idempotency_key, key, json=json)


def _why(reason_code: str, authority: str) -> dict[str, Any]:
    return {"reason_code": reason_code, "authority": authority}


def _change(
    institution_id: str, change: str, body: dict[str, Any], wish: str | None, key: str | None, *, json: bool
) -> None:
    with caller(key) as issuance:
        facts: dict[str, Any] = issuance.post(f"/v1/institutions/{institution_id}/{change}", body, key=wish)
    if json:
        say_json(facts)
        return
    heir = f"; {facts['successor']} decides about its awards" if facts.get("successor") else ""
    say(f"{facts['name']} is {facts['state']}{heir}. It issues as {facts['did']}.")
