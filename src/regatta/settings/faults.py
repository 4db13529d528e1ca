"""What is wrong with settings: where, which field, which value, and what is allowed."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel

from regatta.domain.errors import BadInput
from regatta.settings.catalogue import did_you_mean

Loc = tuple[str | int, ...]


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong. where: file with line, variable or option; field: dotted, may be ""."""

    where: str
    field: str
    problem: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.field, self.problem) if part)


class BadSettings(BadInput):
    """Settings that can't be used: every fault of every file, in one error."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def explain(
    model: type[BaseModel],
    errors: Sequence[Mapping[str, Any]],
    where: Callable[[Loc], str],
    outer: Loc = (),
) -> Iterator[Fault]:
    """Yield a fault for each of pydantic's errors.

    where: what to call the place of a location; outer: where the model stands in the whole.
    """
    for error in errors:
        loc: Loc = tuple(error["loc"])
        if error["type"] == "within":  # a model inside, validated by itself
            yield from explain(error["ctx"]["model"], error["ctx"]["errors"], where, (*outer, *loc))
            continue
        yield Fault(where((*outer, *loc)), dotted((*outer, *loc)), _problem(model, loc, error))


def dotted(loc: Loc) -> str:
    """Return "risk.stop_pct" or "symbols[2]"."""
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def allowed(model: type[BaseModel], loc: Loc) -> str:
    """Return what the field takes, in words: "above 0, at most 100 (%)", or "" when unknown."""
    schema = model.model_json_schema()
    return in_words(_schema_at(schema, loc), schema)


def in_words(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return what a field of a JSON schema takes, in words; schema: the whole, for references."""
    field = _resolved(field, schema)
    unit = f" ({field['unit']})" if field.get("unit") else ""
    kinds = field.get("anyOf", [field])
    words = [_kind_in_words(_resolved(kind, schema)) for kind in kinds if kind.get("type") != "null"]
    # Decimals are also taken as text: one wording is enough.
    said = next((word for word in words if word != "text"), words[0] if words else "")
    empty = ", or empty" if any(kind.get("type") == "null" for kind in kinds) else ""
    return said + unit + empty if said else ""


def _kind_in_words(kind: Mapping[str, Any]) -> str:
    if "enum" in kind:
        return ", ".join(str(choice) for choice in kind["enum"])
    if "const" in kind:
        return str(kind["const"])
    match kind.get("type"):
        case "boolean":
            return "true or false"
        case "integer" | "number" as number:
            bounds = [
                f"{word} {_plain(kind[key])}"
                for key, word in (
                    ("minimum", "at least"),
                    ("exclusiveMinimum", "above"),
                    ("maximum", "at most"),
                    ("exclusiveMaximum", "below"),
                )
                if key in kind
            ]
            return " ".join(["a whole number" if number == "integer" else "a number", ", ".join(bounds)]).strip()
        case "string":
            if kind.get("format") == "date-time":
                return "a date or time"
            if "pattern" in kind and kind.get("format") is None and "description" in kind:
                return str(kind["description"]).rstrip(".")
            return "text"
        case "array":
            return "a list"
        case "object":
            return "a section of its own (name: value)"
    return ""


def _plain(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:,.12g}"


def _problem(model: type[BaseModel], loc: Loc, error: Mapping[str, Any]) -> str:
    kind, value = error["type"], error.get("input")
    if kind == "extra_forbidden":
        known = _fields_at(model, loc[:-1])
        return f"is not a setting{did_you_mean(str(loc[-1]), known)}; allowed: {', '.join(known)}"
    message = str(error["msg"])
    if kind in _SAYING_ALL:
        return message
    shown = "" if isinstance(value, Mapping | list | tuple) else _shown(value)
    if kind in _SAYING_WHAT_IS_ALLOWED:
        return f"{shown} {message}".strip()
    takes = allowed(model, loc)
    if kind == "missing":
        return f"is missing; allowed: {takes}" if takes else "is missing"
    if kind == "literal_error" and isinstance(value, str):
        return f"{shown} is not known{did_you_mean(value, takes.split(', '))}; allowed: {takes}"
    if not takes or kind.startswith("decimal_max"):
        return f"{shown} is not allowed: {message}".strip()
    return f"{shown} is not allowed; allowed: {takes}" if shown else f"must be {takes}"


_SAYING_ALL = frozenset({"symbol", "strategy", "period", "replay", "start", "defaults", "quotes", "value_error"})
"""Kinds of error whose message names the value and what is allowed."""
_SAYING_WHAT_IS_ALLOWED = frozenset({"mode", "host", "doubled", "not_a_time", "not_a_minute", "misfit"})
"""Kinds of error whose message goes on after the value."""


def _shown(value: object) -> str:
    """Return the value as the file would have it, shortened."""
    if isinstance(value, str):
        text = f"'{value}'"
    elif value is None:
        text = "empty"
    else:
        try:
            text = json.dumps(value)
        except TypeError:
            text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


# --- JSON schema -----------------------------------------------------------------------------


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the field with its reference followed; what stands beside the reference wins."""
    if "$ref" not in field:
        return field
    target = schema["$defs"][field["$ref"].rsplit("/", 1)[-1]]
    return {**target, **{key: value for key, value in field.items() if key != "$ref"}}


def _schema_at(schema: Mapping[str, Any], loc: Loc) -> Mapping[str, Any]:
    """Return the part of a JSON schema that describes a location; empty when there is none."""
    at: Mapping[str, Any] = schema
    for part in loc:
        at = _resolved(at, schema)
        for option in at.get("anyOf", ()):
            option = _resolved(option, schema)
            if "properties" in option or "items" in option:
                at = option
        at = at.get("items", {}) if isinstance(part, int) else at.get("properties", {}).get(part, {})
    return at


def _fields_at(model: type[BaseModel], loc: Loc) -> list[str]:
    schema = model.model_json_schema()
    at = _resolved(_schema_at(schema, loc), schema)
    for option in at.get("anyOf", ()):
        option = _resolved(option, schema)
        if "properties" in option:
            at = option
    return [name for name in at.get("properties", {}) if loc or name != "bots"]
