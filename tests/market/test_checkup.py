from pathlib import Path

import numpy as np
import polars as pl
import pytest

from regatta.market.checkup import check
from regatta.market.store import CandleStore, Series
from tests.market.markets import MINUTE, START, candles, frame

SERIES = Series("candles", "test", "1m", "AAA/USDT:USDT")


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path)


def put(store: CandleStore, rows: pl.DataFrame, month: str = "2025-05") -> None:
    path = store.path(SERIES, month)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path)


def found(store: CandleStore) -> list[tuple[str, int, int]]:
    return [(f.what, f.at_ms, f.rows) for f in check(store)]


def test_sound_data_gives_no_finding(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=50_000)))
    assert check(store) == []


def test_a_gap_is_found_with_its_place_and_size(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=10, without=[3, 4])))
    (gap,) = check(store)
    assert (gap.what, gap.at_ms, gap.rows, gap.is_fault) == ("gap", START + 3 * MINUTE, 2, True)
    assert gap.detail == "2 candles missing after the one of 2025-05-01 00:02 UTC"


def test_a_gap_between_two_months_is_found(store: CandleStore) -> None:
    month = 31 * 24 * 60
    store.write(SERIES, frame(candles(n=month + 5, without=range(month - 2, month + 2))))
    assert found(store) == [("gap", START + (month - 2) * MINUTE, 4)]


def test_each_kind_of_bad_row_is_found(store: CandleStore) -> None:
    rows = frame(candles(n=20))
    spoil = {
        "not_a_number": rows.with_columns(high=pl.Series([float("nan")] + [103.0] * 19)),
        "not_positive": rows.with_columns(volume=pl.Series([-1.0] + [1.0] * 19)),
        "impossible": rows.with_columns(high=pl.Series([1.0] + [103.0] * 19)),
        "off_grid": rows.with_columns(ts=pl.Series([START + 1, *rows["ts"].to_list()[1:]])),
        "duplicate": pl.concat([rows[:1], rows]),
        "order": rows[[1, 0, *range(2, 20)]],
        "month": rows.with_columns(ts=pl.Series([START - MINUTE, *rows["ts"].to_list()[1:]])),
    }
    for what, spoiled in spoil.items():
        put(store, spoiled)
        assert what in {f.what for f in check(store)}, what
        assert all(f.is_fault for f in check(store)), what


def test_a_corrupt_file_is_a_finding_and_the_others_are_still_checked(store: CandleStore) -> None:
    store.write(SERIES, frame(candles(n=31 * 24 * 60 + 5, without=[7])))
    store.path(SERIES, "2025-06").write_bytes(b"rubbish")
    kinds = [(f.what, Path(f.file).name) for f in check(store)]
    assert kinds == [("gap", "2025-05.parquet"), ("corrupt", "2025-06.parquet")]


def test_a_price_that_leaps_and_comes_back_is_an_outlier_but_no_fault(store: CandleStore) -> None:
    rows = frame(candles(n=100))
    leap = np.where(np.arange(100) == 50, 2.0, 1.0)
    store.write(SERIES, rows.with_columns(pl.col("high") * leap, pl.col("close") * leap))
    notes = check(store)
    assert [(f.what, f.is_fault) for f in notes] == [("outlier", False)] * 2
    assert notes[0].at_ms == START + 50 * MINUTE


def test_what_changed_while_nothing_was_recorded_is_no_outlier(store: CandleStore) -> None:
    early, late = candles(n=10), candles(n=10, start_ms=START + 100 * MINUTE, price=300.0)
    store.write(SERIES, pl.concat([frame(early), frame(late)]))
    assert [f.what for f in check(store)] == ["gap"]


def test_funding_that_stops_for_more_than_a_day_is_a_gap(store: CandleStore) -> None:
    hours = [0, 8, 16, 24, 72, 80]
    rows = pl.DataFrame({"ts": [START + h * 3_600_000 for h in hours], "funding_rate": [0.0001] * 5 + [0.5]})
    store.write(Series("funding", "test", "", "AAA/USDT:USDT"), rows)
    assert [f.what for f in check(store)] == ["rate", "gap"]


def test_the_only_gaps_of_the_recorded_data_are_the_known_ones(store: CandleStore, shared_data: Path) -> None:
    for name in ("BTCUSDT_2021-03_04", "BTCUSDT_2022-06_07"):
        rows = pl.read_parquet(shared_data / f"candles_1m/binance_spot/{name}.parquet")
        store.write(Series("candles", "binance", "1m", "BTC/USDT"), rows)
    known = [("2021-04-20 01:59 UTC", 150), ("2021-04-25 04:00 UTC", 284), ("2021-04-30 03:33 UTC", 591_806)]
    assert [(f.what, f.rows, f.detail[-20:]) for f in check(store)] == [("gap", n, at) for at, n in known]
