"""What a function does: a hash of it, following the functions it calls."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from types import CodeType, FunctionType
from typing import Any


def fingerprint(function: Callable[..., Any]) -> str:
    """Return a hash of the function's byte code, constants and defaults, and of all it refers to.

    Changes whenever the function or one it calls changes, wherever it stands; stays the same for
    comments, names of files and line numbers. Differs between versions of Python.
    """
    described = [_described(one) for one in (function, *called_by(function))]
    return sha256("\n".join(described).encode()).hexdigest()


def called_by(function: Callable[..., Any]) -> Iterator[FunctionType]:
    """Yield each plain function that `function` names, and those that these name in turn, once."""
    waiting: list[Any] = [function]
    seen = {function}
    while waiting:
        for value in _named(waiting.pop()).values():
            if isinstance(value, FunctionType) and value not in seen:
                seen.add(value)
                waiting.append(value)
                yield value


def _named(function: Any) -> dict[str, Any]:
    """Return the globals and the closure's values that a function names, by name."""
    names = [name for code in _codes(function.__code__) for name in code.co_names]
    found = {name: function.__globals__[name] for name in names if name in function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return found | {name: cell.cell_contents for name, cell in cells}


def _described(function: Any) -> str:
    lines = [f"{function.__qualname__} {function.__defaults__!r}"]
    for code in _codes(function.__code__):
        constants = [c for c in code.co_consts if not isinstance(c, CodeType)]
        lines.append(f"{code.co_name} {code.co_code.hex()} {code.co_names} {code.co_varnames} {constants!r}")
    for name, value in _named(function).items():
        if isinstance(value, int | float | str | tuple):
            lines.append(f"{name} = {value!r}")
    return "\n".join(lines)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and those nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
