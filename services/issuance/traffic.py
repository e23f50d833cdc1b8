"""Single awards go first: how many are under way, so that bulk work in the same process gives way to them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

GIVE_WAY_SECONDS = 0.05  # a row is never kept waiting longer: bulk work goes on, however busy it is
BUSY_SECONDS = 0.5  # how long after a single award the process counts as busy


class Traffic:
    """Counts single awards; a bulk job asks it for its turn between two rows."""

    def __init__(self) -> None:
        self._running = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._last = float("-inf")

    @contextmanager
    def single(self) -> Iterator[None]:
        """Around one single award."""
        self._running += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._running -= 1
            self._last = asyncio.get_running_loop().time()
            if not self._running:
                self._quiet.set()

    @property
    def busy(self) -> bool:
        """Whether single awards are under way, or were a moment ago."""
        return self._running > 0 or asyncio.get_running_loop().time() - self._last < BUSY_SECONDS

    async def turn(self) -> None:
        """Let what waits be done; while single awards are under way, for a bounded time, wait."""
        await asyncio.sleep(0)
        if self._running:
            with suppress(TimeoutError):
                async with asyncio.timeout(GIVE_WAY_SECONDS):
                    await self._quiet.wait()
