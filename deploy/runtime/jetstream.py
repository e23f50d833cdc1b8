"""One question to a nats-server: does JetStream answer in a user's account?

A few lines of the NATS client protocol (INFO, CONNECT, SUB, PUB, MSG) on a plain socket: the supervisor has one thread
and no event loop to lend to a client library. The question is `$JS.API.INFO`.
"""

import base64
import json
import re
import secrets
import socket

from ledger.bus.nkeys import key_pair

ANSWER_TIMEOUT_SECONDS = 0.5
JWT = re.compile(r"BEGIN NATS USER JWT-----\n(\S+)")
SEED = re.compile(r"BEGIN USER NKEY SEED-----\n(\S+)")


def has_jetstream(port: int, credentials: str) -> bool:
    """Whether the server on that loopback port lets a user in and JetStream answers him.

    `credentials` is the text of the user's credentials file.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_TIMEOUT_SECONDS) as connection:
            return b'"api"' in _ask(connection, credentials)
    except (OSError, ValueError, EOFError):
        return False


def _ask(connection: socket.socket, credentials: str) -> bytes:
    """The answer's payload. Raises ValueError when the server refuses, EOFError when it hangs up."""
    reader = connection.makefile("rb")
    info = json.loads(reader.readline().removeprefix(b"INFO "))
    inbox = f"_INBOX.{secrets.token_hex(8)}"
    connect = json.dumps(_connect(info["nonce"], credentials))
    connection.sendall(f"CONNECT {connect}\r\nSUB {inbox} 1\r\nPUB $JS.API.INFO {inbox} 0\r\n\r\nPING\r\n".encode())
    while line := reader.readline():
        if line.startswith(b"-ERR"):
            raise ValueError(line.decode(errors="replace"))
        if line.startswith((b"MSG ", b"HMSG ")):
            return reader.read(int(line.split()[-1]))
    raise EOFError


def _connect(nonce: str, credentials: str) -> dict[str, object]:
    token, seed = JWT.search(credentials), SEED.search(credentials)
    if token is None or seed is None:
        raise ValueError("these are no NATS credentials")
    signature = base64.urlsafe_b64encode(key_pair(seed[1]).sign(nonce.encode())).decode().rstrip("=")
    return {
        "verbose": False, "pedantic": False, "lang": "python", "version": "1", "protocol": 1, "headers": True,
        "no_responders": True, "jwt": token[1], "sig": signature,
    }  # fmt: skip
