"""`regatta doctor`: is this machine fit to run on, and if not, how to mend it."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

from regatta.cli.folders import DEFAULT_DATA_DIR, AsJson, DataDir
from regatta.domain.errors import EnvironmentFault, RegattaError

State = Literal["ok", "warning", "broken"]

DISK_WARNING_MB = 1_000
DISK_BROKEN_MB = 100
EARLIEST_MS = 1_767_225_600_000
"""2026-01-01: a clock that says less is wrong."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01: so is one that says more."""


class Finding(NamedTuple):
    """What one look found. mend: what to do, empty when nothing needs doing."""

    what: str
    state: State
    found: str
    mend: str = ""


def doctor(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="DIR", help="Also check the settings in this folder.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port that the dashboard would use.")] = 8000,
    as_json: AsJson = False,
) -> None:
    """Look at Python, disk, data, journal, clock, port and caches; exit code 3 when something is broken."""
    findings = list(examine(data_dir, config, port))
    broken = sum(finding.state == "broken" for finding in findings)
    if as_json:
        document = {"ok": not broken, "broken": broken, "findings": [one._asdict() for one in findings]}
        typer.echo(json.dumps(document))
    else:
        for one in findings:
            typer.echo(f"{_MARKS[one.state]} {one.what}: {one.found}")
            if one.mend:
                typer.echo(f"     {one.mend}")
        typer.echo("everything is fit" if not broken else f"{broken} broken")
    if broken:
        raise typer.Exit(EnvironmentFault.exit_code)


_MARKS = {"ok": "  ok", "warning": "warn", "broken": "FAIL"}


def examine(data_dir: Path, config: Path | None, port: int) -> Iterator[Finding]:
    """Yield what each look finds. A look that fails by itself is a finding too."""
    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", _python),
        ("data directory", lambda: _data_dir(data_dir)),
        ("disk", lambda: _disk(data_dir)),
        ("journal", lambda: _journal(data_dir)),
        ("clock", lambda: _clock(data_dir)),
        ("port", lambda: _port(port)),
        ("compiled code", _code_cache),
        ("dashboard", _dashboard),
    ]
    if config is not None:
        looks.append(("settings", lambda: _settings(config)))
    for what, look in looks:
        try:
            yield look()
        except RegattaError as fault:
            yield Finding(what, "broken", str(fault))
        except OSError as fault:
            yield Finding(what, "broken", f"{fault.filename or ''} {fault.strerror or fault}".strip())


def _python() -> Finding:
    import sqlite3

    version = sys.version.split()[0]
    if sys.version_info < (3, 11):  # noqa: UP036 - the reader may run anything
        return Finding("Python", "broken", version, "install Python 3.11 or newer")
    return Finding("Python", "ok", f"{version}, SQLite {sqlite3.sqlite_version}")


def _data_dir(data_dir: Path) -> Finding:
    what = "data directory"
    if not data_dir.exists():
        above = _nearest(data_dir)
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            return Finding(what, "broken", f"{data_dir} can't be made", f"allow writing to {above}, or use --data-dir")
        return Finding(what, "ok", f"{data_dir} will be made")
    if not data_dir.is_dir():
        return Finding(what, "broken", f"{data_dir} is a file", "move it away, or use --data-dir")
    fault = _cannot_write(data_dir)
    if fault:
        return Finding(what, "broken", f"{data_dir}: {fault}", f"allow writing to {data_dir}, or use --data-dir")
    return Finding(what, "ok", str(data_dir))


def _disk(data_dir: Path) -> Finding:
    at = _nearest(data_dir)
    free_mb = shutil.disk_usage(at).free // 1_000_000
    found = f"{free_mb:,} MB free at {at}"
    if free_mb < DISK_BROKEN_MB:
        return Finding("disk", "broken", found, f"free some space: at least {DISK_BROKEN_MB} MB are needed")
    if free_mb < DISK_WARNING_MB:
        return Finding("disk", "warning", found, f"less than {DISK_WARNING_MB:,} MB: free some space soon")
    return Finding("disk", "ok", found)


def _journal(data_dir: Path) -> Finding:
    from regatta.cli.journal import journal_path
    from regatta.journal import Journal

    path = journal_path(data_dir)
    if not path.exists():
        return Finding("journal", "ok", f"{path} will be made")
    try:
        journal = Journal.open_now(path)
    except EnvironmentFault as fault:
        if "in use" in str(fault):
            return Finding("journal", "ok", str(fault).split(";")[0])
        return Finding("journal", "broken", str(fault), "restore the data directory from a backup")
    try:
        return Finding("journal", "ok", f"{path}: {journal.verify():,} records, chain unbroken")
    except EnvironmentFault as fault:
        return Finding("journal", "broken", str(fault), "restore the data directory from a backup")
    finally:
        journal.close_now()


def _clock(data_dir: Path) -> Finding:
    from datetime import UTC, datetime

    from regatta.cli.journal import journal_path
    from regatta.engine.clock import RealClock

    now_ms = RealClock().now_ms()
    said = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if not EARLIEST_MS <= now_ms < LATEST_MS:
        return Finding("clock", "broken", said, "set the clock, e.g. timedatectl set-ntp true")
    path = journal_path(data_dir)
    if path.exists() and path.stat().st_mtime * 1000 > now_ms + 60_000:
        return Finding(
            "clock", "warning", f"{said}, but {path} was written later", "set the clock, e.g. timedatectl set-ntp true"
        )
    return Finding("clock", "ok", said)


def _port(port: int) -> Finding:
    from regatta.cli.ports import bound

    try:
        bound("127.0.0.1", port).close()
    except EnvironmentFault as fault:
        return Finding("port", "warning", str(fault).split(";")[0], "stop what uses it, or use --port")
    return Finding("port", "ok", f"{port} is free")


def _code_cache() -> Finding:
    from regatta.engine.code_cache import default_directory

    folder = default_directory()
    at = folder if folder.exists() else _nearest(folder)
    fault = _cannot_write(at)
    if fault:
        return Finding(
            "compiled code",
            "warning",
            f"{folder}: {fault}",
            "allow writing, or set REGATTA_CACHE_DIR; without it everything is compiled anew at each start",
        )
    return Finding("compiled code", "ok", str(folder))


def _dashboard() -> Finding:
    import regatta

    folder = Path(regatta.__file__).parent / "webui"
    if not (folder / "index.html").is_file():
        return Finding("dashboard", "warning", "is not built", "run `python3 run.py setup` in the checkout")
    return Finding("dashboard", "ok", str(folder))


def _settings(config: Path) -> Finding:
    from regatta.cli.catalogue import Installed
    from regatta.settings.load import load_settings

    settings = load_settings(config, environ=os.environ, catalogue=Installed(config))
    return Finding("settings", "ok", f"{config}: {', '.join(bot.name for bot in settings.bots)}")


def _nearest(path: Path) -> Path:
    """Return the nearest folder above that exists."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _cannot_write(folder: Path) -> str:
    """Try it: permissions, read-only mounts and quotas all show in no other way."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except OSError as fault:
        return fault.strerror or str(fault)
    return ""
