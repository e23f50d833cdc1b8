"""Health and figures."""

from litestar import Litestar
from prometheus_client import CollectorRegistry, Gauge
from tests.web.sample import app, client


async def well() -> str | None:
    return None


async def lagging() -> str | None:
    return "120 events behind"


async def broken() -> str | None:
    raise ConnectionRefusedError("postgresql://issuance:secret@10.0.0.1")


async def ready(sample: Litestar) -> tuple[int, dict[str, object]]:
    async with client(sample) as caller:
        answer = await caller.get("/readyz")
    return answer.status_code, answer.json()


async def test_a_service_is_ready_when_everything_it_needs_is() -> None:
    assert await ready(app(ready={"postgresql": well, "nats": well})) == (
        200,
        {"status": "ready", "checks": {"postgresql": "ok", "nats": "ok"}},
    )


async def test_what_is_not_ready_is_named_without_its_address() -> None:
    status, problem = await ready(app(ready={"postgresql": broken, "nats": well, "projection": lagging}))

    assert status == 503
    assert problem["errors"] == [
        {"detail": "failed: ConnectionRefusedError", "pointer": "/checks/postgresql"},
        {"detail": "120 events behind", "pointer": "/checks/projection"},
    ]


async def test_a_process_lives_even_when_it_is_not_ready() -> None:
    async with client(app(ready={"postgresql": broken})) as caller:
        answer = await caller.get("/livez")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": {}})


async def test_figures_are_kept_by_route_template_and_never_by_path() -> None:
    lag = Gauge("relay_lag", "Events not yet published.", registry=CollectorRegistry())
    lag.set(3)
    async with client(app(collectors=[lag])) as caller:
        await caller.get("/credentials/secret-capability")
        await caller.get("/unknown-secret")
        answer = await caller.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'http_requests_total{method="GET",route="/credentials/{credential_id}",status="200"} 1.0' in answer.text
    assert 'http_requests_total{method="GET",route="(none)",status="404"} 1.0' in answer.text
    assert "relay_lag 3.0" in answer.text
    assert "secret" not in answer.text
