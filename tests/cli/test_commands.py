"""What commands say and how they end, when they are well used and when they are not."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from regatta.cli.app import app
from tests.cli.conftest import Regatta
from tests.cli.journals import written


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    written(tmp_path / "data")
    return tmp_path / "data"


# --- the journal's commands --------------------------------------------------------------


def test_bots_shows_balance_and_results_of_each_bot(regatta: Regatta, data_dir: Path) -> None:
    said = regatta("bots", "--data-dir", data_dir)
    assert said.code == 0
    header, v1, v2 = said.out.splitlines()
    words = [" ".join(line.split()) for line in (header, v1, v2)]
    assert words == [
        "bot mode state venue strategy balance PnL trades won lost open",
        "V1 virtual running binanceusdm ema_rsi 10,009.25 +9.25 2 1 1 0",
        "V2 virtual paused binanceusdm ema_rsi 10,007.00 +7.00 1 1 0 0",
    ]


def test_trades_come_newest_first_with_totals_over_all_that_match(regatta: Regatta, data_dir: Path) -> None:
    said = regatta("trades", "--data-dir", data_dir, "--limit", 1)
    assert said.code == 0
    assert said.out.splitlines()[1].split()[:4] == ["2026-01-01", "00:03", "V2", "BTC/USDT:USDT"]
    assert said.out.splitlines()[-1] == "3 trades (newest 1 shown), 2 won, 1 lost, PnL +16.25, fees 0.30"


def test_trades_can_be_filtered_and_read_by_programs(regatta: Regatta, data_dir: Path) -> None:
    document = regatta("trades", "--data-dir", data_dir, "--bot", "V1", "--result", "loss", "--json").json
    (trade,) = document["trades"]
    assert trade["trade_id"] == "V1-2"
    assert (trade["pnl"], trade["funding"], trade["side"]) == ("-3.25000000", "0.00000000", "long")
    assert (trade["quantity"], trade["entry_price"]) == ("0.0001", "100000.0")
    assert trade["closed_at"] == "2026-01-01T00:02:00.000Z"
    assert document["totals"]["trades"] == 1


def test_an_unknown_bot_is_named_with_those_that_are_known(regatta: Regatta, data_dir: Path) -> None:
    said = regatta("trades", "--data-dir", data_dir, "--bot", "V9")
    assert (said.code, said.out) == (2, "")
    assert said.err == f"error: --bot: {data_dir} has no bot 'V9'; it has V1, V2\n"


@pytest.mark.parametrize("command", [["bots"], ["trades"], ["journal", "verify"], ["journal", "rebuild"]])
def test_a_folder_without_a_journal_is_named(regatta: Regatta, tmp_path: Path, command: list[str]) -> None:
    said = regatta(*command, "--data-dir", tmp_path)
    assert said.code == 2
    assert said.err.startswith(f"error: there is no journal in {tmp_path} (journal.sqlite)")


def test_rebuild_makes_the_same_tables_again(regatta: Regatta, data_dir: Path) -> None:
    document = regatta("journal", "rebuild", "--data-dir", data_dir, "--json").json
    assert document == {"journal": str(data_dir / "journal.sqlite"), "records": 6, "changed": []}


def test_rebuild_mends_a_table_that_was_tampered_with_and_says_which(regatta: Regatta, data_dir: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(data_dir / "journal.sqlite")
    connection.execute("DELETE FROM trades WHERE bot = 'V1'")
    connection.commit()
    connection.close()
    said = regatta("journal", "rebuild", "--data-dir", data_dir)
    assert said.code == 0
    assert "changed: trades" in said.out
    assert regatta("trades", "--data-dir", data_dir, "--json").json["totals"]["trades"] == 3


def test_verify_finds_a_record_that_was_changed(regatta: Regatta, data_dir: Path) -> None:
    import sqlite3

    assert "6 records, all whole" in regatta("journal", "verify", "--data-dir", data_dir).out
    connection = sqlite3.connect(data_dir / "journal.sqlite")
    connection.execute("UPDATE events SET body = replace(body, 'V2', 'V3') WHERE seq = 2")
    connection.commit()
    connection.close()
    said = regatta("journal", "verify", "--data-dir", data_dir)
    assert said.code == 3
    assert said.err.startswith("error: ")
    assert "2" in said.err


def test_a_file_that_is_no_journal_is_said_to_be_none(regatta: Regatta, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"this is no database" * 100)
    for command in (["trades"], ["bots"], ["journal", "verify"]):
        said = regatta(*command, "--data-dir", tmp_path)
        assert said.code in (2, 3), command
        assert str(tmp_path / "journal.sqlite") in said.err
        assert "not a database" in said.err
        assert len(said.err.splitlines()) == 1


# --- how errors are told -----------------------------------------------------------------


def test_settings_faults_are_one_line_each_with_exit_code_2(regatta: Regatta, config: Path, tmp_path: Path) -> None:
    (config / "bots" / "V1.yaml").write_text("strategy: ema_rs\ntimeframe: 7m\nsymbols: [BTCUSD]\n")
    said = regatta("run", "--config", config, "--data-dir", tmp_path / "data")
    assert said.code == 2
    strategy, timeframe, symbols = said.err.splitlines()
    assert strategy.startswith(f"error: {config}/bots/V1.yaml:1: strategy: there is no strategy 'ema_rs'; did you mean")
    assert timeframe.startswith(f"error: {config}/bots/V1.yaml:2: timeframe: '7m' is not known; allowed: 1m, ")
    assert symbols.startswith(f"error: {config}/bots/V1.yaml:3: symbols[1]: binanceusdm has no instrument 'BTCUSD'")
    assert not (tmp_path / "data").exists(), "nothing was begun"


def test_errors_are_json_where_json_was_asked_for(regatta: Regatta, config: Path, tmp_path: Path) -> None:
    assert regatta("bots", "--data-dir", tmp_path, "--json").json["exit_code"] == 2
    (config / "bots" / "V1.yaml").write_text("strategy: ema_rsi\nsymbols: [BTCUSDT]\nrisk: {stop_pct: 0}\n")
    said = regatta("doctor", "--config", config, "--data-dir", tmp_path, "--json")
    assert said.code == 3
    (settings,) = [one for one in said.json["findings"] if one["what"] == "settings"]
    assert "V1.yaml:3: risk.stop_pct: 0 is not allowed" in settings["found"]


def test_a_mistyped_command_or_option_is_bad_input_with_the_near_match(regatta: Regatta) -> None:
    said = regatta("dmo")
    assert said.code == 2
    assert said.err.startswith("error: No such command 'dmo'. Did you mean 'demo'?")
    said = regatta("trades", "--limt", 3)
    assert said.code == 2
    assert "--limit" in said.err
    said = regatta("trades", "--limit", 0, "--json")
    assert said.json["exit_code"] == 2


def test_an_unforeseen_error_is_one_line_and_a_traceback_in_the_log(
    regatta: Regatta, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("api_secret=hunter2hunter2 was divided")

    monkeypatch.setattr("regatta.journal.queries.Reader.bots", broken)
    said = regatta("bots", "--data-dir", data_dir)
    assert said.code == 1
    log = data_dir / "logs" / "errors.log"
    assert said.err == f"error: unforeseen ZeroDivisionError: api_secret=*** was divided; details are in {log}\n"
    text = log.read_text()
    assert "Traceback (most recent call last)" in text
    assert "hunter2" not in text


def test_a_demo_speed_that_is_no_choice_is_refused(regatta: Regatta) -> None:
    said = regatta("demo", "--speed", 7, "--no-browser")
    assert (said.code, said.err) == (2, "error: --speed: 7 is not allowed; allowed: 1, 10, 60, 600\n")


# --- help --------------------------------------------------------------------------------


def test_help_names_every_command(regatta: Regatta) -> None:
    said = regatta("--help")
    assert said.code == 0
    for command in ("demo", "run", "bots", "trades", "doctor", "data", "journal", "openapi"):
        assert f"  {command} " in said.out


def test_every_option_is_explained() -> None:
    from typer.main import get_command

    def unexplained(command: object, path: str) -> list[str]:
        found = [
            f"{path} {parameter.name}"
            for parameter in command.params  # type: ignore[attr-defined]
            if parameter.param_type_name == "option" and not parameter.help
        ]
        for name, inner in getattr(command, "commands", {}).items():
            found += unexplained(inner, f"{path} {name}")
        return found

    assert unexplained(get_command(app), "regatta") == []


def test_the_version_is_that_of_the_package(regatta: Regatta) -> None:
    assert regatta("--version").out == f"regatta {importlib.metadata.version('regatta-trader')}\n"


def test_help_costs_none_of_the_slow_libraries() -> None:
    slow = ("numba", "polars", "numpy", "fastapi", "uvicorn", "sqlalchemy", "pydantic", "rich", "structlog")
    program = f"import sys, regatta.cli.app; print([name for name in {slow!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
