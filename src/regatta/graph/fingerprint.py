"""A hash of what a function does, following the functions it calls."""

from collections.abc import Callable
from hashlib import sha256
from types import CodeType, FunctionType
from typing import Any


def fingerprint(function: Callable[..., Any]) -> str:
    """Return a hash of the function's byte code, constants and defaults, and of all it refers to.

    Changes whenever the function or one it calls changes, wherever it stands; stays the same for
    comments, names of files and line numbers. Differs between versions of Python.
    """
    lines: list[str] = []
    _describe(function, lines, set())
    return sha256("\n".join(lines).encode()).hexdigest()


def _describe(function: Any, lines: list[str], seen: set[int]) -> None:
    if id(function) in seen:
        return
    seen.add(id(function))
    lines.append(f"function {function.__qualname__} {function.__defaults__!r}")
    for code in _codes(function.__code__, lines):
        for name in code.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, FunctionType):
                _describe(value, lines, seen)
            elif isinstance(value, int | float | str | tuple):
                lines.append(f"{name} = {value!r}")
    for cell in function.__closure__ or ():
        content = cell.cell_contents
        if isinstance(content, FunctionType):
            _describe(content, lines, seen)
        else:
            lines.append(f"cell {content!r}")


def _codes(code: CodeType, lines: list[str]) -> list[CodeType]:
    """Describe a code object and those nested in it; return all of them."""
    constants = [c for c in code.co_consts if not isinstance(c, CodeType)]
    lines.append(f"{code.co_name} {code.co_code.hex()} {code.co_names} {code.co_varnames} {constants!r}")
    found = [code]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _codes(constant, lines)
    return found
