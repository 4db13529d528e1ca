"""What the user sees when a command fails: a line that says what and where, never a traceback."""

import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer

from regatta.cli.folders import data_dir_of, state_dir
from regatta.domain.errors import RegattaError


def say_refused(fault: RegattaError, *, as_json: bool) -> None:
    """Tell an error that was foreseen: one line each fault, or one JSON document on stdout."""
    lines = str(fault).splitlines() or [type(fault).__name__]
    if as_json:
        document = {"error": lines[0] if len(lines) == 1 else str(fault), "exit_code": fault.exit_code}
        faults = [
            {"where": one.where, "field": one.field, "problem": one.problem} for one in getattr(fault, "faults", ())
        ]
        typer.echo(json.dumps({**document, "faults": faults} if faults else document))
        return
    for line in lines:
        typer.echo(f"error: {line}", err=True)


def say_unforeseen(fault: BaseException, arguments: Sequence[str], *, as_json: bool) -> None:
    """Tell that something unforeseen happened, and where the traceback is."""
    from regatta.cli.logging import redacted

    kept = _keep("".join(traceback.format_exception(fault)), arguments)
    where = f"; details are in {kept}" if kept else ""
    line = redacted(f"unforeseen {type(fault).__name__}: {fault}".splitlines()[0])
    if as_json:
        typer.echo(json.dumps({"error": line + where, "exit_code": 1}))
    typer.echo(f"error: {line}{where}", err=True)


def _keep(text: str, arguments: Sequence[str]) -> Path | None:
    """Append the traceback to the log folder; None when nothing can be written anywhere."""
    from datetime import UTC, datetime

    from regatta import __version__
    from regatta.cli.logging import redacted

    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    chosen = data_dir_of(arguments)
    for folder in (chosen / "logs" if chosen and chosen.is_dir() else None, state_dir()):
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "errors.log").open("a", encoding="utf-8") as file:
                file.write(redacted(f"{stamp} regatta {__version__} on Python {sys.version.split()[0]}\n{text}\n"))
        except OSError:
            continue
        return folder / "errors.log"
    return None
