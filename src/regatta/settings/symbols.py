"""Symbols and timeframes as users write them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from regatta.domain.errors import BadInput
from regatta.settings.catalogue import BuiltIn, Catalogue

Timeframe = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"]
"""The keys of `domain.timeframe.TIMEFRAMES_MS`, for schemas and forms."""


def catalogue_of(info: ValidationInfo) -> Catalogue:
    """Return the catalogue that was handed to the validation, or the built-in one."""
    found: Catalogue | None = (info.context or {}).get("catalogue")
    return found or BuiltIn()


def _resolved(name: str, info: ValidationInfo) -> str:
    """Return the unified symbol of what was typed, on the venue named beside it."""
    venue = info.data.get("venue")
    if venue is None:  # the venue is wrong, and that is reported
        return name
    try:
        return catalogue_of(info).symbol(venue, name)
    except BadInput as fault:
        raise PydanticCustomError("symbol", "{reason}", {"reason": str(fault)}) from None


def _listed(value: object) -> object:
    """Take "BTC/USDT, ETH/USDT" for a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _sorted(symbols: Sequence[str]) -> tuple[str, ...]:
    doubled = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if doubled:
        raise PydanticCustomError("doubled", "names {symbol} twice", {"symbol": doubled[0]})
    return tuple(sorted(symbols))


Symbol = Annotated[str, AfterValidator(_resolved)]
Symbols = Annotated[tuple[Symbol, ...], BeforeValidator(_listed), AfterValidator(_sorted)]
"""Unified symbols, sorted by name, each once."""
