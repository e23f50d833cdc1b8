"""The services over HTTP, as a caller with a key: every change carries an Idempotency-Key, so it may be sent again.

Rules. A service that is starting, busy or restarting (503, 429, no connection) is asked again when it says in
Retry-After: for a moment, or for half a minute where a long work must go on. A key makes that harmless. Every other
problem document becomes one sentence.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import httpx
import stamina
import stamina.instrumentation

from ledger.cli.failure import REFUSED, UNAVAILABLE, Failure

TIMEOUT: Final = httpx.Timeout(30, connect=5)
RETRY_SECONDS: Final = 2.0  # a person waits
PATIENT_SECONDS: Final = 30.0  # a long work waits for a service that restarts
LONGEST_PAUSE_SECONDS: Final = 5.0
BUSY: Final = frozenset({429, 502, 503, 504})
PAGE: Final = 200
Json = dict[str, Any]


class Busy(Exception):
    """An answer that says: later. `seconds` is how long, where it says so."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer
        stated = answer.headers.get("retry-after", "")
        self.seconds = min(float(stated), LONGEST_PAUSE_SECONDS) if stated.isdecimal() else None


class Api:
    """One service at a base URL. A context manager."""

    def __init__(self, address: str, key: str | None = None, *, retry_seconds: float = RETRY_SECONDS) -> None:
        headers = {"accept": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        stamina.instrumentation.set_on_retry_hooks([])  # a wait of a moment is not worth a line
        self.address, self._retry_seconds = address, retry_seconds
        # The environment's proxies are for the world outside; this is the caller's own ledger.
        self._client = httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: Any) -> Json:
        """The JSON at a path. Raises Failure."""
        return _json(self._send("GET", path, params=parameters))

    def content(self, path: str, accept: str) -> bytes:
        """The bytes at a path in the wanted form. Raises Failure."""
        return self._send("GET", path, headers={"accept": accept}).content

    def post(self, path: str, body: Json | None = None, *, key: str | None = None) -> Json:
        """The answer to a change. `key` names the wish (default: a new one). Raises Failure."""
        return self.told(path, body, key=key)[0]

    def put(self, path: str, body: Json, *, key: str | None = None) -> Json:
        """The answer to setting something. Raises Failure."""
        return _json(self._send("PUT", path, json=body, headers={"idempotency-key": key or str(uuid.uuid4())}))

    def told(self, path: str, body: Json | None = None, *, key: str | None = None) -> tuple[Json, bool]:
        """The answer to a change, and whether an earlier try had made it already. Raises Failure."""
        answer = self._send("POST", path, json=body, headers={"idempotency-key": key or str(uuid.uuid4())})
        return _json(answer), answer.headers.get("idempotent-replayed") == "true"

    def sent(self, path: str, content: bytes, media_type: str, *, key: str, **parameters: Any) -> tuple[Json, bool]:
        """The answer to a list that is sent, and whether it was sent before. Raises Failure."""
        headers = {"idempotency-key": key, "content-type": media_type}
        answer = self._send("POST", path, content=content, headers=headers, params=parameters)
        return _json(answer), answer.headers.get("idempotent-replayed") == "true"

    def ask(self, path: str, body: bytes) -> Json:
        """The answer to a question in JSON that changes nothing. Raises Failure."""
        return _json(self._send("POST", path, content=body, headers={"content-type": "application/json"}))

    def pages(self, path: str, **parameters: Any) -> Iterator[Json]:
        """Every item of a list, page by page. Raises Failure."""
        cursor: Mapping[str, str] = {}
        while True:
            page = self.get(path, limit=PAGE, **parameters, **cursor)
            yield from page["data"]
            if not page["has_more"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def _send(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            for attempt in stamina.retry_context(on=_pause, attempts=None, timeout=self._retry_seconds):
                with attempt:
                    answer = self._client.request(method, path, **how)
                    if answer.status_code in BUSY:
                        raise Busy(answer)
        except Busy as busy:
            raise Failure(_sentence(busy.answer), UNAVAILABLE) from busy
        except httpx.TransportError as error:
            raise Failure(
                f"Nothing answers at {self.address}: start the ledger with `make run`, or say where it is with "
                "CREDLEDGER_PORT.",
                UNAVAILABLE,
            ) from error
        if answer.is_error:
            raise Failure(_sentence(answer), UNAVAILABLE if answer.status_code >= 500 else REFUSED)
        return answer


def _pause(error: Exception) -> bool | float:
    """Whether to ask again, and after how long where the service said so."""
    if isinstance(error, Busy):
        return True if error.seconds is None else error.seconds
    return isinstance(error, httpx.TransportError)


def _json(answer: httpx.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Failure(f"{answer.url} did not answer in JSON: is this address a ledger's?", UNAVAILABLE)
    return found


def _sentence(answer: httpx.Response) -> str:
    """What a problem document says to a person, with every bad field."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "detail" not in problem:
        return f"{answer.url} answered {answer.status_code}."
    fields = [
        f"{field.get('pointer') or field.get('parameter') or 'body'}: {field.get('detail')}"
        for field in problem.get("errors") or []
    ]
    return f"{problem['detail']} ({'; '.join(fields)})" if fields else str(problem["detail"])
