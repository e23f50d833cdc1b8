"""The state folder: where everything that the ledger keeps lies, and who may run on it.

    <state>/          0711 when root starts it (the servers' account must pass), else 0700
      lock            flock for the whole run, held by the supervisor and both data owners
      runtime.json    0600: what runs; read by `status`, by tests, by people
      operator.key    0600: the operator's API key
      erasures/       0700: the list of erasures, in no backup of the database
      mail/           0700: mails to learners, where no mail server is set
      demo/           0700: what the demo page shows; demo.loaded is written when it is whole
      secrets/        0700, files 0600
      pg/data         the PostgreSQL cluster; pg/data.new while it is being made
      run/            0700: the PostgreSQL socket
      nats/           nats-server's store and ports; nats.conf beside it
      checkpoint/     0700: the sequencer's own lock
      log/            one file a child
      programs/       copies of the servers, only where their account cannot reach the originals

The lock is an open file's, and the data owners inherit that open file: it is free when the *last* of them is gone, so
a new supervisor never starts on data that a dying server still holds, and no pid has to be guessed.
"""

import errno
import fcntl
import json
import os
from pathlib import Path
from typing import Any

import msgspec

from .account import Account
from .children import wait_for
from .refusal import ALREADY_RUNNING, Refusal

PREDECESSOR_SECONDS = 2.0


class State(msgspec.Struct, frozen=True):
    """The paths in a state folder, and the account that owns what the servers use (None: the caller)."""

    folder: Path
    account: Account | None = None

    @property
    def secrets(self) -> Path:
        """Passwords and keys."""
        return self.folder / "secrets"

    @property
    def operator_key(self) -> Path:
        """The operator's API key."""
        return self.folder / "operator.key"

    @property
    def cluster(self) -> Path:
        """The PostgreSQL cluster."""
        return self.folder / "pg" / "data"

    @property
    def socket_folder(self) -> Path:
        """Where the PostgreSQL socket lies, unless the path is too long for one."""
        return self.folder / "run"

    @property
    def nats(self) -> Path:
        """nats-server's folder."""
        return self.folder / "nats"

    @property
    def nats_configuration(self) -> Path:
        """nats-server's settings."""
        return self.folder / "nats.conf"

    @property
    def programs(self) -> Path:
        """Copies of the servers for an account that cannot reach the originals."""
        return self.folder / "programs"

    @property
    def erasure_list(self) -> Path:
        """What was erased, for a database that comes back from a backup."""
        return self.folder / "erasures" / "list.ndjson"

    @property
    def demo(self) -> Path:
        """What the demo page shows."""
        return self.folder / "demo"

    @property
    def mail(self) -> Path:
        """The mails to learners, where no mail server is set."""
        return self.folder / "mail"

    @property
    def demo_mark(self) -> Path:
        """Exists when the demo was loaded."""
        return self.folder / "demo.loaded"

    @property
    def runtime(self) -> Path:
        """What runs, as JSON."""
        return self.folder / "runtime.json"

    def log(self, name: str) -> Path:
        """The log of one child."""
        return self.folder / "log" / f"{name}.log"

    def make(self) -> None:
        """Make the folders that are missing. Raises Refusal when they cannot be made or belong to somebody else."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o711 if self.account else 0o700)
            for name in ("log", "pg", "secrets", "run", "nats", "checkpoint", "erasures", "demo", "mail"):
                self.make_folder(self.folder / name)
            for name in ("js", "jwt", "ports"):
                self.make_folder(self.nats / name)
        except OSError as error:
            raise Refusal(
                f"The state folder {self.folder} cannot be used ({error.strerror}): "
                "set CREDLEDGER_DATA to a folder that you own and can write to."
            ) from error

    def make_folder(self, path: Path) -> None:
        """One private folder of the servers' account."""
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
        self.give(path)

    def give(self, path: Path) -> None:
        """Hand a file or folder to the servers' account."""
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)

    def write(self, path: Path, text: str) -> None:
        """Write a private file whole or not at all: 0600, by rename, on the disk when this returns."""
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        self.give(new)
        new.rename(path)

    def write_runtime(self, facts: dict[str, Any]) -> None:
        """Publish what runs; never a secret."""
        self.write(self.runtime, json.dumps(facts, indent=2) + "\n")

    def read_runtime(self) -> dict[str, Any]:
        """What was published last; empty when nothing was."""
        try:
            facts = json.loads(self.runtime.read_text())
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def lock(self) -> int:
        """Take the lock and return its descriptor. A predecessor that is dying gets two seconds.

        Raises Refusal (exit status 3) naming who runs.
        """
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if wait_for(lambda: _locked(descriptor), PREDECESSOR_SECONDS):
            return descriptor
        os.close(descriptor)
        facts = self.read_runtime()
        who, where = facts.get("supervisor"), facts.get("urls", {}).get("registry")
        raise Refusal(
            f"A ledger already runs on {self.folder}"
            + (f" (process {who}, {where})" if who and where else "")
            + ". Stop it first, or set CREDLEDGER_DATA and CREDLEDGER_PORT to start another.",
            ALREADY_RUNNING,
        )

    def is_locked(self) -> bool:
        """Whether a ledger runs here, or its servers are still ending."""
        try:
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return False
    return True
