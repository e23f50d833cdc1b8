"""The three services as real processes over real servers, for journeys and faults.

Each service is `python -m <name>` with an environment of its own, as an operator would start it; killed and started
again at will.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
from tests.servers import NatsServer, wait_until

from ledger import ids
from ledger.access import new_token

KEYRINGS = ("KEK", "SIGNING_KEK")
SERVICES = ("registry", "issuance", "revocation")
ROOT = Path(__file__).parent.parent
READY_SECONDS = 90.0  # a busy machine takes its time
STOP_SECONDS = 10.0
TLS = (
    httpx.create_ssl_context()
)  # nothing here is https, and to make one for each request takes longer than the request


class Institution(msgspec.Struct, frozen=True):
    """An institution made for a test: its id, slug, DID and key, and its sandbox."""

    id: str
    slug: str
    did: str
    api_key: str
    sandbox: "Institution | None" = None

    @property
    def its_sandbox(self) -> "Institution":
        """The sandbox that came with it."""
        assert self.sandbox is not None
        return self.sandbox


def _block_of_ports() -> int:
    """The first of three neighbouring free ports, below those that the kernel lends to clients: a service that was
    killed must find its own port again."""
    while True:
        base = 20_000 + 3 * secrets.randbelow(4_000)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(base, base + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return base


class Running:
    """A running ledger. `url(service)` is where it answers; `operator` is the operator's key."""

    def __init__(self, databases: Mapping[str, str], nats: NatsServer, folder: Path, **environment: str) -> None:
        self._databases, self._nats, self._folder = databases, nats, folder
        self._extra = environment
        self._secrets = {name: secrets.token_hex(32) for name in ("SERVER_SECRET", "KEY_PEPPER", "KEK", "SIGNING_KEK")}
        for name in KEYRINGS:
            (folder / name.lower()).write_text(self._secrets.pop(name))
        self.operator = new_token(ids.text_id("key", secrets.token_bytes(16)), secrets.token_bytes(32), live=True)
        self.port = _block_of_ports()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._numbers = iter(range(10**9))

    def url(self, service: str) -> str:
        return f"http://localhost:{self.port + SERVICES.index(service)}"

    def set(self, **environment: str) -> None:
        """Settings for processes that are started from now on."""
        self._extra |= environment

    def environment(self, service: str) -> dict[str, str]:
        """What this service is told."""
        rings = {"issuance": KEYRINGS, "revocation": ("SIGNING_KEK",)}.get(service, ())
        own = {"CREDLEDGER_OPERATOR_KEY": self.operator, "CREDLEDGER_ERASURE_LIST": str(self.erasure_list)}
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT / 'services'}",
            "CREDLEDGER_DATABASE_URL": self._databases[service],
            "CREDLEDGER_NATS_URL": self._nats.url,
            "CREDLEDGER_NATS_CREDENTIALS_FILE": str(self._nats.credentials[service]),
            "CREDLEDGER_PORT": str(self.port),
            **{f"CREDLEDGER_{name}": secret for name, secret in self._secrets.items()},
            **{f"CREDLEDGER_{name}_FILE": str(self.keyring_file(name)) for name in rings},
            **(own if service == "issuance" else {}),
            **self._extra,
        }

    def keyring_file(self, name: str) -> Path:
        """Where the services read a keyring (KEK or SIGNING_KEK)."""
        return self._folder / name.lower()

    def secret(self, name: str) -> str:
        """A keyring's text as it is now."""
        return self.keyring_file(name).read_text()

    @property
    def erasure_list(self) -> Path:
        """The file that remembers erasures."""
        return self._folder / "erasures" / "list.ndjson"

    def log(self, service: str) -> str:
        """What a service has written so far."""
        return (self._folder / f"{service}.log").read_text()

    def start(self, *services: str) -> None:
        """Start these services (default: all) and wait until they are ready."""
        for service in services or SERVICES:
            with (self._folder / f"{service}.log").open("ab") as sink:
                self.processes[service] = subprocess.Popen(
                    [sys.executable, "-m", service],
                    cwd=self._folder,
                    env=self.environment(service),
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                )
        for service in services or SERVICES:
            wait_until(lambda s=service: self.is_ready(s), READY_SECONDS, f"{service} ready")  # type: ignore[misc]

    def is_ready(self, service: str) -> bool:
        """Whether /readyz says so. Raises RuntimeError with the log when the process has ended."""
        if self.processes[service].poll() is not None:
            raise RuntimeError(f"{service} ended:\n{self.log(service)[-3000:]}")
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url(service)}/readyz", timeout=2, verify=TLS).status_code == 200
        return False

    def kill(self, service: str) -> None:
        """SIGKILL."""
        self.processes[service].kill()
        self.processes[service].wait()

    def stop(self) -> None:
        """Stop everything cleanly."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(STOP_SECONDS)

    # -- what journeys do

    def call(
        self, method: str, service: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """One request; a write gets a fresh Idempotency-Key unless one is given (`idempotency_key=`)."""
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers.setdefault("content_type", "application/json")
        return self.send(method, service, path, content, key=key, **headers)

    def send(
        self, method: str, service: str, path: str, content: bytes | None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """`call` with a body as it is."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method != "GET":
            sent.setdefault("idempotency-key", f"test-{os.getpid()}-{next(self._numbers)}-{time.time_ns()}")
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        return httpx.request(method, self.url(service) + path, content=content, headers=sent, timeout=30, verify=TLS)

    def post(self, service: str, path: str, body: Any, *, key: str | None = None, **headers: str) -> httpx.Response:
        return self.call("POST", service, path, body, key=key, **headers)

    def get(self, service: str, path: str, *, key: str | None = None, **headers: str) -> httpx.Response:
        return self.call("GET", service, path, key=key, **headers)

    def institution(self, slug: str, **fields: Any) -> Institution:
        """A new institution."""
        body = {"slug": slug, "name": slug.title(), "url": f"https://{slug}.example", **fields}
        answer = self.post("issuance", "/v1/institutions", body, key=self.operator)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        beside = made["sandbox"]
        sandbox = Institution(beside["id"], beside["slug"], beside["did"], beside["api_key"])
        return Institution(made["id"], made["slug"], made["did"], made["api_key"], sandbox)

    def achievement(self, institution: Institution, name: str = "Data Basics", **fields: Any) -> str:
        """A new achievement's id."""
        body = {"name": name, "description": "Reading data.", "criteria": {"narrative": "Pass the exam."}, **fields}
        answer = self.post("issuance", "/v1/achievements", body, key=institution.api_key)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def award(self, institution: Institution, achievement: str, email: str | None = None, **more: Any) -> Any:
        """A new award, as issuance answered; every learner is a new one unless the e-mail address is given."""
        learner = {"email": email or f"learner{next(self._numbers)}@learner.example", "name": "Ada Example"}
        body = {"achievement_id": achievement, "learner": learner, **more}
        answer = self.post("issuance", "/v1/awards", body, key=institution.api_key)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def verify(self, **what: Any) -> Any:
        """The registry's verdict, with its checks by name (several proofs: the worst counts)."""
        answer = self.post("registry", "/v1/verifications", what)
        assert answer.status_code == 200, answer.text
        verdict = answer.json()
        order = {"failed": 0, "skipped": 1, "passed": 2}
        verdict["by_name"] = {}
        for check in verdict["checks"]:
            worst = min(verdict["by_name"].get(check["name"], "passed"), check["status"], key=order.__getitem__)
            verdict["by_name"][check["name"]] = worst
        return verdict


@contextlib.contextmanager
def running(databases: Mapping[str, str], nats: NatsServer, folder: Path, **environment: str) -> Iterator[Running]:
    """A ledger for a while."""
    ledger = Running(databases, nats, folder, **environment)
    try:
        ledger.start()
        yield ledger
    finally:
        ledger.stop()
