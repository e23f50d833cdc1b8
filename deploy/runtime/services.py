"""The three services as children: what each is told, where it listens, when it serves.

A service learns its database, NATS and secrets from its environment and files of its own, exactly as in production; it
cannot tell that a supervisor started it.
"""

import http.client
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ledger.settings import PORT_OFFSETS

from .account import Account
from .children import Command
from .refusal import Refusal
from .secrets import HOLDERS, secret_name
from .settings import Settings
from .state import State

READINESS_TIMEOUT_SECONDS = 0.5
PREDECESSOR_SECONDS = 2.0
# What belongs to the supervisor or to one service alone; never inherited as it is.
OWN_SETTINGS = (
    "DATABASE_URL",
    "NATS_URL",
    "NATS_CREDENTIALS_FILE",
    "DEMO",
    "POSTGRES_BIN",
    "NATS_SERVER",
    "NATS_MAX_FILE",
    "RUN_AS",
)

# A hardware token is for the services that sign.
TOKEN_USERS = ("issuance", "revocation")
TOKEN_SETTINGS = frozenset(
    f"CREDLEDGER_PKCS11_{name}{suffix}" for name in ("MODULE", "TOKEN", "PIN") for suffix in ("", "_FILE")
)
# How notices reach learners: issuance's alone, because the mail server's address holds its password.
MAIL_SETTINGS = ("SMTP_URL", "SMTP_URL_FILE", "MAIL_FOLDER", "MAIL_FROM", "MAIL_PER_SECOND", "CLAIM_URL")

# -P: the working folder must not be a place where modules are looked for.
COMMANDS: Mapping[str, Sequence[str]] = {
    name: (sys.executable, "-P", "-m", name) for name in ("issuance", "registry", "revocation")
}


class Links(msgspec.Struct, frozen=True):
    """One service's way to its database (a secret) and to NATS."""

    database_url: str
    nats_url: str
    nats_credentials_file: Path | None


class Service:
    """One of the three services."""

    look_seconds = 0.05
    stop_signal: int = signal.SIGTERM
    last_signal: int = signal.SIGKILL

    def __init__(self, name: str, argv: Sequence[str], environment: Mapping[str, str], account: Account | None) -> None:
        """`environment` as `environment_for` makes it."""
        self.name = name
        self._command = Command(
            argv=argv,
            environment=environment,
            # Every service survives this at any moment; a polite stop could outlast the promised second.
            death_signal=signal.SIGKILL,
            account=account,
        )
        self._host = reachable(environment["CREDLEDGER_HOST"])
        self._port = int(environment["CREDLEDGER_PORT"]) + PORT_OFFSETS[name]

    def command(self) -> Command:
        """How to start it."""
        return self._command

    def is_ready(self, pid: int) -> bool:
        """Whether `/readyz` answers 200: store and bus answer it."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=READINESS_TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def environment_for(name: str, settings: Settings, state: State, links: Links) -> dict[str, str]:
    """One service's environment: the caller's, its own links, and only the secrets that it holds.

    A secret that the caller sets (`CREDLEDGER_KEK`, or `…_FILE`) goes before the generated one.
    """
    environment = shared_environment(settings, state) | {
        "CREDLEDGER_DATABASE_URL": links.database_url,
        "CREDLEDGER_NATS_URL": links.nats_url,
    }
    if links.nats_credentials_file:
        environment["CREDLEDGER_NATS_CREDENTIALS_FILE"] = str(links.nats_credentials_file)
    if name == "issuance":
        environment |= {"CREDLEDGER_MAIL_FOLDER": str(state.mail)} | _given(settings, MAIL_SETTINGS)
    for setting, holders in HOLDERS.items():
        if name in holders:
            environment |= _secret_setting(setting, settings, state)
    if name in TOKEN_USERS:
        environment |= {key: value for key, value in settings.environment.items() if key in TOKEN_SETTINGS}
    if name == "issuance":
        environment.setdefault("CREDLEDGER_ERASURE_LIST", str(state.erasure_list))
    return environment


def shared_environment(settings: Settings, state: State) -> dict[str, str]:
    """The caller's environment without what belongs to one process, and what all of the ledger's processes agree on."""
    secret = {f"CREDLEDGER_{setting}{suffix}" for setting in HOLDERS for suffix in ("", "_FILE")}
    own = {f"CREDLEDGER_{setting}" for setting in (*OWN_SETTINGS, *MAIL_SETTINGS)} | TOKEN_SETTINGS
    return {key: value for key, value in settings.environment.items() if key not in secret | own} | {
        "CREDLEDGER_DATA": str(state.folder),
        "CREDLEDGER_HOST": settings.host,
        "CREDLEDGER_PORT": str(settings.port),
        "CREDLEDGER_PUBLIC_URL": settings.public_url,
        "CREDLEDGER_STATUS_URL": settings.status_url,
        "CREDLEDGER_DEMO_FOLDER": str(state.demo),
        **({"HOME": str(state.folder)} if state.account else {}),
    }


def _given(settings: Settings, names: Sequence[str]) -> dict[str, str]:
    """Those of these settings that the caller made."""
    named = [f"CREDLEDGER_{name}" for name in names]
    return {name: settings.environment[name] for name in named if name in settings.environment}


def write_environment(state: State, name: str, environment: Mapping[str, str]) -> None:
    """Keep what a process is told as `secrets/<name>.env`, so that a person or `credledger` can run the same beside it:
    `set -a; . .credledger/secrets/issuance.env`."""
    lines = [f"{key}={shlex.quote(value)}\n" for key, value in environment.items() if key.startswith("CREDLEDGER_")]
    state.write(state.secrets / f"{name}.env", "".join(sorted(lines)))


def _secret_setting(setting: str, settings: Settings, state: State) -> dict[str, str]:
    names = (f"CREDLEDGER_{setting}", f"CREDLEDGER_{setting}_FILE")
    given = {name: settings.environment[name] for name in names if name in settings.environment}
    file = state.operator_key if setting == "OPERATOR_KEY" else state.secrets / secret_name(setting)
    return given or {names[1]: str(file)}


def ports_of(settings: Settings) -> dict[str, int]:
    """Each service's port, in the order of the ports."""
    return {name: settings.port + offset for name, offset in sorted(PORT_OFFSETS.items(), key=lambda item: item[1])}


