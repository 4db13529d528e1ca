"""The candle store: Parquet files by month, with funding and mark prices beside.

    candles/<venue>/<timeframe>/<SYMBOL>/<YYYY-MM>.parquet    ts, open, high, low, close, volume
    mark/<venue>/<timeframe>/<SYMBOL>/<YYYY-MM>.parquet       the same, volume 0
    funding/<venue>/<SYMBOL>/<YYYY-MM>.parquet                ts, funding_rate

1. `ts` is int64, UTC milliseconds: the open of a candle, the settlement of a funding rate.
2. In a file `ts` is strictly increasing and lies in the file's month. Writing merges by `ts`:
   the same row twice is one row; two different rows for one time are refused unless the
   caller says `replace`.
3. All conflicts are found before the first file is written; each file is replaced as a whole.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from regatta.domain.errors import BadInput
from regatta.domain.instrument import path_symbol, unified_symbol
from regatta.domain.timeframe import timeframe_ms
from regatta.market.candles import Candles, Floats, Ints
from regatta.market.files import alone, read_columns, read_many, write_whole
from regatta.market.times import month_of, month_start_ms, next_month, utc_text

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["candles", "funding", "mark"]
KINDS: tuple[Kind, ...] = ("candles", "funding", "mark")

CANDLE_COLUMNS = {
    "ts": "Int64",
    "open": "Float64",
    "high": "Float64",
    "low": "Float64",
    "close": "Float64",
    "volume": "Float64",
}
FUNDING_COLUMNS = {"ts": "Int64", "funding_rate": "Float64"}


class Series(msgspec.Struct, frozen=True, order=True):
    """One series of the store. timeframe: "" for funding."""

    kind: Kind
    venue: str
    timeframe: str
    symbol: str

    @property
    def columns(self) -> dict[str, str]:
        """Columns of its files with their types."""
        return FUNDING_COLUMNS if self.kind == "funding" else CANDLE_COLUMNS

    def __str__(self) -> str:
        return " ".join(part for part in (self.venue, self.symbol, self.timeframe, self.kind) if part)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a series. first_ms, last_ms: first and last `ts`; size in bytes.

    missing: candles absent between first and last (0 for funding).
    """

    series: Series
    rows: int
    first_ms: int
    last_ms: int
    missing: int
    files: int
    size_bytes: int


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a write changed: rows that are new, that replaced others, that were there already."""

    added: int
    replaced: int
    same: int


class CandleStore:
    """Candles, funding rates and mark prices under one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    # --- reading -------------------------------------------------------------------------

    def read(
        self,
        venue: str,
        symbol: str,
        timeframe: str,
        from_ms: int = 0,
        to_ms: int = 1 << 62,
        kind: Literal["candles", "mark"] = "candles",
    ) -> Candles:
        """Return the candles that open in [from_ms, to_ms), empty when none are stored.

        symbol: unified. Raises BadInput for a corrupt file and for rows that no market makes
        (not finite, not in order), naming the file and the row.
        """
        timeframe_ms(timeframe)
        series = Series(kind, venue, timeframe, symbol)
        frame = self._frame(series, from_ms, to_ms)
        if frame is None:
            return Candles.empty(symbol, timeframe)
        columns = [frame[name].to_numpy() for name in CANDLE_COLUMNS]
        return Candles(symbol, timeframe, *columns)

    def last(self, venue: str, symbol: str, timeframe: str, before_ms: int, n: int) -> Candles:
        """Return the last n candles that had closed by before_ms (fewer when fewer are stored)."""
        step = timeframe_ms(timeframe)
        series = Series("candles", venue, timeframe, symbol)
        before_ms = before_ms - step + 1  # opened early enough to have closed
        months = [m for m in self._months(series) if month_start_ms(m) < before_ms]
        rows, first = 0, None
        while months and rows < n:
            first = months.pop()
            rows = len(self.read(venue, symbol, timeframe, month_start_ms(first), before_ms))
        if first is None:
            return Candles.empty(symbol, timeframe)
        found = self.read(venue, symbol, timeframe, month_start_ms(first), before_ms)
        return found.part(max(0, len(found) - n), len(found))

    def funding(self, venue: str, symbol: str, from_ms: int = 0, to_ms: int = 1 << 62) -> tuple[Ints, Floats]:
        """Return settlement times in [from_ms, to_ms) and rates (fraction; positive: longs pay)."""
        frame = self._frame(Series("funding", venue, "", symbol), from_ms, to_ms)
        if frame is None:
            return np.empty(0, np.int64), np.empty(0)
        return frame["ts"].to_numpy(), frame["funding_rate"].to_numpy()

    def span(self, venue: str, symbol: str, timeframe: str) -> tuple[int, int] | None:
        """Return the opens of the first and the last stored candle; None when none is stored."""
        series = Series("candles", venue, timeframe, symbol)
        months = self._months(series)
        if not months:
            return None
        first = self._load(series, months[0])["ts"]
        last = first if len(months) == 1 else self._load(series, months[-1])["ts"]
        return int(first[0]), int(last[-1])

    def _frame(self, series: Series, from_ms: int, to_ms: int) -> "pl.DataFrame | None":
        import polars as pl

        months = [
            month
            for month in self._months(series)
            if month_start_ms(month) < to_ms and month_start_ms(next_month(month)) > from_ms
        ]
        if not months:
            return None
        start_ms, end_ms = month_start_ms(months[0]), month_start_ms(next_month(months[-1]))
        frame = read_many([self.path(series, month) for month in months], series.columns)
        if frame is None or not _is_sound(frame, start_ms, end_ms):
            # Something is wrong: go file by file, to name it.
            frame = pl.concat([self._load(series, month) for month in months], rechunk=True)
        if start_ms < from_ms or end_ms > to_ms:
            start, stop = np.searchsorted(frame["ts"].to_numpy(), [from_ms, to_ms])
            frame = frame.slice(int(start), int(stop) - int(start))
        return frame if frame.height else None

    def _load(self, series: Series, month: str) -> "pl.DataFrame":
        """Return a month as stored; raise BadInput unless it holds what invariant 2 says."""
        path = self.path(series, month)
        frame = read_columns(path, series.columns)
        fault = _first_fault(frame, series, month)
        if fault:
            raise BadInput(f"{path}: {fault}; `regatta data check` lists all of it")
        return frame

    # --- writing -------------------------------------------------------------------------

    def write(self, series: Series, frame: "pl.DataFrame", *, replace: bool = False) -> Written:
        """Merge rows into a series; frame: the columns of `series.columns`, `ts` increasing.

        Raises BadInput, and changes nothing, when a stored row differs from a new one of the
        same time and `replace` is not set; EnvironmentFault when the disk refuses.
        """
        unified_symbol(series.symbol)
        total = {"added": 0, "replaced": 0, "same": 0}
        merged: list[tuple[str, pl.DataFrame]] = []
        with alone(self._folder(series)):
            for month, part in _by_month(frame.select(list(series.columns))):
                whole, counts = self._merge(series, month, part, replace)
                for name, count in counts.items():
                    total[name] += count
                if counts["added"] or counts["replaced"]:
                    merged.append((month, whole))
            for month, whole in merged:
                write_whole(self.path(series, month), whole)
        return Written(**total)

    def _merge(
        self, series: Series, month: str, part: "pl.DataFrame", replace: bool
    ) -> tuple["pl.DataFrame", dict[str, int]]:
        import polars as pl

        if not self.path(series, month).exists():
            return part, {"added": part.height, "replaced": 0, "same": 0}
        stored = self._load(series, month)
        both = part.join(stored, on="ts", how="inner", suffix="_stored")
        values = [name for name in series.columns if name != "ts"]
        differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_stored") for name in values)
        conflicts = both.filter(differs).sort("ts")
        if conflicts.height and not replace:
            raise BadInput(_conflict(series, conflicts.row(0, named=True), values, conflicts.height))
        added = part.height - both.height
        counts = {"added": added, "replaced": conflicts.height, "same": both.height - conflicts.height}
        if not added and not conflicts.height:
            return stored, counts
        whole = pl.concat([stored, part]).unique("ts", keep="last", maintain_order=True).sort("ts")
        return whole, counts

    # --- looking around ------------------------------------------------------------------

    def path(self, series: Series, month: str) -> Path:
        """Return where a month of a series lies, whether it exists or not."""
        return self._folder(series) / f"{month}.parquet"

    def _folder(self, series: Series) -> Path:
        parts = [series.kind, series.venue, series.timeframe, path_symbol(series.symbol)]
        return self.data_dir.joinpath(*(part for part in parts if part))

    def _months(self, series: Series) -> list[str]:
        return months_in(self._folder(series))

    def series(self) -> Iterator[Series]:
        """Yield every stored series, sorted."""
        for kind in sorted(KINDS):
            depth = "*/*" if kind == "funding" else "*/*/*"
            for folder in sorted((self.data_dir / kind).glob(depth)):
                if months_in(folder):
                    *above, name = folder.relative_to(self.data_dir / kind).parts
                    yield Series(kind, above[0], above[1] if len(above) > 1 else "", unified_symbol(name))

    def list(self) -> list[Summary]:
        """Return what is stored; raise BadInput for files that cannot be read."""
        return [self.summary(series) for series in self.series()]

    def summary(self, series: Series) -> Summary:
        """Return what is stored of one series that exists."""
        months = self._months(series)
        paths = [self.path(series, month) for month in months]
        times = np.concatenate([read_columns(path, {"ts": "Int64"})["ts"].to_numpy() for path in paths])
        missing = 0
        if series.timeframe and len(times):
            expected = (int(times[-1]) - int(times[0])) // timeframe_ms(series.timeframe) + 1
            missing = max(0, expected - len(times))
        return Summary(
            series=series,
            rows=len(times),
            first_ms=int(times[0]) if len(times) else 0,
            last_ms=int(times[-1]) if len(times) else 0,
            missing=missing,
            files=len(paths),
            size_bytes=sum(path.stat().st_size for path in paths),
        )


