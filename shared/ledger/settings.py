"""Configuration from the environment: `CREDLEDGER_…`, secrets also as `CREDLEDGER_…_FILE` (DESIGN §10).

Secrets are hex, 32 bytes; key-encryption keys are keyrings (`ledger.keyring`). A missing or wrong setting is one
sentence that names it.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from ledger.keyring import Keyring

PORT_OFFSETS = {"registry": 0, "issuance": 1, "revocation": 2}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it."""


class Token(msgspec.Struct, frozen=True):
    """A token of an HSM: the PKCS#11 module's path, the token's label and its user's PIN."""

    module: str
    label: str
    pin: str

    def __repr__(self) -> str:
        return f"Token({self.label!r})"


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How notices reach learners: an SMTP server's URL, else a folder for `.eml` files, else not at all. `sender` is
    the address they come from, `claim_url` where their links lead (issuance), `per_second` how many go out at most."""

    smtp_url: str | None
    folder: Path | None
    sender: str
    claim_url: str
    per_second: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one service process is told. `kek` seals learners' data keys (issuance alone holds it), `signing_kek` the
    institutions' signing keys (issuance and revocation). URLs have no trailing slash; `issuance_url` is where
    institutions reach issuance, which its OAuth metadata names. `lease_places` is how many places in the status lists
    issuance asks for at a time; `job_retention_days` how long the refused rows of a bulk job can be had after its end;
    `demo_folder` holds what the registry's `/demo` page shows, where a demo was loaded. `kek_rotation_days` and
    `backup_retention_days` make the erasure horizon; `erasure_list` is the file outside the backups that remembers
    erasures; `pkcs11` is where new signing keys are made instead of in the vault;
    `mail` is issuance's alone."""

    service: str
    database_url: str
    nats_url: str
    nats_credentials_file: Path | None
    public_url: str
    status_url: str
    host: str
    port: int
    server_secret: bytes
    pepper: bytes
    kek: Keyring | None
    signing_kek: Keyring | None
    operator_key: str | None
    outbound_allow: tuple[str, ...]
    demo_folder: Path | None
    mail: MailSettings | None = None
    issuance_url: str = "http://localhost:8001"
    lease_places: int = 1024
    kek_rotation_days: int = 90
    backup_retention_days: int = 30
    erasure_list: Path | None = None
    pkcs11: Token | None = None
    job_retention_days: int = 30
    log_level: str

    @property
    def test_mode(self) -> bool:
        """Whether the public addresses are loopback or plain http: then everything says TEST."""
        return is_test_address(self.public_url) or is_test_address(self.status_url)

    @classmethod
    def from_environment(cls, service: str, environment: Mapping[str, str] | None = None) -> "Settings":
        """The settings of `service` (issuance, registry or revocation). Raises SettingsError."""
        read = _Reader(os.environ if environment is None else environment)
        base = read.number("PORT", 8000)
        holds_kek, holds_signing_kek = service == "issuance", service in ("issuance", "revocation")
        settings = cls(
            service=service,
            database_url=read.required("DATABASE_URL"),
            nats_url=read.text("NATS_URL", "nats://127.0.0.1:4222"),
            nats_credentials_file=Path(f) if (f := read.text("NATS_CREDENTIALS_FILE", "")) else None,
            public_url=read.text("PUBLIC_URL", f"http://localhost:{base}").rstrip("/"),
            status_url=read.text("STATUS_URL", f"http://localhost:{base + 2}").rstrip("/"),
            issuance_url=read.text("ISSUANCE_URL", f"http://localhost:{base + 1}").rstrip("/"),
            host=read.text("HOST", "127.0.0.1"),
            port=base + PORT_OFFSETS[service],
            server_secret=read.secret("SERVER_SECRET"),
            pepper=read.secret("KEY_PEPPER"),
            kek=read.keyring("KEK") if holds_kek else None,
            signing_kek=read.keyring("SIGNING_KEK") if holds_signing_kek else None,
            operator_key=(read.text("OPERATOR_KEY", "") or None) if service == "issuance" else None,
            outbound_allow=tuple(filter(None, read.text("OUTBOUND_ALLOW", "").split(","))),
            lease_places=read.number("LEASE_PLACES", 1024),
            kek_rotation_days=read.number("KEK_ROTATION_DAYS", 90),
            backup_retention_days=read.number("BACKUP_RETENTION_DAYS", 30),
            erasure_list=Path(f) if service == "issuance" and (f := read.text("ERASURE_LIST", "")) else None,
            pkcs11=read.token() if holds_signing_kek else None,
            job_retention_days=read.number("JOB_RETENTION_DAYS", 30),
            demo_folder=Path(f) if service == "registry" and (f := read.text("DEMO_FOLDER", "")) else None,
            mail=_mail(read, base) if service == "issuance" else None,
            log_level=read.text("LOG_LEVEL", "info"),
        )
        if settings.outbound_allow and not settings.test_mode:
            raise SettingsError("CREDLEDGER_OUTBOUND_ALLOW is for test mode; the public addresses are real, remove it")
        return settings


