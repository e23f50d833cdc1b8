"""Key-encryption keys by epoch (DESIGN §5): the current one seals, every one opens.

A keyring is the text of one setting, so that a new one takes the old one's place whole: 32 bytes in hex (that is epoch
1), or `2:<hex>,1:<hex>`, separated by commas or line ends. The first seals. A keyring that was read from a file is
read again when a row names an epoch that it lacks: a rotation needs no restart.
"""

import re
from collections.abc import Callable, Mapping

import structlog

from ledger import ids
from ledger.errors import Unavailable

KEY_BYTES = 32
CHECK_CHARACTERS = 16
_ENTRY = re.compile(r"(?:([1-9][0-9]{0,5}):)?([0-9a-fA-F]{64})")

log = structlog.get_logger()


class EpochUnknown(Unavailable):
    """A value is sealed under an epoch whose key this process was not given: it needs the newest keyring."""

    code, title = "key_encryption_epoch_unknown", "A key-encryption key is missing"


class Keyring:
    """The keys of one ring. `reread` gives the setting's text as it is now."""

    def __init__(self, keys: Mapping[int, bytes], reread: Callable[[], str] | None = None) -> None:
        if not keys or any(len(key) != KEY_BYTES or epoch < 1 for epoch, key in keys.items()):
            raise ValueError("a keyring holds keys of 32 bytes by epochs from 1")
        self._keys, self._reread = dict(keys), reread

    @classmethod
    def parse(cls, text: str, reread: Callable[[], str] | None = None) -> "Keyring":
        """The keyring behind a setting's text. Raises ValueError, in a sentence that quotes no key."""
        return cls(_keys_of(text), reread)

    @classmethod
    def single(cls, key: bytes) -> "Keyring":
        """A ring of one key, epoch 1."""
        return cls({1: key})

    def __repr__(self) -> str:
        # A key must not reach a log or a traceback by being printed.
        return f"Keyring({list(self._keys)})"

    @property
    def epoch(self) -> int:
        """The epoch that seals."""
        return next(iter(self._keys))

    @property
    def epochs(self) -> tuple[int, ...]:
        """Every epoch that opens, the one that seals first."""
        return tuple(self._keys)

    @property
    def older(self) -> tuple[int, ...]:
        """The epochs before the current one: what lies under them is to be sealed anew."""
        return tuple(epoch for epoch in self._keys if epoch < self.epoch)

    def current(self) -> tuple[int, bytes]:
        """The epoch that seals, and its key."""
        return next(iter(self._keys.items()))

    def key(self, epoch: int) -> bytes:
        """The key of an epoch. Raises EpochUnknown where also the setting as it is now does not hold it."""
        if epoch not in self._keys:
            self.refresh()
        if epoch not in self._keys:
            raise EpochUnknown(f"Epoch {epoch} of the key-encryption keys is not in this service's keyring.")
        return self._keys[epoch]

    def check(self, epoch: int) -> str:
        """What tells two keys of one number apart, and says nothing of either: 16 hex digits of a keyed hash."""
        return ids.keyed(self.key(epoch), "credledger/kek-check/v1").hex()[:CHECK_CHARACTERS]

    def refresh(self) -> None:
        """Take over what the setting's file says now; what cannot be read changes nothing."""
        if self._reread is None:
            return
        try:
            self._keys = _keys_of(self._reread())
        except (OSError, ValueError) as error:
            log.warning("keyring not read again", error=type(error).__name__)


def text_of(keys: Mapping[int, bytes]) -> str:
    """The setting's text for these keys, the first of which seals."""
    return "\n".join(f"{epoch}:{key.hex()}" for epoch, key in keys.items())


def keys_in(text: str) -> dict[int, bytes]:
    """The keys of a setting's text by epoch, the one that seals first. Raises ValueError."""
    return _keys_of(text)


def _keys_of(text: str) -> dict[int, bytes]:
    entries = [_ENTRY.fullmatch(entry) for entry in re.split(r"[,\s]+", text.strip())]
    if not entries or None in entries:
        raise ValueError("must be 32 bytes in hex, or a keyring such as 2:<hex>,1:<hex>")
    found = [(int(entry[1] or 1), bytes.fromhex(entry[2])) for entry in entries if entry is not None]
    if len(dict(found)) != len(found):
        raise ValueError("names an epoch twice")
    return dict(found)
