"""A token of SoftHSM (Debian's package softhsm2), initialised in a folder of its own."""

import os
import subprocess
from pathlib import Path

import msgspec

from ledger.settings import Token

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL, PIN = "credledger", "1234"


class SoftHsm(msgspec.Struct, frozen=True):
    """Where the token lies, and how a process is told of it."""

    configuration: Path

    @property
    def token(self) -> Token:
        return Token(str(MODULE), LABEL, PIN)

    @property
    def environment(self) -> dict[str, str]:
        """What a service needs to use it."""
        return {
            "SOFTHSM2_CONF": str(self.configuration),
            "CREDLEDGER_PKCS11_MODULE": str(MODULE),
            "CREDLEDGER_PKCS11_TOKEN": LABEL,
            "CREDLEDGER_PKCS11_PIN": PIN,
        }


def soft_hsm(folder: Path) -> SoftHsm:
    """A fresh token."""
    tokens = folder / "tokens"
    tokens.mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "4321"],
        env={**os.environ, "SOFTHSM2_CONF": str(configuration)}, check=True, capture_output=True,
    )  # fmt: skip
    return SoftHsm(configuration)
