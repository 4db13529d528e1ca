"""What all settings have in common: unknown names refused, nothing guessed, each field described."""

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

Applies = Literal["at_once", "next_entry", "restart"]
"""When a changed setting takes effect. Open positions keep the stop and target of their entry."""


class Section(BaseModel):
    """A group of settings. Frozen; a name that is not a field is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        refuse_truth_for_a_number(cls, str(info.field_name), value)
        return value


def refuse_truth_for_a_number(model: type[BaseModel], name: str, value: object) -> None:
    """Raise when `value` is true or false and the field is not: pydantic would read 1 or 0."""
    field = model.model_fields.get(name)
    if isinstance(value, bool) and field is not None:
        wanted = field.annotation
        if wanted is not bool and bool not in get_args(wanted) and wanted is not Any:
            raise PydanticCustomError("truth_for_a_number", "a value is wanted here, not true or false")


def setting(title: str, description: str, unit: str = "", applies: Applies = "restart", **bounds: Any) -> Any:
    """Return the pydantic field of one setting; unit "" when it has none; bounds: as `pydantic.Field` takes them."""
    return Field(title=title, description=description, json_schema_extra={"unit": unit, "applies": applies}, **bounds)
