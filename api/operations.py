"""A route of the API and what its document says of it, declared in one place, so that they cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Request, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest

from access.identity import Identity
from access.scopes import Scope
from errors import CrossSite, InvalidRequest, NotFound, OutOfScope, UnsupportedMedia

Method = Literal["GET", "POST"]
View = Callable[..., Response]
Model = TypeVar("Model", bound=BaseModel)

BODY_BYTES: Final = 1 << 20  # a request names stations and sensors, and holds no data
_LONGEST_REASON: Final = 200


@dataclass(frozen=True)
class Answer:
    """What comes back: a model as JSON, or content of other types; ``headers`` by name with what they say."""

    description: str
    model: type[BaseModel] | None = None
    content_types: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One method of one path; ``answers`` by status, errors apart (``refusals``); a key must be for its ``scope``."""

    method: Method
    path: str
    scope: Scope
    view: View
    answers: Mapping[int, Answer]
    refusals: tuple[int, ...]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None


class Api:
    """A blueprint below the prefix and the list of its operations.

    A view gets the parts of the path by name, a checked ``query`` and a checked ``body`` where it declared a model. ``asks``
    says who asks; each route declares the scope that a key must have for it. What is of scope admin is there for
    administrators only.
    """

    def __init__(self, name: str, prefix: str, asks: Callable[[], Identity]) -> None:
        self._asks = asks
        self.blueprint = Blueprint(name, __name__, url_prefix=prefix.rstrip("/") or None)
        self.operations: list[Operation] = []

    def get(
        self, path: str, answers: Mapping[int, Answer], *refusals: int, scope: Scope, query: type[BaseModel] | None = None
    ) -> Callable[[View], View]:
        """Declare a question; ``refusals`` are the statuses of its errors besides those of every route."""
        return self._declare("GET", path, scope, answers, refusals, query, None)

    def post(
        self, path: str, answers: Mapping[int, Answer], *refusals: int, scope: Scope, body: type[BaseModel] | None = None
    ) -> Callable[[View], View]:
        """Declare what changes something; no page of another site can do it."""
        return self._declare("POST", path, scope, answers, (403, 413, 415, *refusals), None, body)

    def _declare(
        self,
        method: Method,
        path: str,
        scope: Scope,
        answers: Mapping[int, Answer],
        refusals: tuple[int, ...],
        query: type[BaseModel] | None,
        body: type[BaseModel] | None,
    ) -> Callable[[View], View]:
        def declare(view: View) -> View:
            def checked(**parts: str) -> Response:
                given: dict[str, Any] = dict(parts)
                require_admin(self._asks(), scope)
                require_scope(self._asks(), scope)
                if method == "POST":  # the guard has refused other sites
                    require_json(request)
                if query is not None:
                    given["query"] = read_query(query)
                if body is not None:
                    given["body"] = read_body(body)
                return view(**given)

            self.blueprint.add_url_rule(path, view.__name__, checked, methods=[method])
            self.operations.append(Operation(method, path, scope, view, answers, refusals, query, body))
            return view

        return declare


def require_admin(identity: Identity, scope: Scope) -> None:
    """To others than administrators, what is theirs does not exist; raises NotFound as for any path without a route."""
    if scope == "admin" and not identity.admin:
        raise NotFound("There is no {path}.", path=request.path[:80])


def require_scope(identity: Identity, scope: Scope) -> None:
    """Raises OutOfScope unless what the identity came with, such as a key, is for this."""
    if scope not in identity.scopes:
        raise OutOfScope("This key is not for {scope}; make one that is.", scope=scope)


def read_query(model: type[Model]) -> Model:
    """The query string by a model; an empty value is an absent one, and of a repeated name the first counts.

    Raises:
        InvalidRequest: naming the field.
    """
    return _checked(model, {name: value for name, value in request.args.items() if value.strip()})


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


def require_json(asked: Request) -> None:
    """What changes something is JSON, or says nothing at all: no HTML form can send either without asking first.

    Raises:
        UnsupportedMedia: another type, or a body without one.
    """
    if asked.mimetype != "application/json" and (asked.mimetype or asked.content_length or "Transfer-Encoding" in asked.headers):
        raise UnsupportedMedia


def refuse_other_sites(asked: Request) -> None:
    """Refuse what a browser sends on behalf of another site's page; programs send neither of these headers.

    Raises:
        CrossSite: Sec-Fetch-Site says so, or, from a browser that does not know it, Origin is not this site.
    """
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise CrossSite
        return
    origin = asked.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc not in (asked.host, asked.headers.get("X-Forwarded-Host")):
        raise CrossSite
