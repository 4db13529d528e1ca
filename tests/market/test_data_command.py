import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from regatta.cli.data import app
from regatta.domain.errors import BadInput
from tests.market.markets import candles, frame

Run = Callable[..., Result]
BTC = ["--venue", "binanceusdm", "--symbol", "BTCUSDT"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [*map(str, arguments), "--data-dir", str(tmp_path / "data")])

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "btc.parquet"
    frame(candles(n=100)).write_parquet(path)
    return path


def test_import_says_what_came_in(run: Run, file: Path) -> None:
    done = run("import", file, *BTC, "--timeframe", "1m")
    assert done.exit_code == 0, done.output
    assert (
        "100 rows of binanceusdm BTC/USDT:USDT 1m candles, 2025-05-01 00:00 UTC to 2025-05-01 01:39 UTC" in done.output
    )
    assert "(100 new, 0 known already)" in done.output


def test_import_list_and_check_speak_json(run: Run, file: Path) -> None:
    imported = json.loads(run("import", file, *BTC, "--timeframe", "1m", "--json").stdout)
    assert imported["imported"][0]["written"] == {"added": 100, "replaced": 0, "same": 0}
    (series,) = json.loads(run("list", "--json").stdout)["series"]
    assert (series["symbol"], series["timeframe"], series["rows"]) == ("BTC/USDT:USDT", "1m", 100)
    checked = json.loads(run("check", "--json").stdout)
    assert (checked["series"], checked["faults"], checked["findings"]) == (1, 0, [])


def test_several_files_are_imported_at_once(run: Run, tmp_path: Path) -> None:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    frame(candles(n=50)).write_parquet(paths[0])
    frame(candles(n=100)).write_parquet(paths[1])
    done = run("import", *paths, *BTC, "--timeframe", "1m", "--json")
    assert [one["written"]["added"] for one in json.loads(done.stdout)["imported"]] == [50, 50]


def test_check_ends_with_2_and_a_table_when_candles_are_missing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "btc.parquet"
    frame(candles(n=100, without=[40, 41])).write_parquet(path)
    assert "2 candles are missing in between" in run("import", path, *BTC, "--timeframe", "1m").output
    checked = run("check")
    assert checked.exit_code == 2
    assert "2 candles missing after the one of 2025-05-01 00:39 UTC" in checked.output
    assert "1 series checked: 1 faults" in checked.output
    finding = json.loads(run("check", "--json").stdout)["findings"][0]
    assert (finding["what"], finding["rows"], finding["fault"]) == ("gap", 2, True)


def test_a_sound_store_checks_with_0(run: Run, file: Path) -> None:
    run("import", file, *BTC, "--timeframe", "1m")
    assert run("check").exit_code == 0
    listed = run("list")
    assert listed.exit_code == 0
    assert "BTC/USDT:USDT" in listed.output


def test_an_empty_store_is_said_to_be_empty(run: Run) -> None:
    assert "nothing is stored" in run("list").output
    assert run("check").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--venue", "binanceusdm", "--symbol", "BCTUSDT", "--timeframe", "1m"], "did you mean"),
        (["--venue", "nowhere", "--symbol", "BTCUSDT", "--timeframe", "1m"], "there is no venue 'nowhere'"),
        ([*BTC], "--timeframe is missing; allowed: 1m, 3m"),
        ([*BTC, "--timeframe", "7m"], "timeframe '7m' is not known"),
        ([*BTC, "--timeframe", "5m"], "its candles are 1m apart, but timeframe 5m was given"),
    ],
)
def test_what_the_user_got_wrong_is_said(run: Run, file: Path, arguments: list[str], says: str) -> None:
    failed = run("import", file, *arguments)
    assert isinstance(failed.exception, BadInput)
    assert says in str(failed.exception)
    assert failed.exception.exit_code == 2


def test_the_command_starts_without_loading_numbers(run: Run) -> None:
    import subprocess
    import sys

    code = "import regatta.cli.data, sys; print(any(m in sys.modules for m in ('numpy', 'polars', 'numba')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
