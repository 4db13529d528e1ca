"""Import of files into the store: Parquet, and Binance's public CSV archives, plain or zipped.

Every file is read whole, checked whole, and written only when it is sound. What is refused is
named with file, line (CSV, counted from 1 with the header) or row (Parquet), and field.
"""

import csv
import zipfile
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.domain.timeframe import TIMEFRAMES_MS, timeframe_ms
from regatta.market.candles import Floats, Ints
from regatta.market.files import reason
from regatta.market.store import CANDLE_COLUMNS, CandleStore, Kind, Series, Written
from regatta.market.times import EARLIEST_MS, LATEST_MS, utc_text

if TYPE_CHECKING:
    import polars as pl

TIME_NAMES = ("ts", "timestamp", "open_time", "open_ms", "opentime", "calc_time", "funding_time", "time", "date")
NAMES: dict[str, tuple[str, ...]] = {
    "ts": TIME_NAMES,
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v", "base_volume"),
    "funding_rate": ("funding_rate", "last_funding_rate", "fundingrate", "rate"),
}
"""What the columns of other people's files are called, without regard to case, spaces, underscores."""

KLINE = ("open_time", "open", "high", "low", "close", "volume", "close_time")
"""First columns of Binance's kline archives, which come with and without a header."""

LARGEST_CSV_BYTES = 2 << 30


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did. rows: in the file; missing: candles absent between first and last."""

    file: str
    series: Series
    rows: int
    first_ms: int
    last_ms: int
    missing: int
    written: Written


class _Table(msgspec.Struct):
    """A file's rows as read. first_line: line of the first row in a CSV, 0 for Parquet."""

    name: str
    frame: "pl.DataFrame"
    first_line: int

    def place(self, row: int) -> str:
        """Return where a row (from 0) stands, for messages."""
        if self.first_line:
            return f"{self.name}, line {row + self.first_line}"
        return f"{self.name}, row {row + 1}"


def import_file(
    store: CandleStore,
    file: Path,
    *,
    venue: str,
    symbol: str,
    timeframe: str = "",
    kind: Kind = "candles",
    replace: bool = False,
) -> Imported:
    """Merge one file into the store.

    symbol: unified; timeframe: of candles and mark prices, not used for funding. Raises
    BadInput when anything in the file is not what it should be, or contradicts the store
    without `replace`; nothing is changed then.
    """
    if kind != "funding":
        timeframe_ms(timeframe)
    series = Series(kind, venue, "" if kind == "funding" else timeframe, symbol)
    table = read_table(file, kind)
    frame = sound(table, series)
    written = store.write(series, frame, replace=replace)
    times = frame["ts"]
    first, last = int(times[0]), int(times[-1])
    missing = 0 if kind == "funding" else (last - first) // timeframe_ms(timeframe) + 1 - frame.height
    return Imported(
        file=str(file), series=series, rows=frame.height, first_ms=first, last_ms=last, missing=missing, written=written
    )


# --- reading files -----------------------------------------------------------------------


