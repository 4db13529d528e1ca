"""What settings may name on a machine: built-in strategies, users' files, what symbols mean."""

from pathlib import Path

import pytest

from regatta.cli.catalogue import Installed
from regatta.domain.errors import BadInput
from regatta.engine.strategy_files import named
from regatta.settings.load import load_settings

OWN = """\
from regatta.graph import Market, Rules, checks
from regatta.strategies import Strategy, StrategyParameters, parameter


class Parameters(StrategyParameters):
    above: float = parameter(100.0, "Above", "Enter above this price.", "quote", ge=0)


def rules(m: Market, p: Parameters) -> Rules:
    return Rules(checks(above=m.close > p.above), checks(below=m.close < p.above))


STRATEGY = Strategy(
    name="threshold",
    title="Threshold",
    description="Holds above a price.",
    Parameters=Parameters,
    rules=rules,
    defaults={"timeframe": "5m", "symbols": ("ETH/USDT",), "stop_pct": 3.5},
)
"""


@pytest.fixture
def with_own(config: Path) -> Path:
    (config / "strategies").mkdir()
    (config / "strategies" / "threshold_v2.py").write_text(OWN)
    return config


@pytest.mark.parametrize("name", ["threshold", "strategies/threshold_v2.py", "threshold_v2.py"])
def test_a_users_file_is_found_by_path_and_by_the_name_inside_it(with_own: Path, name: str) -> None:
    found = Installed(with_own).strategy(name)
    assert found.strategy.name == "threshold"
    assert found.name == str(with_own / "strategies" / "threshold_v2.py")
    assert named(found.name).name == "threshold", "the engine finds it again by that name"


def test_a_users_strategy_brings_its_own_defaults(with_own: Path) -> None:
    (with_own / "bots" / "V1.yaml").write_text("strategy: threshold\nparameters: {above: 5}\n")
    (bot,) = load_settings(with_own, environ={}, catalogue=Installed(with_own)).bots
    assert (bot.timeframe, bot.symbols, bot.risk.stop_pct) == ("5m", ("ETH/USDT:USDT",), 3.5)
    assert bot.parameters == {"above": 5.0}


def test_an_unknown_name_is_told_with_all_that_are_known(with_own: Path) -> None:
    with pytest.raises(BadInput, match=r"did you mean threshold\?; known: ema_rsi, threshold"):
        Installed(with_own).strategy("treshold")
    with pytest.raises(BadInput, match=r"there is no strategy file 'strategies/none\.py'"):
        Installed(with_own).strategy("strategies/none.py")


def test_a_broken_file_is_named_with_its_line_where_the_bot_names_it(with_own: Path) -> None:
    (with_own / "strategies" / "threshold_v2.py").write_text("x = (\n")
    (with_own / "bots" / "V1.yaml").write_text("symbols: [BTCUSDT]\nstrategy: threshold_v2.py\n")
    with pytest.raises(BadInput, match=r"V1\.yaml:2: strategy: .*threshold_v2\.py, line 1: "):
        load_settings(with_own, environ={}, catalogue=Installed(with_own))


def test_symbols_mean_what_the_venue_has() -> None:
    catalogue = Installed(Path())
    assert catalogue.symbol("binanceusdm", "btcusdt") == "BTC/USDT:USDT"
    assert catalogue.symbol("binance", "BTC-USDT") == "BTC/USDT"
    with pytest.raises(BadInput, match="there is no venue 'binanceus'"):
        catalogue.symbol("binanceus", "BTCUSDT")
