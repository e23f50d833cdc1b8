"""A real process: what it logs, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.servers import free_port, wait_until
from tests.web.sample import OAK, OAK_KEY, bearer, writing

ROOT = Path(__file__).parents[2]
SECRETS = ("secret-capability", "ann@school.example", "Ann Lee", OAK_KEY, "q-secret")


class Running:
    def __init__(self, port: int, log: Path) -> None:
        self.url, self.log = f"http://127.0.0.1:{port}", log
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "shared"), str(ROOT)])}
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.web.small_server", str(port)], stderr=sink, env=environment, cwd=ROOT
            )
        wait_until(self._answers, 30, "the server answers")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> tuple[int, float]:
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10), time.monotonic() - started

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/livez").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    server = Running(free_port(), tmp_path / "log")
    yield server
    server.process.kill()
    server.process.wait()


def test_the_log_is_json_with_templates_and_holds_nothing_personal(running: Running) -> None:
    body = {"achievement_id": "a", "learner": {"name": "Ann Lee", "email": "ann@school.example"}}
    traced = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x-request-id": "mine-0001"}
    with httpx.Client(base_url=running.url) as caller:
        answers = [
            caller.get("/credentials/secret-capability?q-secret=1", headers=traced),
            caller.post("/v1/awards", json=body, headers=writing()),
            caller.get("/unknown/ann@school.example"),
            caller.get("/v1/failures/unexpected"),
            caller.head("/credentials/secret-capability"),
            caller.get("/v1/awards/awd_1", headers=bearer("wrong-" + OAK_KEY)),
        ]
    code, seconds = running.stop()

    assert [answer.status_code for answer in answers] == [400, 201, 404, 500, 200, 401]
    assert "server" not in answers[0].headers
    assert (code, seconds < 5) == (0, True)
    text = running.log.read_text()
    assert [secret for secret in SECRETS if secret in text] == []
    requests = [line for line in running.lines() if line["event"] == "request" and line["route"] != "/livez"]
    assert [(line["method"], line["route"], line["status"], line["tenant"]) for line in requests] == [
        ("GET", "/credentials/{credential_id}", 400, None),
        ("POST", "/v1/awards", 201, OAK),
        ("GET", "(none)", 404, None),
        ("GET", "/v1/failures/{kind}", 500, None),
        ("HEAD", "/credentials/{credential_id}", 200, None),
        ("GET", "/v1/awards/{award_id}", 401, None),
    ]
    assert requests[0]["request_id"] == "mine-0001"
    assert requests[0]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert all(line["duration_ms"] >= 0 and line["service"] == "registry" for line in requests)


def test_an_unexpected_exception_is_logged_once_with_its_places_and_not_its_text(running: Running) -> None:
    request_id = httpx.get(f"{running.url}/v1/failures/unexpected").headers["x-request-id"]
    running.stop()

    failures = [line for line in running.lines() if line["level"] == "error"]
    assert [(line["event"], line["error"], line["request_id"]) for line in failures] == [
        ("request failed", ["ValueError"], request_id)
    ]
    assert failures[0]["places"][-1].startswith("web/sample.py:")
