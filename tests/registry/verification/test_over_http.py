"""`POST /v1/verifications` over the registry's own tables and vault."""

import asyncio
import base64
from typing import Any

import httpx
import msgspec
import pytest
import structlog
from tests.registry.verification import facts
from tests.registry.verification.badges import Json
from tests.registry.world import (
    AWARD,
    CAPABILITY,
    KEY_ED,
    KEY_P256,
    LEARNER,
    NOON,
    NOVA,
    PUBLIC,
    SIGNER,
    World,
    did,
    revoked,
)

from ledger.codec import Recorded, format_time
from ledger.credentials.facts import IssuerFacts
from ledger.events import AwardReinstated, AwardSuspended, Event, IssuerKeyChanged
from ledger.proofs import LocalSigner, secure, vc_jwt
from ledger.vault import Document, Documents
from ledger.vault.documents import Formats, Owner

VISIBLE_SECONDS = 5.0
NOVA_FACTS = IssuerFacts(did=did("nova"), name="Nova", url="https://nova.example")
JWT_SIGNER = LocalSigner("P-256", b"k" * 32, f"{did('nova')}#{KEY_P256}")


def unsigned(capability: str = CAPABILITY) -> Json:
    return facts.unsigned(credential_url=f"{PUBLIC}/credentials/{capability}", issuer=NOVA_FACTS)


def signed(document: Json | None = None) -> Json:
    return secure(unsigned() if document is None else document, SIGNER, NOON)


@pytest.fixture
async def awarded(world: World, registry: httpx.AsyncClient) -> Recorded:
    """Nova's award to Ann, with the document that issuance signed for it."""
    await world.all()
    pool = world.issuance.pool
    await pool.execute("DELETE FROM vault.documents")
    formats = Formats(vc=msgspec.json.encode(signed()).decode(), jwt=vc_jwt.sign(unsigned(), JWT_SIGNER))
    (recorded,) = await world.issuance.load(f"award/{AWARD}")
    await Documents(pool).keep(
        Document(Owner(NOVA, LEARNER, AWARD, recorded.position), CAPABILITY, unsigned(), formats)
    )
    return recorded


async def verified(registry: httpx.AsyncClient, **submission: Any) -> Json:
    answer = await registry.post("/v1/verifications", json=submission)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def failures(verdict: Json) -> list[str]:
    return list(dict.fromkeys(check["name"] for check in verdict["checks"] if check["status"] == "failed"))


async def until_failing(registry: httpx.AsyncClient, names: list[str], **submission: Any) -> Json:
    """The verdict once exactly these checks fail, asked for again and again. Raises TimeoutError."""
    async with asyncio.timeout(VISIBLE_SECONDS):
        verdict = await verified(registry, **submission)
        while failures(verdict) != names:
            verdict = await verified(registry, **submission)
    return verdict


async def test_an_award_is_verified_in_every_form_with_its_position(
    awarded: Recorded, registry: httpx.AsyncClient
) -> None:
    forms = [{"credential": signed()}, {"jwt": vc_jwt.sign(unsigned(), JWT_SIGNER)}, {"url": signed()["id"]}]

    for form in forms:
        verdict = await verified(registry, **form)
        assert (verdict["verified"], verdict["issuer_recognised"], verdict["test"]) == (True, True, True), verdict
        assert verdict["credential"]["position"] == awarded.position
        assert verdict["credential"]["award_id"] == AWARD


async def test_a_suspension_a_reinstatement_and_a_revocation_show_at_the_status_alone(
    world: World, awarded: Recorded, registry: httpx.AsyncClient
) -> None:
    def change(kind: Any) -> Event:
        event: Event = kind(award_id=AWARD, reason_code="other", effective=format_time(NOON))
        return event

    for event, failing in (
        (change(AwardSuspended), ["status"]),
        (change(AwardReinstated), []),
        (revoked(), ["status"]),
    ):
        await world.append(f"standing/{AWARD}", event)
        verdict = await until_failing(registry, failing, credential=signed())
        assert verdict["issuer_recognised"] is True


async def test_from_a_compromise_on_only_what_was_recorded_before_counts(
    world: World, awarded: Recorded, registry: httpx.AsyncClient
) -> None:
    forged = signed(unsigned("ZzZzZzZzZzZzZzZzZzZzZz"))
    # Revocation does not run here, so the status of what is not recorded cannot be judged either.
    await until_failing(registry, ["status", "recorded"], credential=forged)

    compromised = IssuerKeyChanged(
        issuer=did("nova"),
        key_id=KEY_ED,
        change="compromised",
        algorithm="Ed25519",
        public_key=SIGNER.public_key,
        effective=format_time(NOON),
    )
    await world.append(f"institution/{NOVA}", compromised)

    await until_failing(registry, ["key_at_time", "status", "recorded"], credential=forged)
    assert (await verified(registry, credential=signed()))["verified"] is True


async def test_the_recipient_is_judged_and_stands_neither_in_the_answer_nor_in_the_logs(
    awarded: Recorded, registry: httpx.AsyncClient
) -> None:
    asked = {"email": "bob@learner.example", "name": "Bob Ray", "student_id": "S-77", "did": "did:example:bob"}

    with structlog.testing.capture_logs() as logs:
        verdict = await verified(registry, credential=signed(), recipient=asked)

    assert failures(verdict) == ["recipient"]
    said = f"{verdict} {logs}"
    assert not any(text in said for text in [*asked.values(), "Ann Lee"])


REFUSED: list[tuple[Json, int, str]] = [
    ({}, 400, ""),
    ({"credential": {}, "jwt": "a.b.c"}, 400, ""),
    ({"credential": []}, 400, "/credential"),
    ({"credential": {"name": "a\x07"}}, 400, "/credential/name"),
    ({"jwt": 7}, 400, "/jwt"),
    ({"url": "https://x.example/" + "a" * 2000}, 400, "/url"),
    ({"documents": {}}, 400, "/documents"),
    ({"jwt": "a.b.c", "recipient": {"phone": "1"}}, 400, "/recipient/phone"),
    ({"url": "https://169.254.169.254/latest/meta-data/"}, 422, "/url"),
    ({"url": "http://issuer.example/"}, 422, "/url"),
    ({"url": f"{PUBLIC}/credentials/ZzZzZzZzZzZzZzZzZzZzZz"}, 422, "/url"),
]


async def test_what_cannot_be_judged_is_a_problem_that_points_at_the_field(registry: httpx.AsyncClient) -> None:
    for submission, status, pointer in REFUSED:
        answer = await registry.post("/v1/verifications", json=submission)

        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), submission
        assert pointer in [error["pointer"] for error in answer.json()["errors"]], submission


async def test_a_large_picture_is_read_and_a_larger_body_is_refused(registry: httpx.AsyncClient) -> None:
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 1_000_000).decode()

    verdict = await verified(registry, image=picture)
    refused = await registry.post("/v1/verifications", json={"image": picture * 2})

    assert failures(verdict) == ["structure"]
    assert refused.status_code == 413


async def test_any_page_may_ask_and_nobody_keeps_the_answer(registry: httpx.AsyncClient) -> None:
    answer = await registry.post("/v1/verifications", json={"jwt": "x"}, headers={"origin": "https://hr.example"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
