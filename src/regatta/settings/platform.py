"""All settings of one installation."""

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from regatta.settings.bot import BotSettings
from regatta.settings.market import VirtualMarketSettings
from regatta.settings.section import Section, setting
from regatta.settings.server import LogSettings, ServerSettings


class Settings(Section):
    """The platform and its bots."""

    market: Annotated[VirtualMarketSettings, setting("Market", "What virtual bots trade on.")] = Field(
        default_factory=VirtualMarketSettings
    )
    server: Annotated[ServerSettings, setting("Server", "Where the dashboard is.")] = Field(
        default_factory=ServerSettings
    )
    log: Annotated[LogSettings, setting("Log", "What is logged.")] = Field(default_factory=LogSettings)
    bots: Annotated[tuple[BotSettings, ...], setting("Bots", "Each bot; one file each in config/bots.")] = ()

    @property
    def market_symbols(self) -> tuple[str, ...]:
        """Symbols of the market: the named ones, or all that enabled virtual bots trade; sorted."""
        if self.market.symbols:
            return self.market.symbols
        traded = {symbol for bot in self.bots if bot.enabled and bot.mode == "virtual" for symbol in bot.symbols}
        return tuple(sorted(traded))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        errors = list(self._misfits())
        if errors:
            said = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors)
            raise PydanticCustomError("within", "{said}", {"said": said, "errors": errors, "model": Settings})
        return self

    def _misfits(self) -> Iterator[dict[str, Any]]:
        """Yield what is right by itself but not together, as pydantic lists errors."""
        seen: dict[str, str] = {}
        for i, bot in enumerate(self.bots):
            if bot.name.lower() in seen:
                other = seen[bot.name.lower()]
                yield _misfit(("bots", i, "name"), bot.name, f"another bot is named {other}; names must differ")
            seen[bot.name.lower()] = bot.name
            if bot.mode == "virtual":
                yield from self._misfits_with_the_market(i, bot)

    def _misfits_with_the_market(self, i: int, bot: BotSettings) -> Iterator[dict[str, Any]]:
        market = self.market
        if bot.venue != market.venue:
            yield _misfit(
                ("bots", i, "venue"), bot.venue, f"virtual bots trade on the market's venue; allowed: {market.venue}"
            )
            return
        if bot.timeframe_ms % market.timeframe_ms:
            yield _misfit(
                ("bots", i, "timeframe"),
                bot.timeframe,
                f"must be a multiple of the market's timeframe {market.timeframe}",
            )
        absent = [symbol for symbol in bot.symbols if market.symbols and symbol not in market.symbols]
        if absent:
            yield _misfit(
                ("bots", i, "symbols"), absent[0], f"is not in the market, which holds {', '.join(market.symbols)}"
            )


def _misfit(loc: tuple[str | int, ...], value: object, message: str) -> dict[str, Any]:
    return {"loc": loc, "msg": message, "type": "misfit", "input": value}
