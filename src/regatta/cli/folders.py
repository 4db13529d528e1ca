"""Where things lie when the user does not say so."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path,
    typer.Option("--data-dir", metavar="DIR", envvar="REGATTA_DATA_DIR", help="Folder of all that Regatta stores."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]

DEFAULT_DATA_DIR = Path("data")
DEFAULT_CONFIG_DIR = Path("config")


def share_dir() -> Path:
    """Return the folder for data of programs of this user: $XDG_DATA_HOME/regatta."""
    return _home("XDG_DATA_HOME", ".local/share")


def state_dir() -> Path:
    """Return the folder for logs of programs of this user: $XDG_STATE_HOME/regatta."""
    return _home("XDG_STATE_HOME", ".local/state")


def data_dir_of(arguments: Sequence[str]) -> Path | None:
    """Return the data directory that a command line names, if it does."""
    for i, argument in enumerate(arguments):
        if argument == "--data-dir" and i + 1 < len(arguments):
            return Path(arguments[i + 1])
        if argument.startswith("--data-dir="):
            return Path(argument.removeprefix("--data-dir="))
    named = os.environ.get("REGATTA_DATA_DIR")
    return Path(named) if named else None


def _home(variable: str, beneath: str) -> Path:
    named = os.environ.get(variable)
    if named and Path(named).is_absolute():
        return Path(named) / "regatta"
    try:
        return Path.home() / beneath / "regatta"
    except RuntimeError:  # a user without a home
        return Path.cwd() / ".regatta"
