import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from regatta.domain.errors import BadInput
from regatta.market.importer import Imported, import_file
from regatta.market.store import CandleStore, Kind
from tests.market.markets import MINUTE, START, candles, frame

HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path / "data")


def load(store: CandleStore, file: Path, timeframe: str = "1m", kind: Kind = "candles") -> Imported:
    return import_file(store, file, venue="test", symbol="AAA/USDT:USDT", timeframe=timeframe, kind=kind)


def klines(n: int = 5, *, unit: int = 1, step_ms: int = MINUTE, start_ms: int = START) -> str:
    """Return Binance's klines without a header; unit 1000: times in µs."""
    lines = []
    for row in candles(n=n).rows():
        open_ms = start_ms + (row.open_ms - START) // MINUTE * step_ms
        close_time = (open_ms + step_ms) * unit - 1
        prices = ",".join(f"{x:.8f}" for x in (row.open, row.high, row.low, row.close, row.volume))
        lines.append(f"{open_ms * unit},{prices},{close_time},1234.5,99,0.5,617.2,0\n")
    return "".join(lines)


def file_of(tmp_path: Path, text: str | bytes, name: str = "AAAUSDT-1m-2025-05.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def stored(store: CandleStore) -> list[tuple[int, float, float]]:
    back = store.read("test", "AAA/USDT:USDT", "1m")
    return [(c.open_ms, round(c.open, 8), c.volume) for c in back.rows()]


EXPECTED = [(START + i * MINUTE, 100 + i / 10, i + 1.0) for i in range(5)]

# --- what is accepted ---------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", HEADER], ids=["spot: no header", "futures: header"])
@pytest.mark.parametrize("unit", [1, 1000], ids=["ms", "µs"])
def test_archives_are_read_with_and_without_header_in_ms_and_us(
    store: CandleStore, tmp_path: Path, header: str, unit: int
) -> None:
    done = load(store, file_of(tmp_path, header + klines(unit=unit)))
    assert (done.rows, done.first_ms, done.last_ms, done.missing) == (5, START, START + 4 * MINUTE, 0)
    assert stored(store) == EXPECTED


def test_a_zipped_archive_is_read_like_its_csv(store: CandleStore, tmp_path: Path) -> None:
    path = tmp_path / "AAAUSDT-1m-2025-05.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("AAAUSDT-1m-2025-05.csv", klines())
    load(store, path)
    assert stored(store) == EXPECTED


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(store: CandleStore, tmp_path: Path) -> None:
    load(store, file_of(tmp_path, b"\xef\xbb\xbf" + (HEADER + klines()).replace("\n", "\r\n").encode()))
    assert stored(store) == EXPECTED


def test_parquet_is_read_under_the_common_column_names(store: CandleStore, tmp_path: Path) -> None:
    names = {"ts": "Open time", "open": "Open", "high": "HIGH", "low": "l", "close": "c", "volume": "vol"}
    frame(candles(n=5)).rename(names).write_parquet(tmp_path / "a.parquet")
    load(store, tmp_path / "a.parquet")
    assert stored(store) == EXPECTED


def test_parquet_with_dates_instead_of_numbers_is_read(store: CandleStore, tmp_path: Path) -> None:
    rows = frame(candles(n=5))
    dates = [datetime.fromtimestamp(ts / 1000, UTC) for ts in rows["ts"]]
    rows.with_columns(date=pl.Series(dates)).drop("ts").write_parquet(tmp_path / "a.parquet")
    load(store, tmp_path / "a.parquet")
    assert stored(store) == EXPECTED


def test_funding_archives_are_read(store: CandleStore, tmp_path: Path) -> None:
    text = f"calc_time,funding_interval_hours,last_funding_rate\n{START},8,0.0001\n{START + 28_800_009},8,-0.00002\n"
    done = load(store, file_of(tmp_path, text), kind="funding", timeframe="")
    assert (done.rows, done.missing) == (2, 0)
    times, rates = store.funding("test", "AAA/USDT:USDT")
    assert (times.tolist(), rates.tolist()) == ([START, START + 28_800_009], [0.0001, -0.00002])


def test_mark_prices_need_no_volume(store: CandleStore, tmp_path: Path) -> None:
    frame(candles(n=5)).drop("volume").write_parquet(tmp_path / "a.parquet")
    load(store, tmp_path / "a.parquet", kind="mark")
    marks = store.read("test", "AAA/USDT:USDT", "1m", kind="mark")
    assert (len(marks), marks.volume.sum()) == (5, 0.0)
    assert len(store.read("test", "AAA/USDT:USDT", "1m")) == 0


def test_gaps_are_imported_and_counted(store: CandleStore, tmp_path: Path) -> None:
    rows = frame(candles(n=50, without=[3, 4, 5]))
    rows.write_parquet(tmp_path / "a.parquet")
    assert load(store, tmp_path / "a.parquet").missing == 3


def test_importing_twice_changes_nothing(store: CandleStore, tmp_path: Path) -> None:
    path = file_of(tmp_path, klines())
    load(store, path)
    assert load(store, path).written.same == 5


# --- what is refused ----------------------------------------------------------------------


def refusal(store: CandleStore, file: Path, timeframe: str = "1m", kind: Kind = "candles") -> str:
    with pytest.raises(BadInput) as refused:
        load(store, file, timeframe, kind)
    assert list(store.series()) == []
    message = str(refused.value)
    assert file.name in message
    assert "\n" not in message
    return message


LINES = klines().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LINES[0] + LINES[1].replace("100.10000000", "abc") + LINES[2], "line 2, field open: 'abc' is not a number"),
        (HEADER + LINES[0] + LINES[1].replace("100.10000000", ""), "line 3, field open: is empty"),
        (LINES[0] + LINES[1].replace(",100.20000000", ",nan") + LINES[2], "line 2, field close: 'nan' is not a number"),
        (LINES[0] + LINES[2] + LINES[1], "line 3, field ts: 2025-05-01 00:01 UTC is earlier than the row before"),
        (LINES[0] + LINES[0], "line 2, field ts: 2025-05-01 00:00 UTC is the same time as the row before"),
        (LINES[0] + "1,2,3\n" + LINES[1], "line 2: 3 fields, the lines before have 12"),
        (LINES[0] + LINES[1].replace(str(START + MINUTE), "soon", 1), "line 2, field ts: 'soon' is no time"),
        (LINES[0].replace(str(START), str(START // 1000), 1), f"line 1, field ts: '{START // 1000}' is no time in ms"),
        (LINES[0].replace("100.00000000", "-1", 1), "line 1, field open: -1: a price above 0 is expected"),
        (LINES[0].replace("100.30000000", "99", 1), "line 1, field high: 99: it is below the open or the close"),
        (LINES[0].replace("99.80000000", "105", 1), "line 1, field low: 105: it is above the open or the close"),
        (LINES[0].replace("1.00000000", "-2", 1), "line 1, field"),
        ("ts,open,high,low,close\n1,2,3,4,5\n", "no column 'volume' (it may be called volume, vol, v"),
        ("1746057600000,1,2,3\n", "line 1: no header, and 4 columns where Binance's klines have 12"),
        (HEADER, "no rows"),
        ("", "the file is empty"),
    ],
)
def test_a_bad_csv_is_refused_with_line_and_field(store: CandleStore, tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(store, file_of(tmp_path, text))


def test_a_bad_parquet_is_refused_with_row_and_field(store: CandleStore, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = frame(candles(n=5))
    rows.with_columns(close=pl.Series([100.1, 100.2, None, 100.4, 100.5])).write_parquet(path)
    assert "a.parquet, row 3, field close: is empty" in refusal(store, path)
    rows.rename({"open": "first"}).write_parquet(path)
    assert "no column 'open' (it may be called open, o); found: ts, first, high" in refusal(store, path)
    rows.with_columns(open=pl.lit("much")).write_parquet(path)
    assert "row 1, field open: 'much' is not a number" in refusal(store, path)
    path.write_bytes(b"PAR1" + b"x" * 100)
    assert "not a readable Parquet file" in refusal(store, path)


def test_a_wrong_timeframe_is_refused_whichever_way(store: CandleStore, tmp_path: Path) -> None:
    five = file_of(tmp_path, klines(step_ms=5 * MINUTE))
    assert "its candles are 5m apart, but timeframe 1m was given" in refusal(store, five)
    one = file_of(tmp_path, klines(n=20), "b.csv")
    assert "its candles are 1m apart, but timeframe 5m was given" in refusal(store, one, timeframe="5m")
    single = file_of(tmp_path, klines(n=1, step_ms=5 * MINUTE), "c.csv")
    assert "its candles are 5m apart" in refusal(store, single)
    frame(candles(n=20)).write_parquet(tmp_path / "d.parquet")
    assert "1m apart" in refusal(store, tmp_path / "d.parquet", timeframe="1h")
    with pytest.raises(BadInput, match="timeframe '2m' is not known; allowed: 1m"):
        load(store, one, timeframe="2m")


def test_candles_that_open_off_the_grid_are_refused(store: CandleStore, tmp_path: Path) -> None:
    path = file_of(tmp_path, klines(start_ms=START + 1000))
    assert "line 1, field ts: 2025-05-01 00:00:01 UTC is not the open of a 1m candle" in refusal(store, path)


def test_a_funding_rate_in_percent_is_refused(store: CandleStore, tmp_path: Path) -> None:
    path = file_of(tmp_path, f"calc_time,last_funding_rate\n{START},1.5\n")
    assert "field funding_rate: 1.5: a fraction such as 0.0001 is expected" in refusal(store, path, kind="funding")


def test_a_broken_or_strange_zip_is_refused(store: CandleStore, tmp_path: Path) -> None:
    path = file_of(tmp_path, b"PK\x03\x04rubbish", "a.zip")
    assert "not a readable ZIP file" in refusal(store, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "must hold exactly one CSV file, holds readme.txt" in refusal(store, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", klines())
        archive.writestr("b.csv", klines())
    assert "must hold exactly one CSV file, holds a.csv, b.csv" in refusal(store, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", LINES[0] + "oh\n")
    assert "a.zip:a.csv, line 2: 1 fields" in refusal(store, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", klines())
    whole = bytearray(path.read_bytes())
    whole[60] ^= 0xFF
    path.write_bytes(whole)
    assert "not a readable ZIP file (Bad CRC" in refusal(store, path)


def test_binary_rubbish_is_refused(store: CandleStore, tmp_path: Path) -> None:
    path = file_of(tmp_path, b"open_time,open\n\xff\xfe\x00")
    assert "line 2: not a text file in UTF-8" in refusal(store, path)


def test_a_missing_file_and_a_folder_are_refused(store: CandleStore, tmp_path: Path) -> None:
    assert "there is no such file" in refusal(store, tmp_path / "absent.csv")
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refusal(store, tmp_path / "folder")


# --- recorded data ------------------------------------------------------------------------


def test_recorded_files_come_through_unchanged(store: CandleStore, shared_data: Path) -> None:
    for folder, timeframe in (("candles_1m", "1m"), ("candles_5m", "5m")):
        path = shared_data / folder / "binance_usdm" / next(iter(sorted(_names(shared_data / folder / "binance_usdm"))))
        rows = pl.read_parquet(path)
        done = load(store, path, timeframe)
        assert (done.rows, done.missing) == (rows.height, 0)
        back = store.read("test", "AAA/USDT:USDT", timeframe)
        assert frame(back).equals(rows.select(frame(back).columns))


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.parquet")]
