"""Candles for tests of graphs: generated ones, and the recorded ones where they are."""

from pathlib import Path
from typing import Any

import numpy as np

Block = np.ndarray[Any, np.dtype[np.float64]]
MINUTE_MS = 60_000
START_MS = 1_700_000_040_000


def walk(n: int, seed: int = 7, volatility: float = 0.0008, start: float = 30_000.0) -> Block:
    """Return n candles of one minute as a block (6, n): a random walk with spikes and dull stretches."""
    dice = np.random.default_rng(seed)
    moves = dice.standard_normal(n) * volatility
    moves[dice.random(n) < 0.01] *= 8.0
    moves[n // 3 : n // 3 + 40] = 0.0  # nothing moves for a while
    close = np.round(start * np.exp(np.cumsum(moves)), 2)
    open_ = np.concatenate([[start], close[:-1]])
    spread = np.abs(dice.standard_normal((2, n))) * volatility * close
    spread[:, n // 3 : n // 3 + 40] = 0.0
    high = np.round(np.maximum(open_, close) + spread[0], 2)
    low = np.round(np.minimum(open_, close) - spread[1], 2)
    volume = np.round(dice.lognormal(2.0, 1.0, n), 3)
    close_ms = START_MS + MINUTE_MS * np.arange(1, n + 1, dtype=np.float64)
    return np.vstack([close_ms, open_, high, low, close, volume])


def recorded(path: Path, n: int | None = None) -> Block:
    """Return the candles of a Parquet file as a block (6, n)."""
    import polars

    table = polars.read_parquet(path)
    table = table if n is None else table.head(n)
    columns = [table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return np.vstack([table["ts"].to_numpy().astype(np.float64) + MINUTE_MS, *columns])


def rows(X: Block) -> list[tuple[int, float, float, float, float, float]]:
    """Return the candles one by one, as `Series.step` takes them."""
    return [(int(t), o, h, low, c, v) for t, o, h, low, c, v in X.T.tolist()]


def same_bits(a: Block, b: Block) -> bool:
    """Return whether two arrays are equal to the bit; every NaN equals every NaN."""
    return a.shape == b.shape and bool(((a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))).all())
