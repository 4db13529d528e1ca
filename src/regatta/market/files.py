"""Parquet files of the store: written whole or not at all, read with what is wrong named."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from regatta.domain.errors import BadInput, EnvironmentFault

if TYPE_CHECKING:
    import polars as pl


def write_whole(path: Path, frame: "pl.DataFrame") -> None:
    """Put the frame at `path` as Parquet: after a crash either the old or the new file is there.

    Raises EnvironmentFault when the machine does not let us; the old file is then untouched.
    """
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temp.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        temp.replace(path)
        _sync_folder(path.parent)
    except OSError as fault:
        raise EnvironmentFault(f"cannot write {path}: {reason(fault)}; what was stored before is intact") from fault
    finally:
        with suppress(OSError):
            temp.unlink(missing_ok=True)


def read_columns(path: Path, columns: dict[str, str]) -> "pl.DataFrame":
    """Return the named columns of a Parquet file; columns: name -> "Int64" or "Float64".

    Raises BadInput naming the file and what is wrong with it; EnvironmentFault when it cannot
    be opened at all.
    """
    import polars as pl

    try:
        data = path.read_bytes()
    except OSError as fault:
        raise EnvironmentFault(f"cannot read {path}: {reason(fault)}") from fault
    try:
        frame = pl.read_parquet(data)
    except (pl.exceptions.PolarsError, OSError) as fault:
        cause = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        raise BadInput(
            f"{path}: not a readable Parquet file ({cause}); move it away and import or download the data again"
        ) from fault
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise BadInput(f"{path}: column {missing[0]!r} is missing; found: {', '.join(frame.columns)}")
    for name, kind in columns.items():
        if str(frame.schema[name]) != kind:
            raise BadInput(f"{path}: column {name!r} is {frame.schema[name]}, must be {kind}")
    return frame.select(list(columns))


def read_many(paths: list[Path], columns: dict[str, str]) -> "pl.DataFrame | None":
    """Return the files one below the other, read at once; None when any of them is not as it should be."""
    import polars as pl

    try:
        frame = pl.read_parquet(paths, columns=list(columns), glob=False).rechunk()
    except (pl.exceptions.PolarsError, OSError):
        return None
    return frame if all(str(frame.schema[name]) == kind for name, kind in columns.items()) else None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder for writing: a second writer waits. Nothing is held where the OS has no flock."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as fault:
        raise EnvironmentFault(f"cannot write into {folder}: {reason(fault)}") from fault
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def reason(fault: OSError) -> str:
    """Return the system's words for what went wrong."""
    return fault.strerror or str(fault)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable (POSIX; elsewhere opening a folder is refused)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
