"""The kernel for the machine: the same functions, compiled once for all strategies."""

from collections.abc import Callable
from typing import Any, NamedTuple

from regatta.research import kernel

Jit = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What compiles a function: `engine.code_cache` hands it in, with its options and its folder."""


class Kernel(NamedTuple):
    """The trade pass and its end (`kernel.trade_pass`, `kernel.finish`), and the marks of a report."""

    trade_pass: Callable[..., Any]
    finish: Callable[..., Any]
    equity_pass: Callable[..., Any]


PLAIN = Kernel(kernel.trade_pass, kernel.finish, kernel.equity_pass)
"""The reference: plain Python over NumPy arrays. Same results to the bit, a thousand times slower."""


def compile_kernel(jit: Jit) -> Kernel:
    """Return the kernel compiled by `jit`.

    What the passes call is made known to the compiler as it stands, so that no rule exists
    twice, and is inlined from there.
    """
    from numba.extending import register_jitable

    for function in kernel.COMPILED_WITH_THE_PASS:
        register_jitable(function)
    return Kernel(jit(kernel.trade_pass), jit(kernel.finish), jit(kernel.equity_pass))
