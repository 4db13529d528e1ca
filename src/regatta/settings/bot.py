"""The settings of one bot."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from regatta.domain.errors import BadInput
from regatta.domain.money import from_decimal
from regatta.domain.timeframe import timeframe_ms
from regatta.settings.catalogue import Strategy
from regatta.settings.risk import RiskSettings
from regatta.settings.section import Section, refuse_truth_for_a_number, setting
from regatta.settings.symbols import Symbols, Timeframe, catalogue_of

Mode = Literal["backtest", "virtual", "paper", "live"]


class BotSettings(Section):
    """One bot: a strategy with its parameters on a set of symbols, with a balance of its own.

    What the file does not say comes from the strategy's own defaults, then from the defaults
    here. `parameters` is complete after validation: every parameter of the strategy.
    """

    name: Annotated[
        str,
        setting("Name", "Letters, digits, - and _; the name of its file.", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$"),
    ]
    strategy: Annotated[
        str,
        setting("Strategy", "A built-in strategy, or a Python file in the strategies folder.", min_length=1),
    ]
    parameters: Annotated[
        Mapping[str, Any],
        setting("Parameters", "The strategy's own settings; each has a default."),
    ] = Field(default_factory=dict, validate_default=True)
    mode: Annotated[
        Mode,
        setting("Mode", "On which market the bot trades, and whether its fills are real."),
    ] = "virtual"
    venue: Annotated[
        str,
        setting("Venue", "Where the symbols are traded.", min_length=1, max_length=40),
    ] = "binanceusdm"
    symbols: Annotated[
        Symbols,
        setting("Symbols", "What the bot trades: BTC/USDT, BTC/USDT:USDT or BTCUSDT.", min_length=1),
    ]
    timeframe: Annotated[Timeframe, setting("Timeframe", "Length of the candles that decide.")] = "1m"
    initial_balance: Annotated[
        Decimal,
        setting(
            "Initial balance",
            "What the bot starts with, in the quote currency of its symbols.",
            "quote",
            gt=0,
            le=Decimal(1_000_000_000),
            decimal_places=8,
        ),
    ] = Decimal(10_000)
    risk: Annotated[RiskSettings, setting("Risk", "Size, stop, target and limits.", applies="next_entry")] = Field(
        default_factory=RiskSettings
    )
    enabled: Annotated[bool, setting("Enabled", "Whether the bot takes part at all.")] = True

    @property
    def timeframe_ms(self) -> int:
        """Length of the bot's candles."""
        return timeframe_ms(self.timeframe)

    @property
    def initial_balance_e8(self) -> int:
        """Initial balance in 10**-8 quote."""
        return from_decimal(self.initial_balance)

    @property
    def quote(self) -> str:
        """Quote currency of the bot's symbols, e.g. "USDT"."""
        return quote_of(self.symbols[0])

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_strategy(cls, data: Any, info: ValidationInfo) -> Any:
        """Put what the strategy names below what the user names."""
        if not isinstance(data, Mapping) or not isinstance(data.get("strategy"), str):
            return data
        try:
            strategy = catalogue_of(info).strategy(data["strategy"]).strategy
        except BadInput:  # reported with the field
            return data
        return _over_defaults(strategy, data)

    @field_validator("strategy", mode="after")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        try:
            return catalogue_of(info).strategy(name).name
        except BadInput as fault:
            raise PydanticCustomError("strategy", "{reason}", {"reason": str(fault)}) from None

    @field_validator("parameters", mode="after")
    @classmethod
    def _complete(cls, given: Mapping[str, Any], info: ValidationInfo) -> Mapping[str, Any]:
        name = info.data.get("strategy")
        return dict(given) if name is None else complete(catalogue_of(info).strategy(name).strategy, given)

    @field_validator("mode", mode="after")
    @classmethod
    def _available(cls, mode: Mode) -> Mode:
        if mode in ("paper", "live"):
            raise PydanticCustomError(
                "mode",
                "is not available yet: paper and live need a venue connection, which this version does not have; "
                "allowed: virtual",
            )
        return mode

    @field_validator("symbols", mode="after")
    @classmethod
    def _one_quote(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        quotes = sorted({quote_of(symbol) for symbol in symbols})
        if len(quotes) > 1:
            raise PydanticCustomError(
                "quotes", "must share one quote currency, found {quotes}", {"quotes": " and ".join(quotes)}
            )
        return symbols


def complete(strategy: Strategy, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of the strategy: what was given over its defaults.

    Raises an error of type "within" whose context `errors` holds pydantic's list.
    """
    model = strategy.Parameters
    errors: list[Any] = []
    for name, value in given.items():
        try:
            refuse_truth_for_a_number(model, name, value)
        except PydanticCustomError as fault:
            errors.append({"loc": (name,), "msg": fault.message(), "type": fault.type, "input": value})
    try:
        found = model.model_validate(dict(given))
    except ValidationError as fault:
        errors.extend(fault.errors(include_url=False))
    if errors:
        raise within(model, errors)
    return found.model_dump()


def within(model: type[BaseModel], errors: list[Any]) -> PydanticCustomError:
    """Return one error that holds those of a model inside, so that each keeps its place."""
    said = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors)
    return PydanticCustomError("within", "{said}", {"said": said, "errors": errors, "model": model})


def _over_defaults(strategy: Strategy, data: Mapping[str, Any]) -> dict[str, Any]:
    risk = {name: value for name, value in strategy.defaults.items() if name in RiskSettings.model_fields}
    rest = {name: value for name, value in strategy.defaults.items() if name not in risk}
    unknown = [name for name in rest if name not in BotSettings.model_fields]
    if unknown:
        raise PydanticCustomError(
            "defaults",
            "strategy {name} has a default for {unknown}, which is neither a setting of a bot nor of risk",
            {"name": strategy.name, "unknown": unknown[0]},
        )
    given = data.get("risk", {})
    if isinstance(given, Mapping):
        return {**rest, **data, "risk": {**risk, **given}}
    return {**rest, **data}


def quote_of(symbol: str) -> str:
    """Return the quote currency of a unified symbol."""
    return symbol.split("/")[-1].split(":")[0]
