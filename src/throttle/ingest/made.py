"""Values made by the hundred thousand, without asking of each field again whether it is of its type.

Only for fields whose types the caller knows to be right; what came from outside goes through the model itself.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar

from throttle_models import Model, When

_M = TypeVar("_M", bound=Model)
_set = object.__setattr__


@lru_cache(maxsize=64)
def _defaults(model: type[Model]) -> dict[str, Any]:
    """Immutable values, but for empty maps, which nobody changes in a frozen model."""
    return {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in model.model_fields.items()
        if not field.is_required()
    }


@lru_cache(maxsize=4096)
def _names(fields: tuple[str, ...]) -> set[str]:
    """One set for all values with the same fields set: a copy of a model copies it."""
    return set(fields)


def made(model: type[_M], **fields: Any) -> _M:
    """The frozen value that ``model(**fields)`` is, for fields that are of their types already."""
    value = model.__new__(model)
    _set(value, "__dict__", _defaults(model) | fields)
    _set(value, "__pydantic_fields_set__", _names(tuple(fields)))
    _set(value, "__pydantic_extra__", None)
    _set(value, "__pydantic_private__", None)
    return value


def utc_text(moment: datetime) -> str:
    """``2026-11-23T14:00Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")


@lru_cache(maxsize=1 << 18)
def when(moment: date | datetime) -> When:
    """A moment as the portfolio has it; equal ones are one value."""
    return made(When, text=utc_text(moment) if isinstance(moment, datetime) else moment.isoformat())
