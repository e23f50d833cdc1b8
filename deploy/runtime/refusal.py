"""The one error of the supervisor: a sentence for a person, and the exit status."""

FAILED = 1
UNUSABLE = 2
ALREADY_RUNNING = 3


class Refusal(Exception):
    """The command cannot go on. The message names the setting to change; `status` becomes the exit status:
    1 something broke, 2 the surroundings or settings do not allow it, 3 a ledger already runs on this data."""

    def __init__(self, sentence: str, status: int = UNUSABLE) -> None:
        super().__init__(sentence)
        self.status = status
