import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.market.candles import Candles
from regatta.market.store import CandleStore, Series
from tests.market.markets import MINUTE, START, candles, frame

SERIES = Series("candles", "test", "1m", "AAA/USDT:USDT")
MONTH = 31 * 24 * 60


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path)


def read(store: CandleStore, from_ms: int = 0, to_ms: int = 1 << 62) -> Candles:
    return store.read("test", "AAA/USDT:USDT", "1m", from_ms, to_ms)


def test_what_was_written_is_read_back_bit_for_bit(store: CandleStore) -> None:
    part = candles(n=100)
    written = store.write(SERIES, frame(part))
    assert (written.added, written.same, written.replaced) == (100, 0, 0)
    back = read(store)
    assert frame(back).equals(frame(part))
    assert back.open.dtype == np.float64
    assert back.open_ms.dtype == np.int64


def test_files_lie_by_venue_timeframe_symbol_and_month(store: CandleStore, tmp_path: Path) -> None:
    store.write(SERIES, frame(candles(n=MONTH + 10)))
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.parquet"))
    assert names == [f"candles/test/1m/AAA-USDT-USDT/2025-{month}.parquet" for month in ("05", "06")]
    assert len(read(store)) == MONTH + 10


def test_a_stretch_may_cross_the_end_of_a_month(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=MONTH + 10)))
    part = read(store, START + (MONTH - 2) * MINUTE, START + (MONTH + 3) * MINUTE)
    assert part.open_ms.tolist() == [START + (MONTH + i) * MINUTE for i in (-2, -1, 0, 1, 2)]


def test_what_is_not_stored_reads_as_nothing(store: CandleStore) -> None:
    assert len(read(store)) == 0
    store.write(SERIES, frame(candles(n=5)))
    assert len(read(store, 0, START)) == 0
    assert store.span("test", "BBB/USDT", "1m") is None
    assert store.span("test", "AAA/USDT:USDT", "1m") == (START, START + 4 * MINUTE)


def test_the_same_rows_twice_are_one(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=10)))
    again = store.write(SERIES, frame(candles(n=12)))
    assert (again.added, again.same, again.replaced) == (2, 10, 0)
    assert len(read(store)) == 12


def test_a_row_that_contradicts_the_store_is_refused_and_named(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=10)))
    other = frame(candles(n=20)).with_columns(
        close=pl.when(pl.col("ts") == START + 3 * MINUTE).then(100.45).otherwise(pl.col("close"))
    )
    with pytest.raises(BadInput) as refused:
        store.write(SERIES, other)
    message = str(refused.value)
    assert "2025-05-01 00:03 UTC" in message
    assert "close is 100.45 in the new data but 100.4 in the store" in message
    assert "--replace" in message
    assert frame(read(store)).equals(frame(candles(n=10)))


def test_a_contradiction_in_a_later_month_leaves_the_earlier_months_untouched(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=10, start_ms=START + MONTH * MINUTE)))
    clash = frame(candles(n=MONTH + 1))
    with pytest.raises(BadInput):
        store.write(SERIES, clash)
    assert len(read(store)) == 10


