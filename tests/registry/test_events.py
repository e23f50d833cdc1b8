"""The history over HTTP: one event a line for who may read it, and nothing of another institution."""

import base64
import hashlib
import hmac

import httpx
import msgspec
import pytest
from tests.registry.world import NOVA, OAK, token

from ledger.proofs.jcs import canonical

OPERATOR, AUDITOR = token("key_" + "o" * 26), token("key_" + "a" * 26)
OF_NOVA, OF_OAK = token("key_" + "n" * 26), token("key_" + "k" * 26)


async def lines(told: httpx.AsyncClient, key: str, query: str = "") -> list[dict[str, object]]:
    """The events that this key reads."""
    answer = await told.get(f"/v1/events{query}", headers={"authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [msgspec.json.decode(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("key", [OPERATOR, AUDITOR])
async def test_operator_and_auditor_read_every_event_in_order(told: httpx.AsyncClient, key: str) -> None:
    events = await lines(told, key)

    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    first = events[0]
    assert (first["type"], first["stream"]) == ("institution.created", f"institution/{NOVA}")
    assert {"time", "data", "envelope", "leaf", "recorded_at"} <= set(first)
    assert await lines(told, key, "?after=3&limit=2") == events[3:5]
    assert await lines(told, key, f"?after={len(events)}") == []


async def test_a_reader_recomputes_each_leaf_from_its_line(told: httpx.AsyncClient) -> None:
    for event in await lines(told, AUDITOR):
        leaf, nonce, document = (base64.b64decode(event[name]) for name in ("leaf", "nonce", "document_commitment"))
        envelope = hmac.digest(nonce, b"credledger/env/v1\0" + canonical(event["envelope"]), "sha256")
        if leaf[0] == 1:
            assert leaf == b"\x01" + hashlib.sha256(b"credledger/leaf/v1\0" + envelope + document).digest()
        else:
            assert base64.b64encode(envelope) in leaf


@pytest.mark.parametrize(("key", "tenant"), [(OF_NOVA, NOVA), (OF_OAK, OAK)])
async def test_an_institution_reads_its_own_events_and_no_other(told: httpx.AsyncClient, key: str, tenant: str) -> None:
    everything = await lines(told, OPERATOR)
    own = [event for event in everything if event["tenant"] == tenant]
    foreign = next(event["position"] for event in everything if event["tenant"] != tenant)

    assert await lines(told, key) == own
    assert await lines(told, key, f"?after={own[0]['position']}&limit=2") == own[1:3]
    headers = {"authorization": f"Bearer {key}"}
    assert (await told.get(f"/v1/events/{own[0]['position']}", headers=headers)).json() == own[0]
    assert (await told.get(f"/v1/events/{foreign}", headers=headers)).status_code == 404


async def test_nobody_reads_the_history_without_a_key(told: httpx.AsyncClient) -> None:
    for headers in ({}, {"authorization": f"Bearer {token('key_' + 'z' * 26)}"}):
        answer = await told.get("/v1/events", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_no_line_names_a_learner_s_person(told: httpx.AsyncClient) -> None:
    answer = await told.get("/v1/events", headers={"authorization": f"Bearer {OPERATOR}"})

    assert "Ada Lovelace" not in answer.text
