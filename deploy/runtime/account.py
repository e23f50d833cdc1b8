"""Which account runs the data owners, and which files it can reach.

An ordinary caller runs everything as himself. PostgreSQL refuses to run as root, so root lends the servers an
*existing* unprivileged account; no OS user is ever made and nobody's folders are chmodded. The account must have a
passwd entry: initdb looks its name up.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from .refusal import Refusal

PROBE_TIMEOUT_SECONDS = 10
LAST_RESORTS = ("postgres", "nobody")


class Account(msgspec.Struct, frozen=True):
    """An OS account other than the caller's that children run as."""

    uid: int
    gid: int
    name: str


def account_for(folder: Path, wanted: str | None, environment: Mapping[str, str]) -> Account | None:
    """The account for the children, or None for the caller's own.

    Only root may lend: first the setting, then who called sudo, the folder's owner, `postgres`, `nobody`.
    Raises Refusal when the setting names no account, or none is left.
    """
    if os.geteuid() != 0:
        if wanted and wanted not in (str(os.geteuid()), pwd.getpwuid(os.geteuid()).pw_name):
            raise Refusal("CREDLEDGER_RUN_AS works only for root; remove it.")
        return None
    if wanted:
        account = _named(wanted)
        if account is None:
            raise Refusal(f"CREDLEDGER_RUN_AS names {wanted!r}: it must be an existing account other than root.")
        return account
    owner = str(folder.stat().st_uid) if folder.exists() else ""
    for candidate in (environment.get("SUDO_UID", ""), owner, *LAST_RESORTS):
        if candidate and (account := _named(candidate)):
            return account
    raise Refusal("PostgreSQL does not run as root: name an unprivileged account in CREDLEDGER_RUN_AS.")


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name) if entry.pw_uid else None


def require_passage(folder: Path, account: Account | None) -> None:
    """Refuse a state folder that the account cannot get to; called before anything is made."""
    if account is None:
        return
    parents = [str(parent) for parent in reversed(folder.parents) if parent.exists()]
    closed = _first_without("-x", parents, account)
    if closed:
        raise Refusal(
            f"The account {account.name!r}, which runs PostgreSQL for root, cannot enter {closed}: "
            "set CREDLEDGER_DATA to a folder outside it."
        )


def can_read(paths: Sequence[Path], account: Account | None) -> bool:
    """Whether the account can read every one of these files."""
    return account is None or not _first_without("-r", [str(path) for path in paths], account)


def can_run(program: Path, account: Account | None) -> bool:
    """Whether a server starts as that account, judged by starting it with `--version`."""
    try:
        return _run([str(program), "--version"], account).returncode == 0
    except OSError:
        return False


def version_of(program: Path, account: Account | None) -> str:
    """The last word of `program --version`, which for both servers is the version."""
    try:
        words = _run([str(program), "--version"], account).stdout.split()
    except OSError as error:
        raise Refusal(f"{program} does not start: {error.strerror}.") from error
    if not words:
        raise Refusal(f"{program} --version says nothing; is it the right program?")
    return words[-1].removeprefix("v")


def copied(folders: Sequence[Path], into: Path, account: Account) -> None:
    """Copy folders or files side by side into `into`, once, for an account that cannot reach the originals."""
    if into.exists():
        return
    half = into.with_name(into.name + ".new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for folder in folders:
        target = half / folder.name
        if folder.is_dir():
            shutil.copytree(folder, target, symlinks=True)
        else:
            shutil.copy2(folder, target)
    for entry in (half, *half.rglob("*")):
        os.chown(entry, account.uid, account.gid, follow_symlinks=False)
    half.rename(into)


def _first_without(permission: str, paths: Sequence[str], account: Account) -> str:
    script = f'for p; do test {permission} "$p" || {{ printf %s "$p"; exit 0; }}; done'
    return _run(["/bin/sh", "-c", script, "probe", *paths], account).stdout


def _run(argv: Sequence[str], account: Account | None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        list(argv),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PROBE_TIMEOUT_SECONDS,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
