"""What station gateways post to the receiver, as the older dashboard takes it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from api.inputs import LONGEST_NAME, refuse_bool

MOST_ITEMS: Final = 10_000

_NUMBER: Final = BeforeValidator(refuse_bool)
# what that dashboard refuses; the catalogue's own ranges are narrower or wider, and only flag
_Temperature = Annotated[Annotated[float, Field(ge=-50, le=100, allow_inf_nan=False)] | None, _NUMBER]
_Humidity = Annotated[Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None, _NUMBER]
_Pressure = Annotated[Annotated[float, Field(ge=800, le=1200, allow_inf_nan=False)] | None, _NUMBER]
_Direction = Annotated[Annotated[float, Field(ge=0, le=360, allow_inf_nan=False)] | None, _NUMBER]
_AtLeastZero = Annotated[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, _NUMBER]
_Station = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\u0000]*$")]


class ReceiverItem(BaseModel):
    """An observation of a station; any other sensor of the catalogue may stand beside these."""

    model_config = ConfigDict(extra="allow", frozen=True)

    station: Annotated[_Station, Field(alias="_groupTag", examples=["aws1"])]
    time: Annotated[
        Annotated[str, StringConstraints(strict=True, max_length=64)],
        Field(alias="_terminalTime", examples=["2025-08-11 10:30:00"]),
    ]
    temperature: _Temperature = None
    humidity: _Humidity = None
    pressure: _Pressure = None
    wind_direction: _Direction = None
    rainfall: _AtLeastZero = None
    wind_speed: _AtLeastZero = None
    par_sensor: _AtLeastZero = None
    solar_radiation: _AtLeastZero = None


class ReceiverBody(BaseModel):
    """1 to 10,000 observations."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    items: Annotated[list[ReceiverItem], Field(alias="DataArray", min_length=1, max_length=MOST_ITEMS)]


_SENTENCES: Final = {
    "missing": "The {field} field is required.",
    "string_type": "The {field} field must be a string.",
    "string_too_short": "The {field} field is required.",
    "string_too_long": "The {field} field must not be greater than {max_length} characters.",
    "string_pattern_mismatch": "The {field} field format is invalid.",
    "value_error": "The {field} field must be a number.",
    "float_type": "The {field} field must be a number.",
    "float_parsing": "The {field} field must be a number.",
    "finite_number": "The {field} field must be a number.",
    "greater_than_equal": "The {field} field must be at least {ge:g}.",
    "less_than_equal": "The {field} field must not be greater than {le:g}.",
    "list_type": "The {field} field must be an array.",
    "model_type": "The {field} field must be an object.",
    "too_short": "The {field} field must have at least {min_length} items.",
    "too_long": "The {field} field must not have more than {max_length} items.",
}
MOST_ERRORS: Final = 100  # that an answer lists; more say nothing more


def receiver_errors(wrong: ValidationError) -> dict[str, list[str]]:
    """Return what is wrong by field (``DataArray.0.temperature``), in that dashboard's words."""
    found: dict[str, list[str]] = {}
    for error in wrong.errors(include_url=False)[:MOST_ERRORS]:
        context: dict[str, Any] = error.get("ctx", {})
        field = ".".join(map(str, error["loc"])) or "DataArray"
        sentence = _SENTENCES.get(error["type"], "The {field} field is not valid.").format(field=field, **context)
        found.setdefault(field, []).append(sentence)
    return found
