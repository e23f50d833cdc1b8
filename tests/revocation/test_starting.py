"""Starting in any order, and what the service says while something is missing."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
from tests.conftest import Database
from tests.revocation.world import (
    KEK,
    NOBODY,
    PEPPER,
    PUBLIC_URL,
    SECRET,
    STATUS_URL,
    World,
    bearer,
    eventually,
    lived,
    settings_for,
)

from ledger.opening import open_ledger
from ledger.store import Store
from revocation.app import app

ROOT = Path(__file__).parents[2]


async def test_before_the_ledger_was_opened_it_waits_and_says_so_and_then_it_serves(database: Database) -> None:
    application = app(settings_for("revocation", database.revocation))
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with lived(application), httpx.AsyncClient(transport=transport, base_url="http://r") as client:
        alive, ready = [await client.get(path) for path in ("/livez", "/readyz")]
        listed = await client.get("/status-lists/sl_" + "a" * 26)
        store = await Store.open(database.registry)
        await open_ledger(store, settings_for("registry", database.registry))
        await store.close()

        await eventually(lambda: _is_ready(client), 5, "the service is ready")

    assert [answer.status_code for answer in (alive, ready, listed)] == [200, 503, 503]
    assert listed.headers["retry-after"]


async def test_with_the_database_away_it_answers_503_and_keeps_trying() -> None:
    application = app(settings_for("revocation", "postgresql://nobody:x@127.0.0.1:1/ledger"))
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with lived(application), httpx.AsyncClient(transport=transport, base_url="http://r") as client:
        found = [await client.get(path) for path in ("/livez", "/readyz", "/status-lists/sl_" + "a" * 26)]

    assert [answer.status_code for answer in found] == [200, 503, 503]
    assert found[2].json()["code"] == "unavailable"


async def test_a_process_with_other_public_addresses_ends_with_a_sentence_that_names_both(fresh: World) -> None:
    other = "https://elsewhere.example"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT / 'services'}",
        "CREDLEDGER_DATABASE_URL": fresh.database.revocation,
        "CREDLEDGER_NATS_URL": NOBODY,
        "CREDLEDGER_PUBLIC_URL": PUBLIC_URL,
        "CREDLEDGER_STATUS_URL": other,
        "CREDLEDGER_SERVER_SECRET": SECRET.hex(),
        "CREDLEDGER_KEY_PEPPER": PEPPER.hex(),
        "CREDLEDGER_SIGNING_KEK": KEK.hex(),
        "CREDLEDGER_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "revocation"), env=environment, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )

    _, said = await asyncio.wait_for(process.communicate(), 20)

    assert other in said.decode()
    assert f"set CREDLEDGER_STATUS_URL={STATUS_URL}" in said.decode()


async def test_a_process_without_its_settings_ends_with_a_sentence_that_names_the_first() -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT / 'services'}"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "revocation"), env=environment, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )

    _, said = await asyncio.wait_for(process.communicate(), 20)

    assert process.returncode == 78
    assert said.decode() == "revocation: CREDLEDGER_DATABASE_URL is not set\n"


async def test_what_changed_while_the_service_was_down_is_in_the_list_as_soon_as_it_is_back(fresh: World) -> None:
    institution = await fresh.institution()
    ((award_id, (entry,)),) = (await fresh.awards(institution, 1)).items()
    async with fresh.service() as client:
        before = await client.get(f"/status-lists/{entry.list_id}")
        body = {"reason_code": "other"}
        changed = await client.post(f"/v1/awards/{award_id}/revocation", json=body, headers=bearer(institution))

    async with fresh.service() as client:
        after = await client.get(f"/status-lists/{entry.list_id}")

    assert changed.status_code == 200
    assert before.json()["credentialSubject"] != after.json()["credentialSubject"]


async def _is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 200
