"""Reading YAML so that each value remembers its line, and every fault is found at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from regatta.domain.errors import EnvironmentFault
from regatta.settings.faults import Fault, Loc, dotted

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

DEEPEST = 32
"""Levels of nesting; more is a file that refers to itself."""


class Document:
    """The values of one file and the line of each.

    shown: the file's name in messages; broken: it could not be read as YAML, and has no values.
    """

    def __init__(self, shown: str, data: Any, lines: dict[Loc, int], faults: list[Fault], broken: bool = False) -> None:
        self.shown = shown
        self.data = data
        self.faults = faults
        self.broken = broken
        self._lines = lines

    def has(self, loc: Loc) -> bool:
        """Tell whether the file itself has something at the location."""
        return loc in self._lines

    def where(self, loc: Loc) -> str:
        """Return "file:line" of a value, or of the nearest thing around it that has a line."""
        for end in range(len(loc), -1, -1):
            if loc[:end] in self._lines:
                return f"{self.shown}:{self._lines[loc[:end]]}"
        return self.shown


def read_yaml(path: Path) -> Document:
    """Read one YAML 1.2 file with one mapping in it.

    What is wrong with the YAML itself is in `faults`; `data` is then an empty mapping, or,
    for doubled keys, holds the first of them. Raises EnvironmentFault when the file can't be
    read at all.
    """
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise EnvironmentFault(f"cannot read {path}: {fault.strerror or fault}") from fault
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        return _refused(path, line, "the file is not UTF-8 text")
    if not text.strip():
        return _refused(path, 1, "the file is empty; write settings into it, or delete it")
    tab = _tab_in_indent(text)
    if tab:
        return _refused(path, tab, "a tab is used to indent; YAML allows spaces only")
    return _parsed(path, text)


def _parsed(path: Path, text: str) -> Document:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        said = " ".join(str(part).strip() for part in (fault.problem, fault.context) if part)
        return _refused(path, mark.line + 1 if mark else 1, f"broken YAML: {said}")
    except YAMLError as fault:
        line = text[: getattr(fault, "position", 0)].count("\n") + 1
        said = " ".join(str(fault).split())
        return _refused(path, line, f"broken YAML: {said}")
    if root is None:  # comments only: nothing is set
        return Document(str(path), {}, {(): 1}, [])
    reader = _Reader(str(path), yaml)
    data = reader.value(root, ())
    if not isinstance(data, dict):
        return _refused(path, root.start_mark.line + 1, "must hold settings (name: value)")
    return Document(str(path), data, reader.lines, reader.faults)


_PLAIN = frozenset({"str", "int", "float", "bool", "null"})


class _Reader:
    """Turns YAML nodes into plain values and notes where each stands."""

    def __init__(self, shown: str, yaml: Any) -> None:
        self.lines: dict[Loc, int] = {(): 1}
        self.faults: list[Fault] = []
        self._shown = shown
        self._yaml = yaml

    def value(self, node: "Node", loc: Loc) -> Any:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        if len(loc) > DEEPEST:
            self._fault(node, loc[:4], f"is nested more than {DEEPEST} levels deep")
            return None
        self.lines.setdefault(loc, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*loc, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, loc)

    def _mapping(self, node: "Node", loc: Loc) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*loc, key)
            line = key_node.start_mark.line + 1
            if key in found:
                self._fault(key_node, inner, f"is written twice, first in line {self.lines[inner]}")
                continue
            self.lines[inner] = line
            found[key] = self.value(value_node, inner)
        return found

    def _scalar(self, node: "Node", loc: Loc) -> Any:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if kind == "timestamp":  # times are read by the models, as text
            return str(node.value)
        if kind not in _PLAIN:
            self._fault(node, loc, f"has the tag {node.tag}; tags are not allowed")
            return None
        try:
            return self._yaml.constructor.construct_object(node)
        except Exception as fault:
            self._fault(node, loc, f"'{node.value}' can't be read: {fault}")
            return None

    def _fault(self, node: "Node", loc: Loc, problem: str) -> None:
        self.faults.append(Fault(f"{self._shown}:{node.start_mark.line + 1}", dotted(loc), problem))


def _refused(path: Path, line: int, problem: str) -> Document:
    return Document(str(path), {}, {(): line}, [Fault(f"{path}:{line}", "", problem)], broken=True)


def _tab_in_indent(text: str) -> int:
    """Return the line whose indentation has a tab, or 0."""
    for number, line in enumerate(text.splitlines(), 1):
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent and line.strip() and not line.lstrip().startswith("#"):
            return number
    return 0
