"""How a mail leaves: to an SMTP server (`CREDLEDGER_SMTP_URL`), or into a folder as `.eml` files where none is set. ○

`smtp://` turns to TLS by STARTTLS, which is required unless the server is on this machine; `smtps://` is TLS from the
first byte. A session is one connection for a few mails. What goes wrong is told apart by what to do: `Away` (nobody
can be written to now), `Later` (this mail, again in a while), `Refusal` (never).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from ledger.settings import LOOPBACK

TIMEOUT_SECONDS = 20.0
IDLE_SECONDS = 20.0  # longer, and the server may have hung up
MAILBOX_FULL = 552
PORTS = {"smtp": 25, "smtps": 465}


class Away(Exception):
    """The mail system is not there, or does not let us in; the message names what went wrong, never an address."""


class Later(Exception):
    """The mail system does not take this mail now: 4xx, or the connection broke."""


class Refusal(Exception):
    """The mail system never takes this mail. `of_address` says that it is the recipient's address that it refuses."""

    def __init__(self, code: int, *, of_address: bool) -> None:
        super().__init__(str(code))
        self.code, self.of_address = code, of_address


class Session(Protocol):
    """An open way out. Raises Away, Later or Refusal."""

    async def send(self, message: EmailMessage, sender: str, recipient: str) -> None: ...


class Transport(Protocol):
    """Opens sessions. Raises Away. `real` says that mails leave this machine's files."""

    @property
    def real(self) -> bool: ...

    def session(self) -> AbstractAsyncContextManager[Session]: ...


class Smtp:
    """A server, by its URL: `smtp://user:password@host:587`."""

    real = True

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = parts.scheme == "smtps"
        self._idle: list[tuple[float, aiosmtplib.SMTP]] = []
        self._start_tls = None if self._tls or self._host in LOOPBACK else True

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connection, kept for the next session while mails keep going; after a fault a fresh one."""
        client = await self._idle_client() or await self._connected()
        try:
            yield _SmtpSession(client)
        except BaseException:
            client.close()
            raise
        self._idle.append((time.monotonic(), client))

    async def _idle_client(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            since, client = self._idle.pop()
            if client.is_connected and time.monotonic() - since < IDLE_SECONDS:
                with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                    await client.noop()
                    return client
            client.close()
        return None

    async def _connected(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(
            hostname=self._host, port=self._port, username=self._user, password=self._password,
            use_tls=self._tls, start_tls=False if self._tls else self._start_tls, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            client.close()
            raise Away(type(error).__name__) from error
        return client


class _SmtpSession:
    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client

    async def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        try:
            if not self._client.is_connected:
                await self._client.connect()
            await self._client.send_message(message, sender=sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _judged(error.recipients[0].code, of_address=True) from error
        except aiosmtplib.SMTPDataError as error:
            raise _judged(error.code, of_address=False) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPAuthenticationError) as error:
            raise Away(f"{type(error).__name__} {error.code}") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Later(type(error).__name__) from error


def _judged(code: int, *, of_address: bool) -> Exception:
    if code < 500:
        return Later(str(code))
    return Refusal(code, of_address=of_address and code != MAILBOX_FULL)


class Folder:
    """Mails as files, `<notice id>.eml`; the same notice again is the same file."""

    real = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """The folder itself."""
        yield self

    async def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Write it, whole or not at all. Raises Away where the folder cannot be written."""
        message["Return-Path"] = f"<{sender}>"
        try:
            await asyncio.to_thread(self._write, str(message["Message-ID"]), message.as_bytes(policy=SMTP_LINES))
        except OSError as error:
            raise Away(f"the mail folder: {error.strerror}") from error

    def _write(self, message_id: str, raw: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = message_id.strip("<>").partition("@")[0]
        new = self._folder / f"{name}.new"
        new.write_bytes(raw)
        new.replace(self._folder / f"{name}.eml")
