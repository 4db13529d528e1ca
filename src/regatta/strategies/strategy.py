"""What a strategy is: a name, parameters with bounds, and the rules they give on a market."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from regatta.graph import Market, Rules


class StrategyParameters(BaseModel):
    """The numbers of a strategy that its user may set. A name it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


def parameter(default: Any, title: str, description: str, unit: str = "", **bounds: Any) -> Any:
    """Describe one parameter: its default, its title and help text in the dashboard, its unit.

    bounds: ge, gt, le, lt as pydantic's Field takes them.
    """
    extra: dict[str, Any] = {"unit": unit, "applies": "restart"}
    return Field(default, title=title, description=description, json_schema_extra=extra, **bounds)


@dataclass(frozen=True, slots=True)
class Strategy:
    """One strategy. It knows nothing of orders or balances: it says when, the risk rules how much.

    rules: makes the rules from the market's columns and an instance of Parameters.
    defaults: settings of the bot and of its risk that this strategy is meant for, e.g.
    {"timeframe": "1m", "stop_pct": 2.0}; the user's own go before them.
    """

    name: str
    title: str
    description: str
    Parameters: type[StrategyParameters]
    rules: Callable[[Market, Any], Rules]
    defaults: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
