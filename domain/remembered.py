"""What was answered before? For questions whose answer is a matter of the value alone, and whose values come again.

Most alerts of a storm have the same title, service and alertname: what a pattern says of such a text is found here for
a tenth of what it costs to ask. What is new each time (an instance) costs an entry, and entries are bounded.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

MOST = 1_024
# A longer text is asked about each time: what is kept stays small, whatever a source sends.
MAX_LENGTH = 500
Value = TypeVar("Value", bound=Hashable)
Answer = TypeVar("Answer")


class Remembered(Generic[Value, Answer]):
    """Answers by value. Full, it begins anew."""

    __slots__ = ("_answers", "_most", "get")

    def __init__(self, most: int = MOST) -> None:
        self._answers: dict[Value, Answer] = {}
        self._most = most
        self.get = self._answers.get

    def keep(self, value: Value, answer: Answer) -> Answer:
        """Remember the answer."""
        if len(self._answers) >= self._most:
            self._answers.clear()
        self._answers[value] = answer
        return answer
