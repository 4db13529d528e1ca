"""Settings files: what is right is read with its precedence, what is wrong is named all at once."""

from decimal import Decimal
from pathlib import Path

import pytest

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.settings.catalogue import BuiltIn
from regatta.settings.faults import BadSettings
from regatta.settings.load import load_settings
from regatta.settings.platform import Settings

PLATFORM = """\
market:
  seed: 11
server:
  port: 8100
"""
BOT = """\
strategy: ema_rsi
symbols: [BTC/USDT:USDT, ETH/USDT:USDT]
parameters:
  rsi_overbought: 80
risk:
  stop_pct: 1.5
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "bots").mkdir()
    (tmp_path / "regatta.yaml").write_text(PLATFORM)
    (tmp_path / "bots" / "V1.yaml").write_text(BOT)
    return tmp_path


def load(config: Path, environ: dict[str, str] | None = None, **options: object) -> Settings:
    return load_settings(config, environ=environ or {}, options=options, catalogue=BuiltIn())


def faults(config: Path, environ: dict[str, str] | None = None, **options: object) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(config, environ, **options)
    assert caught.value.exit_code == 2
    return [str(fault).replace(f"{config}/", "") for fault in caught.value.faults]


def bot_faults(config: Path, text: str) -> list[str]:
    (config / "bots" / "V1.yaml").write_text(text)
    return faults(config)


# --- what is right -----------------------------------------------------------------------


def test_files_become_settings_and_the_file_names_the_bot(config: Path) -> None:
    settings = load(config)
    (bot,) = settings.bots
    assert (bot.name, bot.symbols) == ("V1", ("BTC/USDT:USDT", "ETH/USDT:USDT"))
    assert (settings.market.seed, settings.server.port) == (11, 8100)
    assert bot.initial_balance == Decimal(10_000)
    assert bot.initial_balance_e8 == 10_000 * 10**8


def test_parameters_are_completed_by_the_strategys_defaults(config: Path) -> None:
    parameters = load(config).bots[0].parameters
    assert parameters["rsi_overbought"] == 80
    assert parameters["ema_short"] == 9


def test_the_strategys_risk_stands_below_the_files(config: Path) -> None:
    risk = load(config).bots[0].risk
    assert risk.stop_pct == 1.5, "from the file"
    assert risk.take_profit_pct == 5.0, "from the strategy"
    assert risk.max_positions == 3, "from the defaults"


def test_the_environment_beats_the_file_and_the_command_line_beats_both(config: Path) -> None:
    environ = {"REGATTA_SERVER__PORT": "9000", "REGATTA_MARKET__SPEED": "10"}
    settings = load(config, environ, **{"server.port": 9001})
    assert (settings.server.port, settings.market.speed) == (9001, 10)


def test_a_bot_is_set_from_the_environment_whatever_the_case_of_its_name(config: Path) -> None:
    environ = {
        "REGATTA_BOTS__V1__RISK__STOP_PCT": "3",
        "REGATTA_BOTS__V1__PARAMETERS__USE_EMA_FILTER": "false",
        "REGATTA_BOTS__V1__SYMBOLS": "SOL/USDT:USDT, BTC/USDT:USDT",
        "REGATTA_BOTS__V1__RISK__TAKE_PROFIT_PCT": "",
    }
    (bot,) = load(config, environ).bots
    assert bot.risk.stop_pct == 3
    assert bot.risk.take_profit_pct is None
    assert bot.parameters["use_ema_filter"] is False
    assert bot.symbols == ("BTC/USDT:USDT", "SOL/USDT:USDT")


def test_variables_that_are_not_settings_are_left_alone(config: Path) -> None:
    environ = {"REGATTA_CACHE_DIR": "/x", "REGATTA_PASSWORD_HASH": "x", "PATH": "/bin", "LOG_LEVEL": "debug"}
    assert load(config, environ).log.level == "DEBUG"


def test_a_platform_file_of_comments_only_means_the_defaults(config: Path) -> None:
    (config / "regatta.yaml").write_text("# nothing yet\n")
    assert load(config).server.port == 8000


def test_a_replay_reads_dates_as_utc(config: Path) -> None:
    (config / "regatta.yaml").write_text("market: {kind: replay, replay: {from: 2025-05-25, to: 2025-06-24T12:00Z}}\n")
    market = load(config).market
    assert market.replay is not None
    assert (market.start_ms, market.replay.to_ms) == (1_748_131_200_000, 1_750_766_400_000)


def test_the_market_holds_what_the_bots_trade_unless_it_says_so_itself(config: Path) -> None:
    assert load(config).market_symbols == ("BTC/USDT:USDT", "ETH/USDT:USDT")


# --- what is wrong -----------------------------------------------------------------------


def test_a_typo_is_named_with_file_line_field_and_the_near_match(config: Path) -> None:
    (said,) = bot_faults(config, BOT.replace("stop_pct", "stop_pc"))
    assert said.startswith("bots/V1.yaml:6: risk.stop_pc: is not a setting; did you mean stop_pct?; allowed: sizing, ")


def test_a_value_out_of_bounds_is_named_with_what_is_allowed(config: Path) -> None:
    (said,) = bot_faults(config, BOT.replace("1.5", "-2"))
    expected = "risk.stop_pct: -2 is not allowed; allowed: a number above 0, below 100 (%), or empty"
    assert said == f"bots/V1.yaml:6: {expected}"


def test_a_strategys_parameter_out_of_bounds_keeps_its_line(config: Path) -> None:
    (said,) = bot_faults(config, BOT.replace("80", "850"))
    expected = "parameters.rsi_overbought: 850 is not allowed; allowed: a number at least 0, at most 100"
    assert said == f"bots/V1.yaml:4: {expected}"


def test_parameters_that_do_not_go_together_are_the_strategys_to_explain(config: Path) -> None:
    (said,) = bot_faults(config, BOT.replace("rsi_overbought: 80", "ema_short: 40"))
    assert said.startswith("bots/V1.yaml:3: parameters: ")
    assert "ema_short is 40; allowed: less than ema_long, which is 21" in said


def test_an_unknown_strategy_is_named_with_the_list_and_the_near_match(config: Path) -> None:
    (said,) = bot_faults(config, BOT.replace("ema_rsi", "ema_rsii"))
    assert said == (
        "bots/V1.yaml:1: strategy: there is no strategy 'ema_rsii'; did you mean ema_rsi?; built in: ema_rsi"
    )


def test_a_wrong_timeframe_is_named_with_those_that_are_allowed(config: Path) -> None:
    (said,) = bot_faults(config, BOT + "timeframe: 7m\n")
    assert said == (
        "bots/V1.yaml:7: timeframe: '7m' is not known; allowed: 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d"
    )


def test_true_is_not_taken_for_the_number_one(config: Path) -> None:
    said = bot_faults(config, BOT + "  max_positions: true\n")
    assert said == [
        "bots/V1.yaml:7: risk.max_positions: true is not allowed; "
        "allowed: a whole number at least 1, at most 1,000 (positions)"
    ]
    (said_of_parameter,) = bot_faults(config, BOT.replace("rsi_overbought: 80", "rsi_period: true"))
    assert "parameters.rsi_period: true is not allowed; allowed: a whole number" in said_of_parameter


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('strategy: "ema_rsi\nsymbols: [x]\n', 3, "broken YAML: found unexpected end of stream"),
        ("strategy: ema_rsi\n  symbols: x\n", 2, "broken YAML: "),
        ("strategy: ema_rsi\nrisk:\n\tstop_pct: 1\n", 3, "a tab is used to indent; YAML allows spaces only"),
        ("strategy: *nobody\n", 1, "broken YAML: found undefined alias"),
        ("a: &a [*a]\n", 1, "nested more than"),
        ("- strategy: ema_rsi\n", 1, "must hold settings (name: value)"),
        ("", 1, "the file is empty"),
        ("a: !!python/object:os.system x\n", 1, "has the tag"),
    ],
)
def test_broken_yaml_is_named_with_its_line(config: Path, text: str, line: int, said: str) -> None:
    found = bot_faults(config, text)
    assert any(fault.startswith(f"bots/V1.yaml:{line}: ") and said in fault for fault in found), found


def test_a_doubled_key_names_both_lines(config: Path) -> None:
    assert bot_faults(config, BOT + "strategy: other\n") == [
        "bots/V1.yaml:7: strategy: is written twice, first in line 1"
    ]


def test_a_file_that_is_not_text_is_named_with_the_line(config: Path) -> None:
    (config / "bots" / "V1.yaml").write_bytes(b"strategy: ema_rsi\nname: \xff\xfe\n")
    assert faults(config) == ["bots/V1.yaml:2: the file is not UTF-8 text"]


def test_every_fault_of_every_file_comes_at_once_in_the_order_of_the_lines(config: Path) -> None:
    (config / "regatta.yaml").write_text("server:\n  prot: 1\n  port: 99999\n")
    (config / "bots" / "V1.yaml").write_text("strategy: nope\nsymbols: [BTCUSDT]\nmode: live\n")
    (config / "bots" / "V2.yaml").write_text("")
    where = [fault.split(": ")[0] for fault in faults(config)]
    assert where == [
        "bots/V1.yaml:1",
        "bots/V1.yaml:2",
        "bots/V1.yaml:3",
        "bots/V2.yaml:1",
        "regatta.yaml:2",
        "regatta.yaml:3",
    ]


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_modes_that_need_a_venue_are_refused_in_plain_words(config: Path, mode: str) -> None:
    (said,) = bot_faults(config, BOT + f"mode: {mode}\n")
    assert said.startswith(f"bots/V1.yaml:7: mode: '{mode}' is not available yet")
    assert said.endswith("allowed: virtual")


def test_another_host_is_refused_while_there_is_no_password(config: Path) -> None:
    (config / "regatta.yaml").write_text("server: {host: 0.0.0.0}\n")
    (said,) = faults(config)
    assert said.startswith("regatta.yaml:1: server.host: '0.0.0.0' is not allowed: no password can be set yet")


def test_a_fault_from_the_environment_or_the_command_line_names_the_variable_or_option(config: Path) -> None:
    said = faults(
        config, {"REGATTA_BOTS__V1__RISK__STOP_PCT": "abc", "REGATTA_SERVRE__PORT": "1"}, **{"market.speed": 7}
    )
    assert any(fault.startswith("REGATTA_BOTS__V1__RISK__STOP_PCT: risk.stop_pct: 'abc' is not") for fault in said)
    assert any(
        fault.startswith("REGATTA_SERVRE__PORT: servre: is not a setting; did you mean server?") for fault in said
    )
    assert any(fault.startswith("--speed: market.speed: 7 is not allowed; allowed: 1, 10, 60, 600") for fault in said)


def test_a_variable_for_a_bot_that_is_not_there_is_refused(config: Path) -> None:
    assert faults(config, {"REGATTA_BOTS__V9__ENABLED": "false"}) == [
        "REGATTA_BOTS__V9__ENABLED: names no bot with a field; bots: V1"
    ]


def test_files_that_would_be_overlooked_are_faults(config: Path) -> None:
    (config / "bots" / "V2.yml").write_text(BOT)
    (config / "extra.yaml").write_text("server: {}\n")
    assert faults(config) == [
        "bots/V2.yml: would not be read; rename it to V2.yaml",
        "extra.yaml: would not be read; allowed: regatta.yaml, bots/<name>.yaml",
    ]


def test_a_name_that_differs_from_the_file_is_a_fault(config: Path) -> None:
    assert bot_faults(config, "name: V7\n" + BOT) == [
        "bots/V1.yaml:1: name: 'V7' differs from the file's name; allowed: V1"
    ]


def test_bots_inside_the_platform_file_are_pointed_to_their_place(config: Path) -> None:
    (config / "regatta.yaml").write_text("bots: []\n")
    assert faults(config) == ["regatta.yaml:1: bots: each bot has a file of its own: bots/<name>.yaml"]


def test_no_bot_and_no_folder_are_faults(tmp_path: Path) -> None:
    assert faults(tmp_path) == ["bots: no bot is set up; write one <name>.yaml per bot"]
    with pytest.raises(BadInput, match=r"there is no such folder; needed: regatta\.yaml"):
        load(tmp_path / "missing")


def test_a_file_that_cannot_be_read_is_the_machines_fault(config: Path) -> None:
    (config / "bots" / "V2.yaml").mkdir()
    with pytest.raises(EnvironmentFault, match=r"cannot read .*V2\.yaml: Is a directory"):
        load(config)


def test_bots_must_fit_the_market(config: Path) -> None:
    (config / "regatta.yaml").write_text("market:\n  timeframe: 5m\n  symbols: [BTC/USDT:USDT]\n")
    assert faults(config) == [
        "bots/V1.yaml:1: timeframe: '1m' must be a multiple of the market's timeframe 5m",
        "bots/V1.yaml:2: symbols: 'ETH/USDT:USDT' is not in the market, which holds BTC/USDT:USDT",
    ]


def test_two_names_that_differ_by_case_only_are_refused(config: Path) -> None:
    (config / "bots" / "v1.yaml").write_text(BOT)
    (said,) = faults(config)
    assert said == "bots/v1.yaml:1: name: 'v1' another bot is named V1; names must differ"


def test_symbols_of_two_quote_currencies_are_refused(config: Path) -> None:
    (said,) = bot_faults(config, BOT.replace("ETH/USDT:USDT", "ETH/USDC:USDC"))
    assert said == "bots/V1.yaml:2: symbols: must share one quote currency, found USDC and USDT"


def test_replay_needs_its_period_and_only_replay_has_one(config: Path) -> None:
    (config / "regatta.yaml").write_text("market:\n  kind: replay\n")
    (said,) = faults(config)
    assert said.startswith("regatta.yaml:1: market: kind: replay needs the period")
    (config / "regatta.yaml").write_text("market: {replay: {from: 2025-06-24, to: 2025-05-25}, kind: replay}\n")
    assert faults(config) == ["regatta.yaml:1: market.replay: the period must end after it begins"]
    (config / "regatta.yaml").write_text("market: {kind: replay, replay: {from: yesterday, to: 2025-05-25}}\n")
    (said,) = faults(config)
    assert said.startswith("regatta.yaml:1: market.replay.from: 'yesterday' must be a UTC date or time")


def test_an_amount_finer_than_the_books_is_refused(config: Path) -> None:
    (said,) = bot_faults(config, BOT + "initial_balance: 1.123456789\n")
    assert said.startswith("bots/V1.yaml:7: initial_balance: 1.123456789 is not allowed: ")


def test_sizing_by_risk_needs_a_stop(config: Path) -> None:
    (said,) = bot_faults(config, BOT.replace("1.5", ""))
    assert said.startswith("bots/V1.yaml:5: risk: sizing: risk needs stop_pct")
    (config / "bots" / "V1.yaml").write_text(BOT.replace("1.5", "\n  sizing: percent"))
    assert load(config).bots[0].risk.rules().has_stop is False
