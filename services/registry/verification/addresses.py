"""Which addresses are this ledger's own: they are resolved inside, never fetched. ● Pure."""

import re
from urllib.parse import quote, urlsplit

import msgspec

_CAPABILITY = re.compile(r"[A-Za-z0-9_-]{22}")
_LIST = re.compile(r"sl_[a-z2-7]{26}")


class Addresses(msgspec.Struct, frozen=True):
    """The registry's and the revocation service's public addresses, without a trailing slash."""

    public_url: str
    status_url: str

    def is_own_url(self, url: str) -> bool:
        """Whether a URL lies under one of the two addresses, however its host is written."""
        return _place(url) in (_place(self.public_url), _place(self.status_url))

    def is_own_did(self, did: str) -> bool:
        """Whether a DID would be resolved at the registry's address (did:web; hosts are case-insensitive)."""
        host = quote(urlsplit(self.public_url).netloc.lower(), safe="")
        own = f"did:web:{host}".lower()
        found = did.partition("#")[0].lower()
        return found == own or found.startswith(own + ":")

    def capability(self, url: str) -> str | None:
        """The capability in a credential's URL here, without its fragment, or None where it is none of ours.

        A picture's address (`.png`, `.svg`) names the credential that is baked into it.
        """
        path = self._path(self.public_url, url.partition("#")[0].partition("?")[0])
        found = path.removeprefix("/credentials/").removesuffix(".png").removesuffix(".svg")
        return found if path.startswith("/credentials/") and _CAPABILITY.fullmatch(found) else None

    def list_id(self, url: str) -> str | None:
        """The status list behind a URL here, or None."""
        path = self._path(self.status_url, url.partition("#")[0].partition("?")[0])
        found = path.removeprefix("/status-lists/")
        return found if path.startswith("/status-lists/") and _LIST.fullmatch(found) else None

    @staticmethod
    def _path(base: str, url: str) -> str:
        if _place(url) != _place(base):
            return ""
        prefix, path = urlsplit(base).path, urlsplit(url).path
        return path[len(prefix) :] if path.startswith(prefix) else ""


def _place(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL, so that two spellings of one place are equal; empty for what is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", "", None
    return parts.scheme, (parts.hostname or "").rstrip("."), port or {"http": 80, "https": 443}.get(parts.scheme)
