"""The passes for the machine: the same functions, compiled once for all strategies."""

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, NamedTuple

from regatta.research import equity, kernel

Jit = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What compiles a function: the code cache's, handed in with its options and its folder."""


INLINED = {"forceinline": True, "_nrt": False}
"""How the functions of the passes are compiled: into their callers, and without reference counts
of the arrays that they are lent. Both together halve the time of an event."""


class Kernel(NamedTuple):
    """The three passes of a backtest, plain or compiled: the same results to the bit."""

    trade_pass: Callable[..., None]
    finish: Callable[..., None]
    equity_pass: Callable[..., None]


PLAIN = Kernel(kernel.trade_pass, kernel.finish, equity.equity_pass)
"""The reference: plain Python over NumPy arrays, a thousand times slower."""


def compile_kernel(jit: Jit) -> Kernel:
    """Return the passes compiled by `jit`, each when it is first called.

    The functions that they call, the risk and matching rules among them, are made known to the
    compiler as they stand, so that no rule exists twice; the compiler inlines them.
    """
    from numba.extending import register_jitable

    for one in PLAIN:
        for function in called_by(one):
            if function not in _known:
                _known.add(function)
                register_jitable(**INLINED)(function)
    return Kernel(*(jit(one) for one in PLAIN))


def called_by(function: Callable[..., Any]) -> Iterator[FunctionType]:
    """Yield every plain function that `function` names, and those that these name in turn."""
    assert isinstance(function, FunctionType)
    seen = {function}
    waiting = [function]
    while waiting:
        one = waiting.pop()
        for name in one.__code__.co_names:
            named = one.__globals__.get(name)
            if isinstance(named, FunctionType) and named not in seen:
                seen.add(named)
                waiting.append(named)
                yield named


_known: set[Callable[..., Any]] = set()