def _mail(read: "_Reader", base: int) -> MailSettings:
    public = urlsplit(read.text("PUBLIC_URL", f"http://localhost:{base}"))
    url, own = read.text("SMTP_URL", ""), f"http://localhost:{base + PORT_OFFSETS['issuance']}"
    mail = MailSettings(
        smtp_url=url or None,
        folder=Path(f) if (f := read.text("MAIL_FOLDER", "")) else None,
        sender=read.text("MAIL_FROM", f"notices@{public.hostname or 'localhost'}"),
        claim_url=read.text("CLAIM_URL", own).rstrip("/"),
        per_second=read.number("MAIL_PER_SECOND", 50),
    )
    if url and (urlsplit(url).scheme not in ("smtp", "smtps") or not urlsplit(url).hostname):
        raise SettingsError("CREDLEDGER_SMTP_URL is smtp://[user:password@]host[:port], or smtps://…")
    if not re.fullmatch(r"[^@\s+]+@[^@\s]+", mail.sender):
        raise SettingsError(
            "CREDLEDGER_MAIL_FROM is an e-mail address without a plus sign, such as notices@ledger.example"
        )
    if mail.per_second < 1:
        raise SettingsError("CREDLEDGER_MAIL_PER_SECOND must be at least 1")
    if url and not is_test_address(public.geturl()) and is_test_address(mail.claim_url):
        raise SettingsError("CREDLEDGER_CLAIM_URL is not set: learners' links would lead to this machine itself")
    return mail


def is_test_address(url: str) -> bool:
    """Whether an address is loopback or plain http."""
    parts = urlsplit(url)
    return parts.scheme != "https" or (parts.hostname or "") in LOOPBACK


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str) -> str:
        value = self._environment.get(f"CREDLEDGER_{name}")
        if value is not None:
            return value
        file = self._environment.get(f"CREDLEDGER_{name}_FILE")
        if file is None:
            return default
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise SettingsError(f"CREDLEDGER_{name}_FILE cannot be read: {error.strerror}") from error

    def required(self, name: str) -> str:
        value = self.text(name, "")
        if not value:
            raise SettingsError(f"CREDLEDGER_{name} is not set")
        return value

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal():
            raise SettingsError(f"CREDLEDGER_{name} must be a whole number, not {value!r}")
        return int(value)

    def secret(self, name: str) -> bytes:
        try:
            value = bytes.fromhex(self.required(name))
        except ValueError:
            value = b""
        if len(value) != 32:
            raise SettingsError(f"CREDLEDGER_{name} must be 32 bytes in hex")
        return value

    def keyring(self, name: str) -> Keyring:
        """Read again from its file, where it is in one, whenever an epoch is met that it lacks."""
        text = self.required(name)
        from_file = f"CREDLEDGER_{name}" not in self._environment
        try:
            return Keyring.parse(text, (lambda: self.required(name)) if from_file else None)
        except ValueError as error:
            raise SettingsError(f"CREDLEDGER_{name} {error}") from error

    def token(self) -> Token | None:
        module = self.text("PKCS11_MODULE", "")
        return Token(module, self.required("PKCS11_TOKEN"), self.required("PKCS11_PIN")) if module else None
