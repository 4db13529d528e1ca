"""What settings may name: strategies and symbols. Handed to the models when they are validated.

The shell hands in a catalogue that also knows users' strategy files and the venues' tables;
without one the built-in strategies are known, and symbols must be written in full.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from regatta.domain.errors import BadInput
from regatta.domain.instrument import unified_symbol


class Strategy(Protocol):
    """What settings need to know of a strategy."""

    @property
    def name(self) -> str: ...
    @property
    def Parameters(self) -> type[BaseModel]: ...  # noqa: N802
    @property
    def defaults(self) -> Mapping[str, object]: ...


class Named(NamedTuple):
    """A strategy with the name that finds it again: a built-in name, or a file's absolute path."""

    name: str
    strategy: Strategy


class Catalogue(Protocol):
    """Strategies and symbols by what users call them. Unknown ones raise BadInput."""

    def strategy(self, name: str) -> Named:
        """Return the strategy of that name or file."""
        ...

    def symbol(self, venue: str, name: str) -> str:
        """Return the unified symbol of what `name` means on the venue."""
        ...


class BuiltIn:
    """The catalogue without files: built-in strategies, unified symbols."""

    def strategy(self, name: str) -> Named:
        """Return the built-in strategy of that name."""
        from regatta.strategies import builtin

        known = builtin()
        if name not in known:
            raise BadInput(f"there is no strategy {name!r}{did_you_mean(name, known)}; built in: {', '.join(known)}")
        return Named(name, known[name])

    def symbol(self, venue: str, name: str) -> str:
        """Return the unified symbol; "BTCUSDT" needs a venue's table and is refused here."""
        return unified_symbol(name)


def did_you_mean(name: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """Return "; did you mean X?" when something known is written almost like `name`, else ""."""
    lower = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), list(lower), n=1, cutoff=0.6)
    return f"; did you mean {lower[near[0]]}?" if near else ""
