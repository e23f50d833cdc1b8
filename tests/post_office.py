"""A real SMTP server for tests, in a thread of its own: it keeps what it takes, and answers as a test wants."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import msgspec
from aiosmtpd.controller import Controller
from tests.servers import free_port, wait_until

OK = "250 OK"
ARRIVES_SECONDS = 15.0


class Mail(msgspec.Struct, frozen=True):
    """A mail as it arrived: its envelope, its parsed message, and when it was whole."""

    sender: str
    recipient: str
    message: EmailMessage
    raw: bytes
    arrived: float  # Unix seconds

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def notice_id(self) -> str:
        return self.message_id.strip("<>").partition("@")[0]

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def html(self) -> str:
        body = self.message.get_body(("html",))
        assert body is not None
        return str(body.get_content())

    @property
    def link(self) -> str:
        """The claim link in the text."""
        return next(line for line in self.text.splitlines() if "/claims/" in line)


class PostOffice:
    """`answer_recipient` and `answer_data` may be set to answer otherwise than 250; they get the recipient."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mails: list[Mail] = []
        self.answer_recipient: Callable[[str], str] = lambda _: OK
        self.answer_data: Callable[[str], str] = lambda _: OK
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)  # type: ignore[no-untyped-call]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, recipient: str) -> list[Mail]:
        """What arrived for somebody, in order."""
        with self._lock:
            return [mail for mail in self._mails if mail.recipient == recipient]

    def wait_for(self, recipient: str, count: int = 1) -> list[Mail]:
        """The mails for somebody, as soon as there are so many. Raises TimeoutError."""
        wait_until(lambda: len(self.to(recipient)) >= count, ARRIVES_SECONDS, f"{count} mails for a learner")
        return self.to(recipient)

    def everything(self) -> list[Mail]:
        with self._lock:
            return list(self._mails)

    # -- what aiosmtpd calls, in its thread

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        answer = self.answer_recipient(address)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        (recipient,) = envelope.rcpt_tos
        answer = self.answer_data(recipient)
        if answer == OK:
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            with self._lock:
                self._mails.append(Mail(envelope.mail_from, recipient, message, envelope.content, time.time()))
        return answer

    @contextlib.contextmanager
    def open(self) -> Iterator["PostOffice"]:
        """Take mails for a while."""
        self._controller.start()  # type: ignore[no-untyped-call]
        try:
            yield self
        finally:
            self._controller.stop()  # type: ignore[no-untyped-call]
