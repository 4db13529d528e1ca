"""Rules: the named checks of a strategy, by what they make the bot do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from regatta.graph.nodes import Condition, Node, condition, node

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
"""Bits of a signal byte: every check of that output passes at this candle."""

OUTPUTS: Mapping[int, str] = {
    ENTER_LONG: "enter_long",
    EXIT_LONG: "exit_long",
    ENTER_SHORT: "enter_short",
    EXIT_SHORT: "exit_short",
}


@dataclass(frozen=True, slots=True)
class Checks:
    """Named conditions in the order in which they are looked at. All must pass."""

    members: tuple[tuple[str, Condition], ...]

    def __iter__(self) -> Iterator[tuple[str, Condition]]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.members)


def checks(**named: Condition | None) -> Checks:
    """Name the conditions of an entry or an exit, in order; None is a check that is switched off.

    Raises TypeError for what is not a condition, ValueError when none is left.
    """
    members = []
    for name, value in named.items():
        if value is None:
            continue
        try:
            members.append((name, condition(value)))
        except TypeError as error:
            raise TypeError(f"check {name}: {error}") from None
    if not members:
        raise ValueError(f"no check is left: {', '.join(named) or 'none was given'} (all are switched off)")
    return Checks(tuple(members))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a strategy declares: when to enter and leave, and how good a signal is.

    score: 0-100, ranks the entries of one moment; without it all are equal.
    columns: further numbers that sizing, stops or charts need at each candle, by name.
    """

    enter_long: Checks | None = None
    exit_long: Checks | None = None
    enter_short: Checks | None = None
    exit_short: Checks | None = None
    score: Node | None = None
    columns: Mapping[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.enter_long is None and self.enter_short is None:
            raise ValueError("rules need enter_long or enter_short")
        for name in OUTPUTS.values():
            value = getattr(self, name)
            if value is not None and not isinstance(value, Checks):
                raise TypeError(f"{name} is {value!r}; write checks(name=condition, ...)")

    @property
    def outputs(self) -> tuple[tuple[int, Checks], ...]:
        """The declared outputs: bit of the signal byte, and its checks."""
        every = ((bit, getattr(self, name)) for bit, name in OUTPUTS.items())
        return tuple((bit, its) for bit, its in every if its is not None)

    @property
    def numbers(self) -> tuple[tuple[str, Node], ...]:
        """The declared columns of numbers: the score first, if there is one."""
        score = () if self.score is None else (("score", node(self.score)),)
        return (*score, *((name, node(value)) for name, value in self.columns.items()))