def test_replace_overwrites_what_differs_and_keeps_the_rest(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=10)))
    other = frame(candles(n=3, price=200.0))
    written = store.write(SERIES, other, replace=True)
    assert (written.added, written.same, written.replaced) == (0, 0, 3)
    back = read(store)
    assert back.open.tolist()[:4] == [200.0, 200.1, 200.2, 100.3]
    assert len(back) == 10


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(st.lists(st.integers(0, 60), min_size=1, unique=True), min_size=1, max_size=5))
def test_the_order_of_imports_does_not_matter(parts: list[list[int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rows of two months, in pieces that overlap."""
    whole = frame(candles(n=61, start_ms=START + (MONTH - 30) * MINUTE))
    store = CandleStore(tmp_path_factory.mktemp("store"))
    for rows in parts:
        store.write(SERIES, whole[sorted(rows)])
    expected = whole[sorted({row for rows in parts for row in rows})]
    assert frame(read(store)).equals(expected)


def test_the_last_candles_before_a_time_are_those_that_had_closed(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=MONTH + 10)))
    before_ms = START + (MONTH + 2) * MINUTE
    last = store.last("test", "AAA/USDT:USDT", "1m", before_ms, 5)
    assert last.close_ms.tolist() == [before_ms - i * MINUTE for i in (4, 3, 2, 1, 0)]
    assert store.last("test", "AAA/USDT:USDT", "1m", before_ms + MINUTE - 1, 1).close_ms.tolist() == [before_ms]
    assert len(store.last("test", "AAA/USDT:USDT", "1m", START, 5)) == 0
    assert len(store.last("test", "AAA/USDT:USDT", "1m", before_ms, 10**6)) == MONTH + 2


def test_funding_lies_beside_the_candles(store: CandleStore, tmp_path: Path) -> None:
    rows = pl.DataFrame({"ts": [START, START + 8 * 3_600_000 + 7], "funding_rate": [0.0001, -0.00025]})
    store.write(Series("funding", "test", "", "AAA/USDT:USDT"), rows)
    times, rates = store.funding("test", "AAA/USDT:USDT", START + 1)
    assert (times.tolist(), rates.tolist()) == ([START + 8 * 3_600_000 + 7], [-0.00025])
    assert (tmp_path / "funding/test/AAA-USDT-USDT/2025-05.parquet").exists()


def test_the_list_tells_rows_times_and_missing_candles(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=10, without=[4, 5])))
    (summary,) = store.list()
    assert summary.series == SERIES
    assert (summary.rows, summary.missing, summary.files) == (8, 2, 1)
    assert (summary.first_ms, summary.last_ms) == (START, START + 9 * MINUTE)


@pytest.mark.parametrize("content", [b"PAR1 this is no Parquet file PAR1", b"", b"ts,open\n1,2\n"])
def test_a_corrupt_file_is_named_with_the_cause(store: CandleStore, content: bytes) -> None:
    store.write(SERIES, frame(candles(n=10)))
    path = store.path(SERIES, "2025-05")
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"2025-05\.parquet: not a readable Parquet file \(.+\)"):
        read(store)


def test_half_a_file_is_corrupt(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=1000)))
    path = store.path(SERIES, "2025-05")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match=r"2025-05\.parquet: not a readable Parquet file"):
        read(store)


def test_a_file_without_a_column_names_the_column(store: CandleStore) -> None:
    path = store.path(SERIES, "2025-05")
    path.parent.mkdir(parents=True)
    frame(candles(n=5)).drop("high").write_parquet(path)
    with pytest.raises(BadInput, match=r"2025-05\.parquet: column 'high' is missing; found: ts, open"):
        read(store)


def test_rows_out_of_order_or_not_numbers_are_named_by_file_and_row(store: CandleStore) -> None:
    path = store.path(SERIES, "2025-05")
    path.parent.mkdir(parents=True)
    frame(candles(n=5))[[0, 2, 1, 3]].write_parquet(path)
    with pytest.raises(BadInput, match=r"2025-05\.parquet: row 3: 2025-05-01 00:01 UTC does not come after"):
        read(store)
    spoiled = frame(candles(n=5)).with_columns(low=pl.Series([1.0, 2.0, float("nan"), 1.0, 1.0]))
    spoiled.write_parquet(path)
    with pytest.raises(BadInput, match=r"row 3 \(2025-05-01 00:02 UTC\): low is not a number"):
        read(store)
    frame(candles(n=5)).with_columns(open=pl.Series([1.0, None, 1.0, 1.0, 1.0])).write_parquet(path)
    with pytest.raises(BadInput, match=r"row 2 \(2025-05-01 00:01 UTC\): open is not a number"):
        read(store)


def test_a_month_under_the_wrong_name_is_refused(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=5)))
    path = store.path(SERIES, "2025-05")
    path.rename(store.path(SERIES, "2025-07"))
    with pytest.raises(BadInput, match=r"2025-07\.parquet: rows outside of 2025-07"):
        read(store)


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size: what a full disk looks like."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_the_old_data_intact_and_no_rubbish(store: CandleStore, tmp_path: Path) -> None:
    store.write(SERIES, frame(candles(n=10)))
    with largest_file(2000), pytest.raises(EnvironmentFault, match=r"cannot write .*2025-05\.parquet: File too large"):
        store.write(SERIES, frame(candles(n=5000)))
    assert frame(read(store)).equals(frame(candles(n=10)))
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [".lock", "2025-05.parquet"]
    store.write(SERIES, frame(candles(n=5000)))
    assert len(read(store)) == 5000


def test_a_folder_that_cannot_be_made_is_the_machines_fault(store: CandleStore, tmp_path: Path) -> None:
    (tmp_path / "candles").write_text("a file where a folder should be")
    with pytest.raises(EnvironmentFault, match="cannot write into"):
        store.write(SERIES, frame(candles(n=10)))


def test_a_symbol_without_a_form_cannot_be_written(store: CandleStore) -> None:
    with pytest.raises(BadInput, match="AAAUSDT"):
        store.write(Series("candles", "test", "1m", "AAAUSDT"), frame(candles(n=1)))


def test_an_unknown_timeframe_is_refused(store: CandleStore) -> None:
    with pytest.raises(BadInput, match="timeframe '7m' is not known; allowed: 1m, 3m"):
        store.read("test", "AAA/USDT:USDT", "7m")
