"""How often one may ask: token buckets in this process, and the header fields that say what is left.

`RateLimit-Policy: "default";q=<burst>;w=<seconds>` and `RateLimit: "default";r=<left>;t=<seconds until full>`
(draft-ietf-httpapi-ratelimit-headers-10). Keys are counted by key, everyone else by client address, hashed with a salt
that dies with the process. Several processes allow as many times as much.
"""

import hashlib
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from ledger.errors import TooManyRequests
from ledger.web.exchange import Rate

BUCKETS = 20_000


class Limit(msgspec.Struct, frozen=True):
    """An allowance: `per_second` requests in the long run, `burst` at once."""

    per_second: float
    burst: int

    @property
    def window_seconds(self) -> int:
        """How long an empty allowance takes to be full again."""
        return max(1, math.ceil(self.burst / self.per_second))


# Public numbers: the reference page prints them. Addresses are few for a class room behind one gateway, so the
# allowance of an address is wide; that of failed keys is not.
LIMITS: Mapping[str, Limit] = {
    "institution": Limit(per_second=1000, burst=2000),
    "operator": Limit(per_second=500, burst=1000),
    "auditor": Limit(per_second=200, burst=400),
    "address": Limit(per_second=500, burst=1000),
    "failed_keys": Limit(per_second=5, burst=100),
}


class RateLimiter:
    """One bucket a caller. The longest unused is forgotten first, which can only be kind to a caller."""

    def __init__(self, limits: Mapping[str, Limit] = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._salt = secrets.token_bytes(16)
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, policy: str, who: str) -> Rate:
        """Count one request of `who`. Raises TooManyRequests, with the seconds to wait, when nothing is left."""
        limit, now = self.limits[policy], self._clock()
        left, since = self._buckets.pop((policy, who), (float(limit.burst), now))
        left = min(float(limit.burst), left + (now - since) * limit.per_second)
        allowed = left >= 1
        self._buckets[policy, who] = (left - 1 if allowed else left, now)
        while len(self._buckets) > BUCKETS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = max(1, math.ceil((1 - left) / limit.per_second))
            raise TooManyRequests("More requests came than are allowed; wait a little.", retry_after_seconds=wait)
        return self._rate(limit, left - 1)

    def spent(self, policy: str) -> Rate:
        """What a caller is told that has nothing left."""
        return self._rate(self.limits[policy], 0)

    def hashed(self, address: str) -> str:
        """A client address as it may be remembered."""
        return hashlib.blake2b(address.encode(), key=self._salt, digest_size=16).hexdigest()

    def _rate(self, limit: Limit, left: float) -> Rate:
        reset = math.ceil((limit.burst - left) / limit.per_second)
        return Rate("default", limit.burst, limit.window_seconds, int(left), reset)
