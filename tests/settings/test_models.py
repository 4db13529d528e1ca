"""The models by themselves: every field is described, the demo is what it says, the page is fresh."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from regatta.domain.timeframe import TIMEFRAMES_MS
from regatta.market.instruments import instruments
from regatta.settings.bot import BotSettings
from regatta.settings.demo import SYMBOLS, demo_settings
from regatta.settings.market import ReplayPeriod, VirtualMarketSettings
from regatta.settings.platform import Settings
from regatta.settings.reference import reference
from regatta.settings.risk import RiskSettings
from regatta.settings.section import Applies
from regatta.settings.server import LogSettings, ServerSettings
from regatta.settings.symbols import Timeframe

SECTIONS: list[type[BaseModel]] = [
    Settings,
    VirtualMarketSettings,
    ReplayPeriod,
    ServerSettings,
    LogSettings,
    BotSettings,
    RiskSettings,
]


def fields() -> Iterator[Any]:
    for section in SECTIONS:
        for name, field in section.model_json_schema()["properties"].items():
            yield pytest.param(field, id=f"{section.__name__}.{name}")


@pytest.mark.parametrize("field", list(fields()))
def test_every_setting_has_a_title_a_description_a_unit_and_says_when_it_applies(field: dict[str, Any]) -> None:
    assert field["title"]
    assert field["description"].endswith((".", ")"))
    assert field["applies"] in get_args(Applies)
    assert "unit" in field


@pytest.mark.parametrize("section", SECTIONS)
def test_sections_are_frozen_and_refuse_names_they_do_not_know(section: type[BaseModel]) -> None:
    assert section.model_config.get("frozen") is True
    assert section.model_config.get("extra") == "forbid"


def test_the_reference_page_is_as_new_as_the_models() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
    assert page.read_text() == reference(), "run: python -m regatta.settings.reference > docs/reference/settings.md"


def test_timeframes_are_those_of_the_domain() -> None:
    assert get_args(Timeframe) == tuple(TIMEFRAMES_MS)


def test_the_demo_races_two_bots_that_differ_in_two_parameters() -> None:
    settings = demo_settings()
    v1, v2 = settings.bots
    assert (v1.name, v2.name) == ("V1", "V2")
    differing = {key: v2.parameters[key] for key, value in v1.parameters.items() if v2.parameters[key] != value}
    assert differing == {"rsi_overbought": 85.0, "use_ema_filter": False}
    assert v1.risk == v2.risk
    assert {bot.mode for bot in settings.bots} == {"virtual"}
    assert {bot.initial_balance for bot in settings.bots} == {10_000}


def test_the_demos_market_is_the_one_that_was_promised() -> None:
    market = demo_settings().market
    assert (market.kind, market.seed, market.history, market.speed) == ("generated", 7, 1500, 60)
    assert len(SYMBOLS) >= 10
    assert set(SYMBOLS) <= set(instruments(market.venue))


def test_the_demos_bots_can_hold_every_symbol_at_once() -> None:
    (risk,) = {bot.risk for bot in demo_settings().bots}
    rules = risk.rules()
    assert rules.max_positions == len(SYMBOLS)
    notional_share = rules.amount / rules.stop * len(SYMBOLS)
    assert notional_share < rules.leverage * rules.tradable


def test_settings_survive_a_round_trip_through_json() -> None:
    settings = demo_settings()
    assert Settings.model_validate_json(settings.model_dump_json(by_alias=True)) == settings


def test_percents_become_fractions_and_what_is_empty_becomes_infinity() -> None:
    rules = RiskSettings(sizing="percent", position_size_pct=5, stop_pct=None, take_profit_pct=None).rules()
    assert rules.amount == 0.05
    assert math.isinf(rules.stop)
    assert math.isinf(rules.target)
    assert RiskSettings(slippage_bps=3).slippage == 0.0003


@pytest.mark.parametrize("value", [math.nan, math.inf, "abc", True, [], None])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        RiskSettings.model_validate({"risk_per_trade_pct": value})


def test_settings_made_in_code_are_checked_like_those_of_a_file() -> None:
    with pytest.raises(ValidationError, match="there is no strategy 'nope'"):
        BotSettings(name="V1", strategy="nope", symbols=("BTC/USDT:USDT",))
    with pytest.raises(ValidationError, match="rsi_overbougt"):
        BotSettings(name="V1", strategy="ema_rsi", symbols=("BTC/USDT:USDT",), parameters={"rsi_overbougt": 85})


@pytest.mark.parametrize("name", ["", "1a", "a b", "../x", "a" * 33, "é"])
def test_a_bots_name_is_fit_for_files_and_addresses(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        BotSettings(name=name, strategy="ema_rsi", symbols=("BTC/USDT:USDT",))
