"""What a bot needs of a strategy on one symbol: one more candle in, one byte of signals out."""

from collections.abc import Sequence
from typing import Protocol

from regatta.domain.signal import Check

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
ENTER = ENTER_LONG | ENTER_SHORT


class SymbolSeries(Protocol):
    """The state of a strategy's graph on one symbol (`graph.Series` is the implementation).

    An output is named by its bit in the signal byte.
    """

    @property
    def last_ms(self) -> int | None:
        """Close time of the last candle taken; None before the first."""
        ...

    def step(self, close_ms: int, open_: float, high: float, low: float, close: float, volume: float) -> int:
        """Take one closed candle; return the signal bits."""
        ...

    def reset(self) -> None:
        """Forget everything: candles are missing for good."""
        ...

    def first_failing(self, output: int) -> str:
        """Return the name of the first check of the output that fails now ("warming_up" before)."""
        ...

    def checks(self, output: int) -> Sequence[Check]:
        """Return every check of the output with its value and threshold."""
        ...

    def column(self, name: str) -> float:
        """Return the newest value of a declared column, e.g. "score" (0-100)."""
        ...
