"""`regatta backtest`, from the arguments to what is printed."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regatta.cli import backtest as command
from regatta.cli.app import run_command
from regatta.domain.errors import BadInput
from regatta.market.candles import Candles
from regatta.market.generated import GeneratedMarket
from regatta.market.instruments import instruments
from regatta.market.store import CandleStore, Series
from tests.market.markets import frame

VENUE = "binanceusdm"
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000
START = 1_748_736_000_000  # 2025-06-01
CANDLES = 3_000
MISSING = slice(1_000, 1_010)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two symbols; ten candles of ETH are missing."""
    folder = tmp_path_factory.mktemp("data")
    table = instruments(VENUE)
    market = GeneratedMarket(7, {symbol: table[symbol] for symbol in (BTC, ETH)}, START)
    store = CandleStore(folder)
    for symbol in (BTC, ETH):
        whole = market.candles(symbol, 0, CANDLES)
        keep = np.ones(CANDLES, bool)
        keep[MISSING] = symbol != ETH
        names = ("open_ms", "open", "high", "low", "close", "volume")
        part = Candles(symbol, "1m", *(getattr(whole, name)[keep] for name in names))
        store.write(Series("candles", VENUE, "1m", symbol), frame(part))
    return folder


def called(data_dir: Path, *more: str, symbols: str = "BTCUSDT") -> int:
    fixed = ("backtest", "--strategy", "ema_rsi", "--venue", VENUE, "--symbols", symbols, "--data-dir", str(data_dir))
    return run_command([*fixed, *more])


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_document_holds_settings_figures_and_warnings(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        called(data_dir, "--set", "rsi_overbought=85", "--set", "risk.stop_pct=1", "--json", symbols="ETHUSDT,BTCUSDT")
        == 0
    )
    out = said(capsys)
    assert out["symbols"] == [BTC, ETH]
    assert (out["parameters"]["rsi_overbought"], out["risk"]["stop_pct"]) == (85.0, 1.0)
    assert out["candles"] == 2 * CANDLES - 10
    assert out["trades"] > 20
    assert out["gaps"] == [{"symbol": ETH, "after": "2025-06-01T16:40:00.000Z", "missing": 10}]
    assert "ETH/USDT:USDT: 10 candles are missing from 2025-06-01 16:40 UTC on" in out["warnings"][0]


def test_a_gap_is_warned_of_on_stderr(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(data_dir, symbols="ETHUSDT") == 0
    printed = capsys.readouterr()
    assert "warning: ETH/USDT:USDT: 10 candles are missing" in printed.err
    assert "PnL after fees and funding" in printed.out


def test_every_trade_is_written_as_csv(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trades.csv"
    assert called(data_dir, "--trades-csv", str(file), "--json") == 0
    out = said(capsys)
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert len(rows) == out["trades"] + out["open_at_end"]
    assert sum(float(row["pnl"]) for row in rows) == pytest.approx(float(out["pnl"]), abs=1e-6)
    assert list(tmp_path.iterdir()) == [file]


def test_the_period_is_that_of_from_and_to(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(data_dir, "--from", "2025-06-02", "--to", "2025-06-02T12:00Z", "--json") == 0
    out = said(capsys)
    assert (out["from"], out["to"]) == ("2025-06-02T00:00:00.000Z", "2025-06-02T12:00:00.000Z")
    assert out["candles"] == 720


@pytest.mark.parametrize(
    ("arguments", "pieces"),
    [
        (["--strategy", "ema_rs"], ["--strategy", "'ema_rs'", "ema_rsi"]),
        (["--symbols", "BTCUSD"], ["--symbols", "'BTCUSD'", "BTC/USDT:USDT"]),
        (["--symbols", "SOLUSDT"], ["no 1m candles", "SOL/USDT:USDT", "stored: BTC/USDT:USDT, ETH/USDT:USDT"]),
        (["--venue", "binanc"], ["'binanc'", "binanceusdm"]),
        (["--timeframe", "7m"], ["--timeframe", "'7m'", "15m"]),
        (["--timeframe", "5m"], ["no 5m candles", "BTC/USDT:USDT"]),
        (["--set", "rsi_overbougt=3"], ["--set", "rsi_overbougt", "did you mean rsi_overbought"]),
        (["--set", "rsi_overbought=abc"], ["rsi_overbought", "'abc'", "at least 0, at most 100"]),
        (["--set", "risk.stop_pct=-1"], ["risk.stop_pct", "-1", "above 0"]),
        (["--set", "ema_short=30"], ["ema_short is 30", "less than ema_long"]),
        (["--set", "x"], ["--set 'x'", "KEY=VALUE"]),
        (["--set", "ema_long=30", "--set", "ema_long=31"], ["ema_long is given twice"]),
        (["--max-positions", "0"], ["risk.max_positions", "at least 1"]),
        (["--initial-balance", "-5"], ["--initial-balance", "above 0"]),
        (["--from", "yesterday"], ["--from 'yesterday'", "2025-05-25"]),
        (["--from", "2030-01-01"], ["BTC/USDT:USDT", "2025-06-01 00:00 UTC to 2025-06-03 02:00 UTC"]),
        (["--from", "2025-06-02", "--to", "2025-06-01"], ["--to 2025-06-01 is not after --from 2025-06-02"]),
        (["--trades-csv", "nowhere/t.csv"], ["--trades-csv nowhere/t.csv", "no folder"]),
    ],
)
def test_bad_input_says_what_where_and_what_is_allowed(
    arguments: list[str], pieces: list[str], data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(data_dir, *arguments) == BadInput.exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    for piece in pieces:
        assert piece in printed.err


def test_a_corrupt_file_is_named(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "candles" / VENUE / "1m" / "BTC-USDT-USDT"
    folder.mkdir(parents=True)
    (folder / "2025-06.parquet").write_bytes(b"this is no Parquet file")
    assert called(tmp_path) == BadInput.exit_code
    assert str(folder / "2025-06.parquet") in capsys.readouterr().err


def test_a_users_own_strategy_file_is_run(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "dip.py"
    file.write_text(
        "from regatta.graph import Market, Rules, checks, sma\n"
        "from regatta.strategies import Strategy, StrategyParameters, parameter\n"
        "class Parameters(StrategyParameters):\n"
        "    length: int = parameter(20, 'Length', 'Of the average.', ge=2, le=100)\n"
        "def rules(m: Market, p: Parameters) -> Rules:\n"
        "    mean = sma(m.close, p.length)\n"
        "    return Rules(enter_long=checks(below=m.close < mean), exit_long=checks(above=m.close > mean))\n"
        "STRATEGY = Strategy(name='dip', title='Dip', description='Buys below the mean.',\n"
        "                    Parameters=Parameters, rules=rules)\n"
    )
    assert called(data_dir, "--strategy", str(file), "--set", "length=5", "--json") == 0
    out = said(capsys)
    assert out["parameters"] == {"length": 5}
    assert out["trades"] > 100


def test_values_of_set_are_read_as_what_they_look_like() -> None:
    texts = ["a=3", "b=2.5", "c=true", "d=False", "e=none", "f=", "g=risk", "h=[1]"]
    assert command.assignments(texts) == {
        "a": 3,
        "b": 2.5,
        "c": True,
        "d": False,
        "e": None,
        "f": None,
        "g": "risk",
        "h": [1],
    }
