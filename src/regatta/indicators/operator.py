"""What an operator is: a step function, and the data that lets a graph use it.

A step is a plain function of scalars. It takes, in this order, its inputs, its constants, the
state block with the base of its ring (only if it has one), and its state; it returns its new
state followed by its outputs. The same function runs as plain Python and compiled, in a batch
of a million candles and in a batch of one.

Rules that every step keeps, so that all these ways agree to the bit:

1. A step never sees NaN. Where an input may be unknown (warming up, or a division by zero), the
   graph leaves the step out for that candle: its state stays as it is, its outputs are NaN. So
   chains warm up by themselves, and one unknown value can't poison an average for ever.
2. An output is NaN until the step is ready, and from then on known whenever its inputs are.
3. Only + - * /, square root and comparisons; each division is guarded; no min, max, sum, **.
4. No NumPy inside, no import of the compiler: the code cache hands compiled steps in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log
from typing import Any

RESIDUAL = 1e-9
"""A value is settled when what came before its history weighs less than this."""

PERIOD_MAX = 100_000
"""Longest period in candles; rings of this length still fit the state block easily."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of an operator that the user chooses. low, high: allowed, both included."""

    name: str
    low: int
    high: int = PERIOD_MAX


@dataclass(frozen=True, slots=True)
class Operator:
    """An indicator as data: equal operator, inputs and parameters are one node in a graph.

    Each callable takes the parameters in their order.
    constants: numbers that the step gets; an int stays an int in the compiled code.
    state: initial state; an int stays an int.
    ring: cells of window memory; 0: the step takes no ring.
    warmup: for each output, how many known inputs until it is known.
    memory: how many candles before the newest one still weigh RESIDUAL or more in an output
    (exact for windows).
    takes_unknown: rule 1 does not hold: the step is called at every candle, NaN or not.
    """

    name: str
    step: Callable[..., Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    constants: Callable[..., tuple[float, ...]]
    state: Callable[..., tuple[float, ...]]
    warmup: Callable[..., tuple[int, ...]]
    memory: Callable[..., int]
    ring: Callable[..., int] = lambda *_: 0
    takes_unknown: bool = False

    def refuse(self, values: tuple[Any, ...]) -> None:
        """Raise ValueError when a parameter is not a whole number inside its bounds."""
        if len(values) != len(self.parameters):
            names = ", ".join(p.name for p in self.parameters)
            raise ValueError(f"{self.name} takes {len(self.parameters)} parameters ({names}), got {len(values)}")
        for parameter, value in zip(self.parameters, values, strict=True):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not parameter.low <= value <= parameter.high:
                raise ValueError(
                    f"{self.name}: {parameter.name} is {value!r}; "
                    f"allowed: a whole number from {parameter.low} to {parameter.high}"
                )


def residual_candles(keep: float) -> int:
    """Return after how many steps a value that keeps the share `keep` weighs less than RESIDUAL.

    keep: 0 <= keep < 1, e.g. 1 - alpha of an exponential average.
    """
    return 1 if keep <= 0.0 else ceil(log(RESIDUAL) / log(keep))
