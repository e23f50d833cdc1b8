"""Foreign issuers on this machine: a real HTTP server on a free port that serves DID documents, lists and badges."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from tests.registry.verification.badges import Json

from ledger.dids import Method, did_document
from ledger.outbound import Outbound
from ledger.proofs import LocalSigner

KEY = "key-1"


class Place:
    """What lies at a server's paths. `outbound` opens it; `asked` lists the paths that were asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []
        self.outbound = Outbound([f"localhost:{port}"])
        self._lies: dict[str, bytes] = {}

    @property
    def did(self) -> str:
        return f"did:web:localhost%3A{self.port}:elm"

    def url(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    def put(self, path: str, content: Any) -> str:
        """Let JSON or bytes lie at a path; its URL."""
        self._lies[path] = content if isinstance(content, bytes) else msgspec.json.encode(content)
        return self.url(path)

    def take(self, path: str) -> None:
        del self._lies[path]

    def publishes(self, signer: LocalSigner, **changed: Any) -> Json:
        """Let the DID document of the issuer lie there, with this key; `changed` are members of its method."""
        document = did_document(self.did, [Method(KEY, signer.public_key)])
        document["verificationMethod"][0] |= changed
        self.put("/elm/did.json", document)
        return document

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.asked.append(path)
        body = self._lies.get(path)
        status = "404 Not Found" if body is None else "200 OK"
        fields = f"content-length: {len(body or b'')}\r\nconnection: close\r\n"
        writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n".encode() + (body or b""))
        await writer.drain()
        writer.close()


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """A server of a foreign issuer, for a while."""
    made: list[Place] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made[0].answer(reader, writer)

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        made.append(Place(server.sockets[0].getsockname()[1]))
        yield made[0]
