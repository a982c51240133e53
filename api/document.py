"""The OpenAPI document (https://spec.openapis.org/oas/v3.1.0): the declared operations in
openapi-pydantic's models of it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import openapi_pydantic as oas
from openapi_pydantic import DataType
from openapi_pydantic.util import PydanticSchema, construct_open_api_with_schema_class, ref_template
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from api.operations import Answer, Operation
from api.outputs import Error
from config import VERSION

_KEY: Final = "key"  # or the browser's session, or nobody where a site has no sign-in
# nobody signed in, not from here, our fault, a database that does not answer
_ALWAYS: Final = (401, 403, 500, 503)


def openapi_document(operations: Iterable[Operation], prefix: str) -> dict[str, Any]:
    """The document of the operations; paths are relative to its server, the site's prefix."""
    paths: dict[str, oas.PathItem] = {}
    for operation in operations:
        path = paths.setdefault(re.sub(r"<(\w+)>", r"{\1}", operation.path), oas.PathItem())
        setattr(path, operation.method.lower(), _operation(operation))
    document = oas.OpenAPI(
        openapi="3.1.0",
        info=oas.Info(
            title="Riwayat",
            version=VERSION,
            description="Histories of weather stations: start a load, follow it, take its figure, statistics and rows.",
        ),
        servers=[oas.Server(url=prefix.rstrip("/") or "/")],
        paths=paths,
        components=oas.Components(securitySchemes={_KEY: _key_scheme()}),
    )
    made = construct_open_api_with_schema_class(document)
    return made.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


def _operation(operation: Operation) -> oas.Operation:
    summary, _, more = (inspect.getdoc(operation.view) or "").partition("\n\n")
    refusals = sorted({*operation.refusals, *_ALWAYS})
    return oas.Operation(
        operationId=operation.view.__name__,
        summary=summary.replace("\n", " "),
        security=[{_KEY: [operation.scope]}, {}],
        description=more.replace("\n", " ") or None,
        parameters=[*_path_parameters(operation.path), *_query_parameters(operation.query)],
        requestBody=_body(operation),
        responses={
            **{str(status): _answer(answer) for status, answer in operation.answers.items()},
            **{str(status): _answer(_refusal(status)) for status in refusals},
        },
    )


def _body(operation: Operation) -> oas.RequestBody | None:
    content = _json(operation.body) if operation.body else {}
    for kind, model in operation.takes.items():
        content |= _json(model) if model else {kind: oas.MediaType()}
    return oas.RequestBody(required=True, content=content) if content else None


def _key_scheme() -> oas.SecurityScheme:
    says = "A key of the account page, or of manage.py keys add; the roles of a route are the scopes that it must have."
    return oas.SecurityScheme(type="http", scheme="bearer", bearerFormat="rwk_ID_SECRET", description=says)


def _refusal(status: int) -> Answer:
    waits = {"Retry-After": "Seconds after which to try again."} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    return Answer(HTTPStatus(status).phrase, Error, headers=waits)


def _answer(answer: Answer) -> oas.Response:
    bare = {kind: oas.MediaType() for kind in answer.content_types}
    text = oas.Schema(type=DataType.STRING)
    return oas.Response(
        description=answer.description,
        content={**(_json(answer.model) if answer.model else {}), **bare} or None,
        headers={name: oas.Header(description=says, schema=text) for name, says in answer.headers.items()} or None,
    )


def _json(model: type[BaseModel]) -> dict[str, oas.MediaType]:
    return {"application/json": oas.MediaType(schema=PydanticSchema(schema_class=model))}


def _path_parameters(path: str) -> list[oas.Parameter]:
    return [_parameter("path", name, {"type": "string", "minLength": 1}) for name in re.findall(r"<(\w+)>", path)]


def _query_parameters(model: type[BaseModel] | None) -> list[oas.Parameter]:
    """Return the fields of a query's model; what they refer to is among the components."""
    if model is None:
        return []
    properties = model.model_json_schema(ref_template=ref_template, schema_generator=_Given)["properties"]
    return [_parameter("query", name, schema) for name, schema in properties.items()]


def _parameter(place: str, name: str, schema: dict[str, Any]) -> oas.Parameter:
    says = schema.pop("description", None)
    return oas.Parameter.model_validate(
        {"name": name, "in": place, "required": place == "path", "description": says, "schema": schema}
    )


class _Given(GenerateJsonSchema):
    """Schemas of parameters: one is absent rather than null, and its name is said beside it."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return super().default_schema(schema) if schema.get("default") is not None else self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic asks with it
        return False
