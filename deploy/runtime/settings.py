"""What the environment tells the supervisor; everything else it hands to the services as it is."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ledger.settings import PORT_OFFSETS

from .refusal import Refusal


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor's own settings. `environment` is the caller's, for the services to inherit."""

    data: Path
    host: str
    port: int
    public_url: str
    status_url: str
    run_as: str | None
    postgres_bin: Path | None
    nats_server: Path | None
    database_url: str | None
    nats_url: str | None
    nats_max_file: str
    demo: bool
    environment: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read `CREDLEDGER_…`. Raises Refusal naming the setting that is wrong."""
        given = dict(os.environ if environment is None else environment)

        def text(name: str) -> str | None:
            return given.get(f"CREDLEDGER_{name}") or None

        def path(name: str) -> Path | None:
            value = text(name)
            return Path(value).expanduser().absolute() if value else None

        port = _port(text("PORT") or "8000")
        demo = (text("DEMO") or "on").lower()
        if demo not in ("on", "off"):
            raise Refusal(f"CREDLEDGER_DEMO is on or off, not {demo!r}.")
        return cls(
            data=path("DATA") or Path(".credledger").absolute(),
            host=text("HOST") or "127.0.0.1",
            port=port,
            public_url=(text("PUBLIC_URL") or f"http://localhost:{port}").rstrip("/"),
            status_url=(text("STATUS_URL") or f"http://localhost:{port + PORT_OFFSETS['revocation']}").rstrip("/"),
            run_as=text("RUN_AS"),
            postgres_bin=path("POSTGRES_BIN"),
            nats_server=path("NATS_SERVER"),
            database_url=text("DATABASE_URL"),
            nats_url=text("NATS_URL"),
            nats_max_file=_size(text("NATS_MAX_FILE") or "64G"),
            demo=demo == "on",
            environment=given,
        )


def _port(value: str) -> int:
    last = max(PORT_OFFSETS.values())
    if not value.isdecimal() or not 1 <= int(value) <= 65535 - last:
        raise Refusal(
            f"CREDLEDGER_PORT is the first of {last + 1} ports, a number from 1 to {65535 - last}, not {value!r}."
        )
    return int(value)


def _size(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}[MGT]", value):
        raise Refusal(f"CREDLEDGER_NATS_MAX_FILE is a size such as 512M or 64G, not {value!r}.")
    return value