def require_free_ports(settings: Settings, *, has_data: bool) -> None:
    """Refuse, in one sentence, when one of the three ports is taken. A predecessor that is dying gets two seconds."""
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    while taken := [port for port in ports_of(settings).values() if not _is_free(settings.host, port)]:
        if time.monotonic() > deadline:
            raise Refusal(f"Port {taken[0]} is taken by another program: " + _way_out(settings, has_data))
        time.sleep(0.05)


def _way_out(settings: Settings, has_data: bool) -> str:
    move = f"CREDLEDGER_PORT={_free_block(settings)}"
    if has_data and "CREDLEDGER_PUBLIC_URL" not in settings.environment:
        return (
            f"end that program, because the addresses in this ledger's ids hold the port ({settings.public_url}). "
            f"A new ledger can have other ports: CREDLEDGER_DATA=<new folder> {move}."
        )
    return f"set CREDLEDGER_PORT to the first of three free ports, for example {move}."


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise Refusal(f"CREDLEDGER_HOST is {host!r}, which is not an address of this machine.") from error
    with socket.socket(family, kind, protocol) as probe:
        # Connections of a ledger that ended a moment ago linger; they do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise Refusal(f"Port {port} may not be used by this account: set CREDLEDGER_PORT above 1024.") from error
        except OSError:
            return False
    return True


def _free_block(settings: Settings) -> int:
    """A base near the wanted one whose three ports are free."""
    for base in range(settings.port + 10, 65500, 10):
        if all(_is_free(settings.host, base + offset) for offset in PORT_OFFSETS.values()):
            return base
    return settings.port


def reachable(host: str) -> str:
    """An address under which a server that listens on `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  it is compared, nothing binds here


def interpreter_files() -> list[Path]:
    """What an account must be able to read to run a service: the interpreter, its library, ours."""
    import issuance  # noqa: PLC0415  a package without code: only its place is wanted
    import ledger  # noqa: PLC0415

    return [Path(sys.executable).resolve(), Path(os.__file__), Path(ledger.__file__), Path(issuance.__file__)]
