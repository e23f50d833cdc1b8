"""One process, one service: uvicorn on uvloop and httptools, which stops within five seconds of SIGTERM.

Requests that run have three seconds to end; then what the lifespan opened is closed; whatever hangs longer is cut off.
Nothing acknowledged is lost by that: answers follow the commit.
"""

import contextlib
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import msgspec
import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ledger import ids, logs
from ledger.errors import Malformed
from ledger.settings import Settings
from ledger.web.problems import MEDIA_TYPE, Problem

REQUESTS_SECONDS = 3
STOP_SECONDS = 4.8
KEEP_ALIVE_SECONDS = 65
CUT_OFF = 70


def _protocol(public_url: str) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, which answers also what is no HTTP at all as a problem."""

    class Protocol(HttpToolsProtocol):
        def send_400_response(self, msg: str) -> None:
            request_id = ids.text_id("req", secrets.token_bytes(16))
            problem = Problem(
                type=f"{public_url}/problems/{Malformed.code}",
                title=Malformed.title,
                status=Malformed.status,
                detail="This is not an HTTP request that can be read.",
                instance=f"urn:credledger:request:{request_id}",
                code=Malformed.code,
                request_id=request_id,
            )
            body = msgspec.json.encode(problem)
            head = (
                "HTTP/1.1 400 Bad Request\r\n"
                f"content-type: {MEDIA_TYPE}\r\nx-request-id: {request_id}\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
            self.transport.close()

    return Protocol


class _Server(uvicorn.Server):
    """Ends with the process' own exit code, and surely."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again when all is closed, which would turn a clean end into a death by signal.
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            deadline = threading.Timer(STOP_SECONDS, os._exit, (CUT_OFF,))
            deadline.daemon = True
            deadline.start()
        self.handle_exit(number, frame)


def serve(factory: Callable[[Settings], Litestar], settings: Settings) -> None:
    """Serve the application on the settings' host and port until SIGTERM or SIGINT; then return. Ends the process
    with a non-zero code where it could not start."""
    logs.configure(settings.log_level, settings.service)
    config = uvicorn.Config(
        factory(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=_protocol(settings.public_url),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=REQUESTS_SECONDS,
    )
    server = _Server(config)
    server.run()
    if not server.started:
        sys.exit(3)
