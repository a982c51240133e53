"""What is not there: paths that lead nowhere, and what is asked for in no way that there is."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from api.error_answers import error_json, http_error_json
from api.routes import is_api
from errors import InvalidRequest, NotFound
from i18n import current_language
from i18n import gettext as _
from layouts.page import plain_page


def register_not_found(server: Flask, prefix: str, missing_files: Iterable[type[Exception]]) -> None:
    """A small router: the history page at the prefix;
    any other path that Dash would answer with it is not there.

    ``missing_files`` is what Dash raises for a file that no component has.
    """

    def leads_nowhere() -> bool:
        """Whether the path in hand is not there by any method."""
        try:
            endpoint, _parts = server.create_url_adapter(request).match(method="GET")  # type: ignore[union-attr]
        except HTTPException:
            return False
        return bool(endpoint.endswith("<path:path>"))

    def answer(error: HTTPException) -> Response:
        if error.code == HTTPStatus.METHOD_NOT_ALLOWED and leads_nowhere():
            return error_json(NotFound())
        wants_page = error.code == 404 and request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        return missing(prefix) if wants_page and not is_api(request.path, prefix) else http_error_json(error)

    for rule in server.url_map.iter_rules():
        if rule.endpoint.endswith("<path:path>"):
            rule.provide_automatic_options = False  # type: ignore[attr-defined]  # Flask adds it
            server.view_functions[rule.endpoint] = lambda path: missing(prefix)  # noqa: ARG005 - Flask's argument
    server.register_error_handler(HTTPException, answer)
    for unknown in missing_files:
        server.register_error_handler(unknown, lambda _error: error_json(NotFound()))
    server.register_error_handler(RecursionError, _nested_without_end)


def _nested_without_end(error: RecursionError) -> Response:
    if request.method in ("GET", "HEAD"):
        raise error
    return error_json(InvalidRequest("The body is nested too deeply."))


def missing(prefix: str) -> Response:
    """Return the answer of a path that leads nowhere: a page to who looks at one."""
    if request.method not in ("GET", "HEAD"):
        return error_json(NotFound())
    html = plain_page(current_language(), _("There is no such page."), _("There is nothing at this address."), prefix)
    return Response(html, 404, content_type="text/html; charset=utf-8")