def read_table(file: Path, kind: Kind) -> _Table:
    """Return the rows of a Parquet, CSV or ZIP file by our column names, values as they stand."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise BadInput(f"{file}: is a folder; give one Parquet, CSV or ZIP file") from None
    except OSError as fault:
        raise EnvironmentFault(f"cannot read {file}: {reason(fault)}") from fault
    if not data:
        raise BadInput(f"{file}: the file is empty")
    if data[:4] == b"PAR1" or file.suffix.lower() in (".parquet", ".pq"):
        return _parquet(str(file), data, kind)
    if data[:4] == b"PK\x03\x04" or file.suffix.lower() == ".zip":
        return _zip(str(file), data, kind)
    return _csv(str(file), data, kind)


def _wanted(kind: Kind) -> tuple[str, ...]:
    if kind == "funding":
        return ("ts", "funding_rate")
    return tuple(CANDLE_COLUMNS) if kind == "candles" else tuple(CANDLE_COLUMNS)[:-1]


def _parquet(name: str, data: bytes, kind: Kind) -> _Table:
    import polars as pl

    try:
        frame = pl.read_parquet(BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as fault:
        cause = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        raise BadInput(f"{name}: not a readable Parquet file ({cause})") from fault
    return _Table(name, _renamed(name, frame, kind), 0)


def _zip(name: str, data: bytes, kind: Kind) -> _Table:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            inside = [entry for entry in archive.infolist() if not entry.is_dir()]
            tables = [entry for entry in inside if entry.filename.lower().endswith(".csv")]
            if len(tables) != 1:
                listed = ", ".join(entry.filename for entry in inside[:5]) or "nothing"
                raise BadInput(f"{name}: must hold exactly one CSV file, holds {listed}")
            if tables[0].file_size > LARGEST_CSV_BYTES:
                raise BadInput(f"{name}: {tables[0].filename} unpacks to more than 2 GiB")
            text = archive.read(tables[0])
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as fault:
        raise BadInput(f"{name}: not a readable ZIP file ({fault})") from fault
    return _csv(f"{name}:{tables[0].filename}", text, kind)


def _csv(name: str, data: bytes, kind: Kind) -> _Table:
    import polars as pl

    try:
        data.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise BadInput(f"{name}, line {line}: not a text file in UTF-8") from None
    head = data.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode().strip()
    fields = [field.strip().strip('"') for field in head.split(",")]
    has_header = not _is_number(fields[0])
    if has_header:
        columns = fields
    elif kind != "funding" and len(fields) >= len(KLINE):
        columns = [*KLINE, *(f"column_{i}" for i in range(len(KLINE), len(fields)))]
    else:
        raise BadInput(
            f"{name}, line 1: no header, and {len(fields)} columns where Binance's klines have 12; "
            f"give a header with {', '.join(_wanted(kind))}"
        )
    try:
        frame = pl.read_csv(
            BytesIO(data), has_header=has_header, new_columns=columns, infer_schema=False, raise_if_empty=False
        )
    except pl.exceptions.PolarsError as fault:
        raise BadInput(
            _broken_line(name, data, len(columns)) or f"{name}: not a readable CSV file ({fault})"
        ) from fault
    if frame.null_count().sum_horizontal().sum():
        broken = _broken_line(name, data, len(columns))
        if broken:
            raise BadInput(broken)
    return _Table(name, _renamed(name, frame, kind), 2 if has_header else 1)


def _broken_line(name: str, data: bytes, width: int) -> str:
    """Return what is wrong with the first line that has not `width` fields, "" when all have."""
    for row in (reader := csv.reader(StringIO(data.decode("utf-8-sig")))):
        if row and len(row) != width:
            return f"{name}, line {reader.line_num}: {len(row)} fields, the lines before have {width}"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _renamed(name: str, frame: "pl.DataFrame", kind: Kind) -> "pl.DataFrame":
    """Return the wanted columns under our names, and the close time where there is one."""
    plain = {column.strip().lower().replace(" ", "_"): column for column in frame.columns}
    chosen: dict[str, str] = {}
    for ours in _wanted(kind):
        theirs = next((plain[known] for known in NAMES[ours] if known in plain), None)
        if theirs is None:
            allowed = ", ".join(NAMES[ours])
            raise BadInput(
                f"{name}: no column {ours!r} (it may be called {allowed}); found: {', '.join(frame.columns) or 'none'}"
            )
        chosen[ours] = theirs
    if kind != "funding" and "close_time" in plain:
        chosen["close_time"] = plain["close_time"]
    return frame.select(**chosen)


# --- checking rows -----------------------------------------------------------------------


def sound(table: _Table, series: Series) -> "pl.DataFrame":
    """Return the rows in the store's types; raise BadInput for the first thing that is wrong."""
    import polars as pl

    if not table.frame.height:
        raise BadInput(f"{table.name}: no rows")
    times = _times(table, "ts")
    late = np.flatnonzero(np.diff(times) <= 0)
    if len(late):
        row = int(late[0]) + 1
        how = "the same time as" if times[row] == times[row - 1] else "earlier than"
        raise BadInput(f"{table.place(row)}, field ts: {utc_text(int(times[row]))} is {how} the row before")
    values = {name: _numbers(table, name) for name in series.columns if name in table.frame.columns and name != "ts"}
    if series.kind == "funding":
        _refuse(table, np.abs(values["funding_rate"]) > 1, "funding_rate", "a fraction such as 0.0001 is expected")
    else:
        _check_spacing(table, series.timeframe, times)
        _check_prices(table, values)
    if series.kind == "mark":
        values["volume"] = np.zeros(len(times))
    return pl.DataFrame({"ts": times, **{name: values[name] for name in series.columns if name != "ts"}})


