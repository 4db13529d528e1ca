"""The check of the store: gaps, duplicates, and rows that no market makes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from regatta.domain.errors import BadInput
from regatta.domain.timeframe import DAY_MS, timeframe_ms
from regatta.market.candles import Floats, Ints
from regatta.market.files import read_columns
from regatta.market.store import CandleStore, Series, months_in
from regatta.market.times import month_start_ms, next_month, utc_text

if TYPE_CHECKING:
    import polars as pl

OUTLIER_RETURN = 0.10
OUTLIER_MEDIANS = 25.0
"""A move is an outlier when it is larger than 10 % and than 25 times the median move."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of fault at one place of a series.

    what: gap, duplicate, order, off_grid, month, not_a_number, not_positive, impossible, rate,
    corrupt, outlier. at_ms: when (0: unknown); rows: how many rows or missing candles. Outliers
    are notes: markets do move; everything else is a fault.
    """

    series: Series
    what: str
    at_ms: int
    rows: int
    file: str
    detail: str

    @property
    def is_fault(self) -> bool:
        """False for what may well be real."""
        return self.what != "outlier"


def check(store: CandleStore) -> list[Finding]:
    """Return everything that is wrong or odd in the store, series by series."""
    return [finding for series in store.series() for finding in check_series(store, series)]


def check_series(store: CandleStore, series: Series) -> list[Finding]:
    """Return everything that is wrong or odd in one series, file by file."""
    found: list[Finding] = []
    before: Floats | None = None
    for month in months_in(store.path(series, "x").parent):
        path = store.path(series, month)
        try:
            frame = read_columns(path, series.columns)
        except BadInput as fault:
            found.append(_finding(series, path, "corrupt", month_start_ms(month), 0, str(fault)))
            continue
        before = _check_month(series, path, month, frame, before, found)
    return found


def _check_month(
    series: Series, path: Path, month: str, frame: "pl.DataFrame", before: Floats | None, found: list[Finding]
) -> Floats | None:
    """Note what is wrong in a month; return its last good row (ts and the values), for the next one."""
    kept = frame.drop_nulls()
    if kept.height < frame.height:
        lost = frame.height - kept.height
        found.append(_finding(series, path, "not_a_number", month_start_ms(month), lost, "empty values"))
    values = kept.to_numpy().astype(np.float64) if kept.height else np.empty((0, len(series.columns)))
    times = kept["ts"].to_numpy()
    finite = np.isfinite(values).all(axis=1)
    _note(series, path, "not_a_number", times, ~finite, "values that are not numbers", found)
    outside = (times < month_start_ms(month)) | (times >= month_start_ms(next_month(month)))
    _note(series, path, "month", times, outside, f"rows that do not belong to {month}", found)
    values, times = values[finite & ~outside], times[finite & ~outside]
    apart = np.diff(times)
    _note(series, path, "order", times[1:], apart < 0, "rows out of order", found)
    _note(series, path, "duplicate", times[1:], apart == 0, "second rows for the same time", found)
    if series.kind == "funding":
        too_high = np.abs(values[:, 1]) > 0.1
        _note(series, path, "rate", times, too_high, "rates beyond 10 % per settlement", found)
        _funding_gaps(series, path, times, before, found)
    else:
        _candle_rows(series, path, times, values, found)
        _candle_gaps(series, path, times, before, found)
        _outliers(series, path, times, values, before, found)
    return values[-1] if len(values) else before


def _candle_rows(series: Series, path: Path, times: Ints, values: Floats, found: list[Finding]) -> None:
    step = timeframe_ms(series.timeframe)
    _note(
        series, path, "off_grid", times, times % step != 0, f"opens that are no multiples of {series.timeframe}", found
    )
    open_, high, low, close, volume = (values[:, i] for i in range(1, 6))
    not_positive = (values[:, 1:5] <= 0).any(axis=1) | (volume < 0)
    _note(series, path, "not_positive", times, not_positive, "prices <= 0 or volumes < 0", found)
    impossible = (high < np.maximum(open_, close)) | (low > np.minimum(open_, close)) | (high < low)
    _note(series, path, "impossible", times, impossible, "high or low does not contain the other prices", found)


def _candle_gaps(series: Series, path: Path, times: Ints, before: Floats | None, found: list[Finding]) -> None:
    step = timeframe_ms(series.timeframe)
    stamps = times if before is None else np.concatenate([[int(before[0])], times])
    apart = np.diff(stamps)
    for i in np.flatnonzero(apart > step).tolist():
        missing = int(-(-apart[i] // step)) - 1
        after = int(stamps[i])
        detail = f"{missing} candles missing after the one of {utc_text(after)}"
        found.append(_finding(series, path, "gap", after + step, missing, detail))


def _funding_gaps(series: Series, path: Path, times: Ints, before: Floats | None, found: list[Finding]) -> None:
    """Intervals differ by venue and change: a gap is what is longer than a day and ten minutes."""
    stamps = times if before is None else np.concatenate([[int(before[0])], times])
    apart = np.diff(stamps)
    for i in np.flatnonzero(apart > DAY_MS + 600_000).tolist():
        detail = f"no settlement for {apart[i] / 3_600_000:.0f} h after {utc_text(int(stamps[i]))}"
        found.append(_finding(series, path, "gap", int(stamps[i]), 0, detail))


def _outliers(
    series: Series, path: Path, times: Ints, values: Floats, before: Floats | None, found: list[Finding]
) -> None:
    good = (values[:, 1:5] > 0).all(axis=1)
    values, times = values[good], times[good]
    if not len(values):
        return
    close = values[:, 4]
    if before is None or before[4] <= 0:
        before = values[0]
    earlier = np.concatenate([[before[4]], close[:-1]])
    stamps = np.concatenate([[int(before[0])], times])
    # What happened while no candles were recorded is no outlier.
    moves = np.where(np.diff(stamps) > timeframe_ms(series.timeframe), 0.0, np.abs(np.log(close / earlier)))
    wicks = np.log(values[:, 2] / values[:, 3])
    limit = max(OUTLIER_RETURN, OUTLIER_MEDIANS * float(np.median(moves)))
    for i in np.flatnonzero((moves > limit) | (wicks > 2 * limit)).tolist():
        detail = f"moved {moves[i] * 100:.1f} %, from low to high {wicks[i] * 100:.1f} %"
        found.append(_finding(series, path, "outlier", int(times[i]), 1, detail))


def _note(series: Series, path: Path, what: str, times: Ints, where: Any, detail: str, found: list[Finding]) -> None:
    rows = np.flatnonzero(where)
    if len(rows):
        first = int(times[rows[0]])
        found.append(_finding(series, path, what, first, len(rows), f"{detail}, first at {utc_text(first)}"))


def _finding(series: Series, path: Path, what: str, at_ms: int, rows: int, detail: str) -> Finding:
    return Finding(series=series, what=what, at_ms=at_ms, rows=rows, file=str(path), detail=detail)
