"""How a command ends when it cannot do what it was asked: one sentence that says what to do, and an exit status.

0 done · 1 refused, or a verification that failed · 2 wrong usage · 69 something it needs is not there (EX_UNAVAILABLE)
"""

from typing import Final

REFUSED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 69


class Failure(Exception):
    """Ends the command with `sentence` on stderr and `status` as its exit status."""

    def __init__(self, sentence: str, status: int = REFUSED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