def _times(table: _Table, name: str) -> Ints:
    """Return a column of times in milliseconds; Binance's spot archives have µs since 2025."""
    import polars as pl

    column = table.frame[name]
    if isinstance(column.dtype, pl.Datetime):
        stamps = column.dt.epoch("ms")
    elif column.dtype == pl.Date:
        stamps = column.cast(pl.Datetime("ms")).dt.epoch("ms")
    else:
        stamps = column.str.strip_chars().cast(pl.Int64, strict=False) if column.dtype == pl.String else column
        if not stamps.dtype.is_numeric():
            raise BadInput(f"{table.name}, field {name}: {column.dtype} is no time; allowed: ms or µs since 1970, UTC")
        stamps = stamps.cast(pl.Int64, strict=False)
    if stamps.null_count():
        row = int(stamps.is_null().arg_max() or 0)
        raise BadInput(
            f"{table.place(row)}, field {name}: {column[row]!r} is no time; allowed: ms or µs since 1970, UTC"
        )
    times: Ints = stamps.to_numpy().astype(np.int64)
    if (times >= 1_000 * EARLIEST_MS).all():
        times = times // 1_000
    wrong = np.flatnonzero((times < EARLIEST_MS) | (times > LATEST_MS))
    if len(wrong):
        row = int(wrong[0])
        raise BadInput(
            f"{table.place(row)}, field {name}: {column[row]!r} is no time in ms (or, in the whole file, µs) since 1970"
        )
    return times


def _numbers(table: _Table, name: str) -> Floats:
    import polars as pl

    column = table.frame[name]
    text = column.str.strip_chars() if column.dtype == pl.String else column
    if not (text.dtype.is_numeric() or text.dtype == pl.String):
        raise BadInput(f"{table.name}, field {name}: {column.dtype} is no number")
    values = text.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        row = int(wrong[0])
        what = "is empty" if column[row] is None else f"{column[row]!r} is not a number"
        raise BadInput(f"{table.place(row)}, field {name}: {what}")
    return values


def _check_spacing(table: _Table, timeframe: str, times: Ints) -> None:
    """Refuse candles of another timeframe than the one that was said."""
    step = timeframe_ms(timeframe)
    lengths = np.diff(times)
    if "close_time" in table.frame.columns:
        # Binance closes a candle 1 ms (or 1 µs) before the next one opens.
        lengths = -(-(_times(table, "close_time") + 1 - times) // 1000) * 1000
    if len(lengths):
        kinds, counts = np.unique(lengths, return_counts=True)
        usual = int(kinds[counts.argmax()])
        if usual != step:
            name = next((name for name, ms in TIMEFRAMES_MS.items() if ms == usual), f"{usual / 1000:g} s")
            raise BadInput(f"{table.name}: its candles are {name} apart, but timeframe {timeframe} was given")
    off = np.flatnonzero(times % step)
    if len(off):
        row = int(off[0])
        raise BadInput(
            f"{table.place(row)}, field ts: {utc_text(int(times[row]))} is not the open of a {timeframe} candle"
        )


def _check_prices(table: _Table, values: dict[str, Floats]) -> None:
    for name in ("open", "high", "low", "close"):
        _refuse(table, values[name] <= 0, name, "a price above 0 is expected")
    if "volume" in values:
        _refuse(table, values["volume"] < 0, "volume", "0 or more is expected")
    top = np.maximum(values["open"], values["close"])
    bottom = np.minimum(values["open"], values["close"])
    _refuse(table, values["high"] < top, "high", "it is below the open or the close")
    _refuse(table, values["low"] > bottom, "low", "it is above the open or the close")


def _refuse(table: _Table, wrong: Any, name: str, why: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        row = int(rows[0])
        more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        raise BadInput(f"{table.place(row)}, field {name}: {table.frame[name][row]}: {why}{more}")
