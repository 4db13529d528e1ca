"""What a bot needs of a strategy on one symbol: one more candle in, one byte of signals out."""

from collections.abc import Sequence
from typing import Protocol

from regatta.domain.signal import Check

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
ENTER = ENTER_LONG | ENTER_SHORT


class SymbolSeries(Protocol):
    """The state of a strategy's graph on one symbol (`graph.Series` is the implementation)."""

    @property
    def outputs(self) -> Sequence[str]:
        """Names of what the strategy decides: "enter_long", "exit_long", ..."""
        ...

    @property
    def close_ms(self) -> int:
        """Close time of the last candle taken, 0 before the first."""
        ...

    def step(self, close_ms: int, open_: float, high: float, low: float, close: float, volume: float) -> int:
        """Take one closed candle; return the signal bits."""
        ...

    def reset(self) -> None:
        """Forget everything: candles are missing for good."""
        ...

    def first_failing(self, output: str) -> str:
        """Return the name of the first check of the output that fails now ("warming up" before)."""
        ...

    def checks(self, output: str) -> Sequence[Check]:
        """Return every check of the output with its value and threshold."""
        ...

    def score(self) -> float:
        """Return the strategy's score 0-100 (100 for a boolean strategy whose checks all hold)."""
        ...
