"""The OpenAPI document (https://spec.openapis.org/oas/v3.1.0), made from the declared operations and their models."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.models import Error
from api.operations import Answer, Operation

VERSION: Final = "0.1.0"  # the project's

_REFS: Final = "#/components/schemas/{model}"
_ALWAYS: Final = (401, 403, 500, 503)  # nobody signed in, not from here, our fault, a database that does not answer
_JSON: Final = "application/json"


def openapi_document(operations: Iterable[Operation], prefix: str) -> dict[str, Any]:
    """The document of the operations; paths are relative to its server, the site's prefix."""
    known = list(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        paths.setdefault(_template(operation.path), {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Riwayat",
            "version": VERSION,
            "description": "Histories of weather stations: start a load, follow it, take its figure, statistics and rows.",
        },
        "servers": [{"url": prefix.rstrip("/") or "/"}],
        "paths": paths,
        "components": {"schemas": _schemas(known)},
    }


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    inputs = {operation.body for operation in operations if operation.body}
    outputs = {answer.model for operation in operations for answer in operation.answers.values() if answer.model} | {Error}
    wanted = [(model, "validation") for model in inputs] + [(model, "serialization") for model in outputs]
    wanted.sort(key=lambda pair: pair[0].__name__)
    _, found = models_json_schema(wanted, ref_template=_REFS)  # type: ignore[arg-type]
    schemas: dict[str, Any] = found.get("$defs", {})
    return schemas


def _operation(operation: Operation) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(operation.view) or "").partition("\n\n")
    made: dict[str, Any] = {
        "operationId": operation.view.__name__,
        "summary": summary.replace("\n", " "),
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query)],
        "responses": {
            **{str(status): _answer(answer) for status, answer in operation.answers.items()},
            **{str(status): _refusal(status) for status in sorted({*operation.refusals, *_ALWAYS})},
        },
    }
    if more:
        made["description"] = more.replace("\n", " ")
    if operation.body:
        made["requestBody"] = {"required": True, "content": {_JSON: {"schema": _ref(operation.body)}}}
    return made


def _answer(answer: Answer) -> dict[str, Any]:
    made: dict[str, Any] = {"description": answer.description}
    if answer.model:
        made["content"] = {_JSON: {"schema": _ref(answer.model)}}
    elif answer.content_types:
        made["content"] = {kind: {} for kind in answer.content_types}
    if answer.headers:
        made["headers"] = {name: _header(says) for name, says in answer.headers.items()}
    return made


def _header(says: str) -> dict[str, Any]:
    return {"description": says, "schema": {"type": "string"}}


def _refusal(status: int) -> dict[str, Any]:
    made: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": {_JSON: {"schema": _ref(Error)}}}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        made["headers"] = {"Retry-After": _header("Seconds after which to try again.")}
    return made


def _template(path: str) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", path)


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"<(\w+)>", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for name in names]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(by_alias=True)
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    return [_parameter(name, dict(found), definitions) for name, found in schema["properties"].items()]


def _parameter(name: str, schema: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter is absent rather than null, so the models' null is left out, and definitions are written in place."""
    schema.pop("title", None)
    made: dict[str, Any] = {"name": name, "in": "query", "required": False}
    if says := schema.pop("description", None):
        made["description"] = says
    if schema.get("default", ...) is None:
        del schema["default"]
    choices = schema.pop("anyOf", [])
    for choice in [*choices, schema]:
        if reference := choice.pop("$ref", None):
            choice.update(definitions[reference.rpartition("/")[2]])
        if choice.get("type") != "null" and choice is not schema:
            schema.update(choice)
        schema.pop("title", None)
    return made | {"schema": schema}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFS.format(model=model.__name__)}
