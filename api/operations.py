"""A route of the API and what its document says of it, declared in one place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar, get_origin

from flask import Blueprint, Request, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest

from access.identity import Identity
from access.scopes import Scope
from errors import InvalidRequest, NotFound, OutOfScope, UnsupportedMedia

Method = Literal["GET", "POST", "PATCH", "DELETE"]
View = Callable[..., Response]
Model = TypeVar("Model", bound=BaseModel)

BODY_BYTES: Final = 1 << 20  # a request names stations and sensors, and holds no data
_LONGEST_REASON: Final = 200


@dataclass(frozen=True)
class Answer:
    """What comes back: a model as JSON, or content of other types; ``headers`` by name."""

    description: str
    model: type[BaseModel] | None = None
    content_types: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One method of one path; ``answers`` by status, errors apart (``refusals``);
    a key must be for its ``scope``.

    ``takes``: types of a body that the view reads itself, with the model of those that are JSON.
    """

    method: Method
    path: str
    scope: Scope
    view: View
    answers: Mapping[int, Answer]
    refusals: tuple[int, ...]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    takes: Mapping[str, type[BaseModel] | None] = field(default_factory=dict)


class Api:
    """A blueprint below the prefix and the list of its operations.

    A view gets the parts of the path by name, a checked ``query`` and a checked ``body`` where it
    declared a model. ``asks`` says who asks; each route declares the scope that a key must have for
    it. What is of scope admin is there for administrators only.
    """

    def __init__(self, name: str, prefix: str, identify: Callable[[], Identity]) -> None:
        self._identify = identify
        self.blueprint = Blueprint(name, __name__, url_prefix=prefix.rstrip("/") or None)
        self.operations: list[Operation] = []
        self.blueprint.before_request(self._refuse_hidden)

    def hides(self, endpoint: str | None) -> bool:
        """Whether a route is not there for who identify, by any method."""
        name = (endpoint or "").removeprefix(f"{self.blueprint.name}.")
        scope = next((one.scope for one in self.operations if one.view.__name__ == name), None)
        return scope == "admin" and not self._identify().admin

    def _refuse_hidden(self) -> None:
        """Refuse hidden routes before Flask itself answers OPTIONS."""
        if self.hides(request.endpoint):
            raise no_such_path()

    def get(
        self, path: str, answers: Mapping[int, Answer], *refusals: int, scope: Scope, query: type[BaseModel] | None = None
    ) -> Callable[[View], View]:
        """Declare a GET; ``refusals`` are the statuses of its errors besides every route's."""
        return lambda view: self._add(Operation("GET", path, scope, view, answers, refusals, query=query))

    def post(
        self,
        path: str,
        answers: Mapping[int, Answer],
        *refusals: int,
        scope: Scope,
        body: type[BaseModel] | None = None,
        takes: Mapping[str, type[BaseModel] | None] | None = None,
    ) -> Callable[[View], View]:
        """Declare what changes something; no page of another site can do it. The view reads a body
        of one of the types that it ``takes`` by itself, as long as the guard lets it be.
        """
        refusals = (403, 413, 415, *refusals)
        return lambda view: self._add(Operation("POST", path, scope, view, answers, refusals, body=body, takes=takes or {}))

    def patch(
        self, path: str, answers: Mapping[int, Answer], *refusals: int, scope: Scope, body: type[BaseModel]
    ) -> Callable[[View], View]:
        """Declare what changes the fields that are given; no page of another site can do it."""
        refusals = (403, 413, 415, *refusals)
        return lambda view: self._add(Operation("PATCH", path, scope, view, answers, refusals, body=body))

    def delete(self, path: str, answers: Mapping[int, Answer], *refusals: int, scope: Scope) -> Callable[[View], View]:
        """Declare what removes something; it takes no body."""
        return lambda view: self._add(Operation("DELETE", path, scope, view, answers, (403, *refusals)))

    def _add(self, operation: Operation) -> View:
        def checked(**parts: str) -> Response:
            given: dict[str, Any] = dict(parts)
            require_scope(self._identify(), operation.scope)
            if operation.takes:
                require_type(request, operation.takes)
            elif operation.method in ("POST", "PATCH"):  # the guard has refused other sites
                require_json(request)
            if operation.query is not None:
                given["query"] = read_query(operation.query)
            if operation.body is not None:
                given["body"] = read_body(operation.body)
            return operation.view(**given)

        self.blueprint.add_url_rule(operation.path, operation.view.__name__, checked, methods=[operation.method])
        self.operations.append(operation)
        return operation.view


def no_such_path() -> NotFound:
    """What is said of any path without a route."""
    return NotFound("There is no {path}.", path=request.path[:80])


def require_scope(identity: Identity, scope: Scope) -> None:
    """Raises OutOfScope unless what the identity came with, such as a key, is for this."""
    if scope not in identity.scopes:
        raise OutOfScope("This key lacks the scope {scope}. Create one that has it.", scope=scope)


def read_query(model: type[Model]) -> Model:
    """The query string by a model; an empty value is an absent one, and of a repeated name the
    first counts, or all where the field is a list.

    Raises:
        InvalidRequest: naming the field.
    """
    given: dict[str, Any] = {name: value for name, value in request.args.items() if value.strip()}
    for name, field_info in model.model_fields.items():
        if get_origin(field_info.annotation) is list and name in given:
            given[name] = [value for value in request.args.getlist(name) if value.strip()]
    return _checked(model, given)


def read_body(model: type[Model]) -> Model:
    """The JSON body by a model.

    Raises:
        InvalidRequest: it is no JSON object, or a field is wrong.
        RequestEntityTooLarge: it is longer than BODY_BYTES.
    """
    request.max_content_length = BODY_BYTES
    try:
        found = request.get_json(cache=False)
    except (BadRequest, RecursionError) as exc:
        raise InvalidRequest("The body is not JSON.") from exc
    if not isinstance(found, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return _checked(model, found)


def _checked(model: type[Model], found: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(found)
    except ValidationError as exc:
        raise _refusal(model, exc) from exc


def _refusal(model: type[BaseModel], wrong: ValidationError) -> InvalidRequest:
    """The first thing that is wrong, as a sentence."""
    first = wrong.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])[:40] if first["loc"] else None
    if first["type"] == "missing":
        return InvalidRequest("The field {name} is missing.", field=name, name=name)
    if first["type"] == "extra_forbidden":
        known = ", ".join(shown.alias or key for key, shown in model.model_fields.items())
        return InvalidRequest("There is no field {name}; use {known}.", field=name, name=repr(name), known=known)
    reason = first["msg"].removeprefix("Value error, ")[:_LONGEST_REASON]
    return InvalidRequest("The field {name} is not valid: {reason}.", field=name, name=name, reason=reason)


def require_type(asked: Request, known: Collection[str]) -> None:
    """Raises UnsupportedMedia unless a body is of one of the known types."""
    if asked.mimetype not in known:
        raise UnsupportedMedia("Send one of {types}, as Content-Type says it.", types=", ".join(known))


def require_json(asked: Request) -> None:
    """What changes something is JSON, or says nothing at all:
    no HTML form can send either without asking first.

    Raises:
        UnsupportedMedia: another type, or a body without one.
    """
    if asked.mimetype != "application/json" and (asked.mimetype or asked.content_length or "Transfer-Encoding" in asked.headers):
        raise UnsupportedMedia
