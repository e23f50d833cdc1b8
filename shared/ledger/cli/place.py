"""Where the ledger is: the services' addresses, the key to use, the databases.

Rules. What the environment says goes first, under the names that the services read (`CREDLEDGER_PORT`,
`CREDLEDGER_DATABASE_URL` …, secrets also as `…_FILE`). What it leaves open is read from the state folder of `make run`
(`CREDLEDGER_DATA`, else `.credledger` here), so that a newcomer types no setting at all. A missing thing is one
sentence that names it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from ledger.cli.failure import UNAVAILABLE, USAGE, Failure
from ledger.keyring import Keyring
from ledger.settings import PORT_OFFSETS

DEFAULT_FOLDER: Final = ".credledger"
DEFAULT_PORT: Final = 8000
DATABASE: Final = "ledger"
SUPERUSER: Final = "ledger"
EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, nothing binds here


class Place(msgspec.Struct, frozen=True):
    """An environment and the state folder that it names, whether or not that is there."""

    environment: Mapping[str, str]
    folder: Path

    @classmethod
    def here(cls, environment: Mapping[str, str] | None = None) -> "Place":
        """The place that this process's environment (or the given one) names."""
        given = dict(os.environ if environment is None else environment)
        return cls(given, Path(given.get("CREDLEDGER_DATA") or DEFAULT_FOLDER).expanduser().absolute())

    def address(self, service: str) -> str:
        """The base URL of registry, issuance or revocation, without a trailing slash."""
        if stated := self._text(f"{service.upper()}_URL"):
            return stated.rstrip("/")
        port = self._text("PORT")
        if not port and (known := self._runtime.get("urls", {}).get(service)):
            return str(known)
        if port and not port.isdecimal():
            raise Failure(f"CREDLEDGER_PORT must be a whole number, not {port!r}.", USAGE)
        host = self._text("HOST") or "127.0.0.1"
        host = EVERYWHERE.get(host, host)
        return f"http://{f'[{host}]' if ':' in host else host}:{int(port or DEFAULT_PORT) + PORT_OFFSETS[service]}"

    @property
    def public_url(self) -> str:
        """The registry's address as the world knows it."""
        stated = self._text("PUBLIC_URL") or self._runtime.get("public_url") or self.address("registry")
        return str(stated).rstrip("/")

    @property
    def demo_folder(self) -> Path:
        """Where the registry's demo page finds its samples."""
        stated = self._text("DEMO_FOLDER")
        return Path(stated) if stated else self.folder / "demo"

    def operator_key(self) -> str | None:
        """The operator's key in the state folder, if this account may read it."""
        return _read(self.folder / "operator.key")

    def api_key(self, given: str | None) -> str | None:
        """The key to act with: the given one, `CREDLEDGER_API_KEY`, or the operator's. None where there is none."""
        return given or self._text("API_KEY") or self.operator_key()

    def institution_key(self, given: str | None) -> str:
        """An institution's key: the given one or `CREDLEDGER_API_KEY`. Raises Failure."""
        if key := given or self._text("API_KEY"):
            return key
        raise Failure("An institution's key is needed: set CREDLEDGER_API_KEY, or give --key.", USAGE)

    def database_url(self, service: str) -> str:
        """The database's URL for a service's role (a secret): the environment's, or the state folder's."""
        if stated := self._text("DATABASE_URL"):
            return stated
        return self._local_url(service, service)

    def owner_database_url(self) -> str:
        """The owner's URL, for migrations: `CREDLEDGER_OWNER_DATABASE_URL`, or the state folder's."""
        return self._text("OWNER_DATABASE_URL") or self._local_url(SUPERUSER, "superuser")

    def keyring(self, name: str) -> Keyring:
        """A keyring setting, such as `SIGNING_KEK`: the environment's, or the state folder's. Raises Failure."""
        try:
            return Keyring.parse(self._text(name) or _read(self.keyring_file(name)) or "")
        except ValueError as error:
            raise Failure(f"CREDLEDGER_{name} is needed, as the service has it; it {error}.", USAGE) from error

    def passphrase(self) -> str | None:
        """The passphrase of a ceremony's private key, where the environment states it."""
        return self._text("PASSPHRASE")

    def keyring_file(self, name: str) -> Path:
        """The file that holds a keyring: the one that the environment names, or the state folder's."""
        stated = self.environment.get(f"CREDLEDGER_{name}_FILE")
        return Path(stated) if stated else self.folder / "secrets" / name.lower().replace("_", "-")

    def _local_url(self, role: str, secret: str) -> str:
        password, sockets = _read(self.folder / "secrets" / f"postgres-{secret}"), self._runtime.get("socket_folder")
        if password is None or not sockets:
            name = "CREDLEDGER_OWNER_DATABASE_URL" if secret == "superuser" else "CREDLEDGER_DATABASE_URL"  # noqa: S105
            raise Failure(
                f"No database is known: set {name}, or start a ledger with `make run` and name its folder in "
                f"CREDLEDGER_DATA (looked for in {self.folder}).",
                UNAVAILABLE,
            )
        return f"postgresql://{role}:{quote(password, safe='')}@/{DATABASE}?host={quote(str(sockets), safe='')}"

    @property
    def _runtime(self) -> dict[str, Any]:
        try:
            facts = json.loads((self.folder / "runtime.json").read_text())
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def _text(self, name: str) -> str | None:
        if stated := self.environment.get(f"CREDLEDGER_{name}"):
            return stated
        file = self.environment.get(f"CREDLEDGER_{name}_FILE")
        if file is None:
            return None
        try:
            return Path(file).read_text().strip() or None
        except OSError as error:
            raise Failure(f"CREDLEDGER_{name}_FILE cannot be read: {error.strerror}.", USAGE) from error


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except OSError:
        return None
