"""Users' own strategies: one Python file each, with the same rights as a built-in one."""

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from regatta.domain.errors import BadInput
from regatta.graph import Market, build
from regatta.strategies import Strategy, StrategyParameters, builtin

EXAMPLE = "copy regatta/strategies/ema_rsi.py for a start"


def named(name: str) -> Strategy:
    """Return the strategy that settings name: a built-in one, or a file by its path."""
    known = builtin()
    if name in known:
        return known[name]
    if not name.endswith(".py"):
        raise BadInput(f"there is no strategy {name!r}; built in: {', '.join(known)}; or the path of a .py file")
    return load(Path(name))


def load(path: Path) -> Strategy:
    """Return the strategy of a file, after building its rules once with its defaults.

    The file is run: it may do all that Python may. Raises BadInput that names file and line
    where it can't be read, fails, or lacks what a strategy needs.
    """
    path = path.absolute()
    module = _run(path)
    strategy = getattr(module, "STRATEGY", None)
    if strategy is None:
        raise BadInput(f"{path}: STRATEGY is missing; needed: STRATEGY = Strategy(name=..., ...); {EXAMPLE}")
    if not isinstance(strategy, Strategy):
        raise BadInput(f"{path}: STRATEGY is {type(strategy).__name__}; needed: regatta.strategies.Strategy; {EXAMPLE}")
    _check(path, strategy)
    return strategy


def load_folder(folder: Path) -> dict[str, Strategy]:
    """Return the strategies of a folder's *.py files by name; files that begin with _ are left out.

    Raises BadInput as `load`, and when two have one name or one has a built-in strategy's.
    """
    found: dict[str, tuple[Path, Strategy]] = {}
    for path in sorted(folder.glob("[!_]*.py")):
        strategy = load(path)
        if strategy.name in builtin():
            raise BadInput(f"{path}: the name {strategy.name!r} is a built-in strategy's; choose another")
        if strategy.name in found:
            raise BadInput(f"{path}: the name {strategy.name!r} is taken by {found[strategy.name][0]}; choose another")
        found[strategy.name] = path, strategy
    return {name: strategy for name, (_, strategy) in found.items()}


def _run(path: Path) -> Any:
    """Run the file as a module of its own. Its name stays the same from one start to the next."""
    name = f"regatta_strategy_{path.stem}_{sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadInput(f"{path}: not a Python file; a strategy is one .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic and the compiler look a class's or function's module up
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        if error.filename != str(path):
            raise BadInput(_where(path, error)) from error
        raise BadInput(f"{path}: there is no such file") from None
    except SyntaxError as error:
        raise BadInput(f"{error.filename or path}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        raise BadInput(_where(path, error)) from error
    return module


def _check(path: Path, strategy: Strategy) -> None:
    """Raise BadInput when a part of the strategy is missing or its rules can't be built."""
    for field in ("name", "title", "description"):
        value = getattr(strategy, field)
        if not isinstance(value, str) or not value.strip():
            raise BadInput(f"{path}: STRATEGY.{field} is {value!r}; needed: some text")
    if not strategy.name.isidentifier():
        raise BadInput(f"{path}: STRATEGY.name is {strategy.name!r}; allowed: letters, digits and _, no digit first")
    if not (isinstance(strategy.Parameters, type) and issubclass(strategy.Parameters, StrategyParameters)):
        raise BadInput(f"{path}: STRATEGY.Parameters is {strategy.Parameters!r}; needed: a class of StrategyParameters")
    if not callable(strategy.rules):
        raise BadInput(f"{path}: STRATEGY.rules is {strategy.rules!r}; needed: a function rules(market, parameters)")
    if not isinstance(strategy.defaults, Mapping):
        raise BadInput(f"{path}: STRATEGY.defaults is {strategy.defaults!r}; needed: a mapping of settings")
    try:
        build(strategy.rules(Market(), strategy.Parameters()))
    except Exception as error:
        raise BadInput(_where(path, error)) from error


def _where(path: Path, error: Exception) -> str:
    """Return the error in words, with the last line of the user's file that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if frame.filename == str(path)]
    place = f"{path}, line {own[-1]}" if own else str(path)
    return f"{place}: {type(error).__name__}: {error}"
