"""Reading a check: the numbers behind it, and whether they pass, from a graph's state."""

from collections.abc import Sequence
from dataclasses import dataclass

from regatta.domain.signal import Check

State = Sequence[float]


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of the state. index: its place; or, where index is None, the constant itself."""

    index: int | None
    constant: float = 0.0

    def read(self, state: State) -> float:
        return self.constant if self.index is None else state[self.index]


@dataclass(frozen=True, slots=True)
class Comparison:
    """a relation b."""

    relation: str
    a: Cell
    b: Cell

    def passed(self, state: State) -> bool | None:
        """Return whether it holds; None while a side is unknown."""
        a, b = self.a.read(state), self.b.read(state)
        if a != a or b != b:
            return None
        if self.relation == "<":
            return a < b
        if self.relation == "<=":
            return a <= b
        return a > b if self.relation == ">" else a >= b


@dataclass(frozen=True, slots=True)
class Crossing:
    """Both sides of a cross; shown by the values of now."""

    direction: str
    was: Comparison
    now: Comparison

    def passed(self, state: State) -> bool | None:
        return every(self.was.passed(state), self.now.passed(state))


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions: all of them (`needed` = their number) or at least one."""

    needed: int
    members: "tuple[Reading, ...]"

    def passed(self, state: State) -> bool | None:
        results = [m.passed(state) for m in self.members]
        if self.needed == len(results):
            return every(*results)
        return True if True in results else None if None in results else False


Reading = Comparison | Crossing | Group


def every(*results: bool | None) -> bool | None:
    """Return whether all hold: False if one surely does not, else None if one is unknown."""
    return False if False in results else None if None in results else True


def show(name: str, reading: Reading, state: State) -> Check:
    """Return the check with its numbers: value, relation, threshold.

    A cross shows both values of now, a group how many of its members hold and how many must.
    """
    passed = reading.passed(state)
    match reading:
        case Comparison(relation, a, b) | Crossing(_, _, Comparison(relation, a, b)):
            words = f"crosses {reading.direction}" if isinstance(reading, Crossing) else relation
            return Check(name, known(a.read(state)), known(b.read(state)), words, passed)
        case Group(needed, members):
            held = sum(m.passed(state) is True for m in members)
            return Check(name, float(held), float(needed), ">=", passed)


def known(value: float) -> float | None:
    """Return the value, None for NaN."""
    return None if value != value else value
