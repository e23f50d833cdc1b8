"""One process, one service: uvicorn on uvloop and httptools, which stops within five seconds of SIGTERM.

Requests that run have three seconds to end; then what the lifespan opened is closed; whatever hangs longer is cut off.
Nothing acknowledged is lost by that: answers follow the commit.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from litestar import Litestar

from ledger import logs
from ledger.settings import Settings

REQUESTS_SECONDS = 3
STOP_SECONDS = 4.8
KEEP_ALIVE_SECONDS = 65
CUT_OFF = 70


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
        http="httptools",
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
