"""The risk settings of one bot as a user writes them: percents, quote amounts, plain words."""

from functools import partial
from math import inf
from typing import Annotated, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from regatta.risk.rules import RiskRules
from regatta.risk.sizing import BY_AMOUNT, BY_PERCENT, BY_QUANTITY, BY_RISK, SIZING_MODES
from regatta.settings.section import Section, setting

Sizing = Literal["risk", "percent", "fixed", "quantity"]
_setting = partial(setting, applies="next_entry")


class RiskSettings(Section):
    """How large entries are and where positions end. Percents: 2.0 is 2 %."""

    sizing: Annotated[
        Sizing,
        _setting(
            "Sizing",
            "How the size of an entry is found: by the loss at the stop (risk), a share of equity (percent), "
            "an amount of quote currency (fixed) or of the base currency (quantity).",
            "",
        ),
    ] = "risk"
    risk_per_trade_pct: Annotated[
        float,
        _setting("Risk per trade", "Share of equity that a full stop loses, costs included.", "%", gt=0, le=100),
    ] = 1.0
    capital_allocation: Annotated[
        float,
        _setting(
            "Capital allocation",
            "Share of equity that sizing by risk and by percent works with.",
            "fraction",
            gt=0,
            le=1,
        ),
    ] = 1.0
    position_size_pct: Annotated[
        float,
        _setting("Position size", "Value of an entry in percent of equity (sizing: percent).", "%", gt=0, le=10_000),
    ] = 2.0
    trade_amount: Annotated[
        float,
        _setting("Trade amount", "Value of an entry (sizing: fixed).", "quote", gt=0, le=1e9),
    ] = 100.0
    trade_quantity: Annotated[
        float,
        _setting("Trade quantity", "Quantity of an entry (sizing: quantity).", "base", gt=0, le=1e12),
    ] = 1.0
    leverage: Annotated[
        int,
        _setting("Leverage", "Notional that one unit of margin carries; 1 on spot.", "x", ge=1, le=125),
    ] = 1
    tradable_balance_ratio: Annotated[
        float,
        _setting(
            "Tradable balance ratio",
            "Share of leverage x free equity that one entry may use.",
            "fraction",
            gt=0,
            le=1,
        ),
    ] = 0.99
    max_position_notional: Annotated[
        float | None,
        _setting("Largest position", "Largest value of one entry; empty: no limit.", "quote", gt=0, le=9e9),
    ] = None
    stop_pct: Annotated[
        float | None,
        _setting("Stop-loss", "Distance of the stop from the entry; empty: no stop.", "%", gt=0, lt=100),
    ] = 2.0
    take_profit_pct: Annotated[
        float | None,
        _setting("Take-profit", "Distance of the target from the entry; empty: no target.", "%", gt=0, le=10_000),
    ] = 5.0
    max_positions: Annotated[
        int,
        _setting("Positions at most", "Open positions and entries under way at one time.", "positions", ge=1, le=1_000),
    ] = 3
    startup_candles: Annotated[
        int,
        _setting(
            "Start-up candles",
            "No entry on a symbol before so many of its candles have been seen, history included.",
            "candles",
            applies="restart",
            ge=0,
            le=1_000_000,
        ),
    ] = 0
    slippage_bps: Annotated[
        float,
        _setting(
            "Slippage",
            "Assumed when sizing, and charged on market and stop orders by simulated venues.",
            "bps",
            ge=0,
            le=1_000,
        ),
    ] = 2.0

    @model_validator(mode="after")
    def _a_loss_needs_a_stop(self) -> Self:
        if self.sizing == "risk" and self.stop_pct is None:
            raise PydanticCustomError(
                "value_error",
                "sizing: risk needs stop_pct (the size follows from the loss at the stop); "
                "or choose sizing: percent, fixed or quantity",
            )
        return self

    @property
    def slippage(self) -> float:
        """Slippage as a fraction (2 bps is 0.0002)."""
        return self.slippage_bps / 10_000

    @property
    def amount(self) -> float:
        """The number that the chosen way of sizing takes: fractions for risk and percent."""
        return {
            BY_RISK: self.risk_per_trade_pct / 100,
            BY_PERCENT: self.position_size_pct / 100,
            BY_AMOUNT: self.trade_amount,
            BY_QUANTITY: self.trade_quantity,
        }[SIZING_MODES[self.sizing]]

    def rules(self) -> RiskRules:
        """Return the rules that these settings ask for; what is empty becomes infinity."""
        return RiskRules(
            sizing=SIZING_MODES[self.sizing],
            amount=self.amount,
            allocation=self.capital_allocation,
            leverage=self.leverage,
            tradable=self.tradable_balance_ratio,
            max_notional=inf if self.max_position_notional is None else self.max_position_notional,
            stop=inf if self.stop_pct is None else self.stop_pct / 100,
            target=inf if self.take_profit_pct is None else self.take_profit_pct / 100,
            max_positions=self.max_positions,
            startup_candles=self.startup_candles,
        )