def months_in(folder: Path) -> list[str]:
    """Return the months that have a file in the folder, sorted."""
    return sorted(path.stem for path in folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].parquet"))


def _by_month(frame: "pl.DataFrame") -> Iterator[tuple[str, "pl.DataFrame"]]:
    """Split rows, sorted by ts, at the starts of months."""
    times = frame["ts"].to_numpy()
    start = 0
    while start < len(times):
        month = month_of(int(times[start]))
        stop = int(np.searchsorted(times, month_start_ms(next_month(month))))
        yield month, frame.slice(start, stop - start)
        start = stop


def _is_sound(frame: "pl.DataFrame", start_ms: int, end_ms: int) -> bool:
    """Whether times increase within [start_ms, end_ms) and all values are numbers: checked on every read."""
    import polars as pl

    if frame["ts"].null_count() or not frame.height:
        return False
    times = frame["ts"].to_numpy()
    if times[0] < start_ms or times[-1] >= end_ms or not (np.diff(times) > 0).all():
        return False
    values = frame.select(pl.exclude("ts"))
    finite = values.select(pl.all_horizontal(pl.all().is_finite().all() & (pl.all().null_count() == 0)))
    return bool(finite.item())


def _first_fault(frame: "pl.DataFrame", series: Series, month: str) -> str:
    """Return what breaks invariant 2 first ("" when nothing does), with its row."""
    times = frame["ts"]
    if times.null_count():
        return "column 'ts': a value is missing"
    stamps = times.to_numpy()
    if not len(stamps):
        return "no rows"
    late = np.flatnonzero(np.diff(stamps) <= 0)
    if len(late):
        return f"row {late[0] + 2}: {utc_text(int(stamps[late[0] + 1]))} does not come after the row before it"
    if stamps[0] < month_start_ms(month) or stamps[-1] >= month_start_ms(next_month(month)):
        return f"rows outside of {month}"
    for name in series.columns:
        if name != "ts":
            column = frame[name]
            values = column.to_numpy()
            if column.null_count() or not np.isfinite(values).all():
                row = int(np.flatnonzero(~np.isfinite(values))[0])
                return f"row {row + 1} ({utc_text(int(stamps[row]))}): {name} is not a number"
    return ""


def _conflict(series: Series, row: dict[str, float], values: list[str], count: int) -> str:
    name = next(name for name in values if row[name] != row[f"{name}_stored"])
    more = f" ({count} rows differ)" if count > 1 else ""
    return (
        f"{series} of {utc_text(int(row['ts']))}: {name} is {row[name]!r} in the new data but "
        f"{row[name + '_stored']!r} in the store{more}; nothing was changed. Say --replace to overwrite"
    )
