"""A web server of somebody else: what is placed there is served, and what was asked is remembered."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec


class Elsewhere:
    """Serves JSON on a free port of localhost. `place` is its host and port, `asked` the paths that were asked."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.place = f"localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def did(self, path: str) -> str:
        """The did:web of a path here."""
        return f"did:web:{self.place.replace(':', '%3A')}:{path}"

    def put(self, path: str, document: Any) -> None:
        """Place a DID document where the did:web of `path` is resolved."""
        self.documents[f"/{path}/did.json"] = document

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        there = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                there.asked.append(self.path)
                found = there.documents.get(self.path)
                body = b"" if found is None else msgspec.json.encode(found)
                self.send_response(404 if found is None else 200)
                self.send_header("content-type", "application/did+json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing: tests read what was asked from `asked`."""

        return Handler
