"""A page load without a browser: what anybody may send to the site's callbacks by hand."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask.testing import FlaskClient

_CONFIG = re.compile(r'<script id="_dash-config" type="application/json">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """Status and text of an answer."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The text as JSON; nothing when it is empty."""
        return json.loads(self.text) if self.text else {}


class Visitor:
    """One user's page load; ``user`` is what the site's proxy says, empty when nobody signed in."""

    def __init__(self, url: str, user: str) -> None:
        self.url = url
        self.user = user

    def get(self, path: str) -> Answer:
        """Answer of a plain GET below the site's address."""
        return self._send(urllib.request.Request(f"{self.url}/{path}"))

    @cached_property
    def page_token(self) -> str:
        """What Dash signed for this page load."""
        found = _CONFIG.search(self.get("").text)
        assert found
        return str(json.loads(found[1])["end_id"])

    @cached_property
    def callbacks(self) -> list[dict[str, Any]]:
        """The site's callbacks that run on the server."""
        return [each for each in self.get("_dash-dependencies").json if not each.get("clientside_function")]

    def using(self, *components: str) -> list[dict[str, Any]]:
        """Callbacks that take a value of one of the components."""
        return [each for each in self.callbacks if {part["id"] for part in _takes(each)} & set(components)]

    def changing(self, component: str, prop: str, trigger: str) -> dict[str, Any]:
        """The callback that changes a property when the trigger component does something."""
        return next(
            each
            for each in self.callbacks
            if f"{component}.{prop}" in each["output"] and trigger in {part["id"] for part in each["inputs"]}
        )

    def ask(
        self, callback: Mapping[str, Any], values: Mapping[str, Any], token: str = "", handles: Iterable[tuple[str, str]] = ()
    ) -> Answer:
        """Run a callback: ``values`` by component id, other values are null.
        ``handles`` go into the query, signed or not.
        """
        query = urlencode([("endId", token or self.page_token), *handles])
        body = {
            "output": callback["output"],
            "outputs": _outputs(callback["output"]),
            "inputs": [_filled(part, values) for part in callback["inputs"]],
            "state": [_filled(part, values) for part in callback["state"]],
            "changedPropIds": [f"{_id(part, values)}.{part['property']}" for part in callback["inputs"]],
        }
        request = urllib.request.Request(f"{self.url}/_dash-update-component?{query}", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        return self._send(request)

    def _send(self, request: urllib.request.Request) -> Answer:
        request.add_header("X-Forwarded-User", self.user)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())


class InProcess(Visitor):
    """A page load of one of the server's Dash applications, without a socket."""

    def __init__(self, client: FlaskClient, user: str, application: str) -> None:
        super().__init__(f"http://localhost/{application}".rstrip("/"), user)
        self._client = client

    def _send(self, request: urllib.request.Request) -> Answer:
        parts = urlsplit(request.full_url)
        answer = self._client.open(
            f"{parts.path}?{parts.query}",
            method=request.get_method(),
            data=request.data,
            headers=({"X-Forwarded-User": self.user} if self.user else {}) | {"Content-Type": "application/json"},
        )
        return Answer(answer.status_code, answer.text)


def _outputs(output: str) -> Any:
    """``..a.b...c.d..`` or ``a.b`` in parts; a callback without outputs has a name only."""
    if "." not in output:
        return []
    several = output.startswith("..")
    parts = [one.rsplit(".", 1) for one in (output[2:-2].split("...") if several else [output])]
    found = [{"id": component, "property": prop} for component, prop in parts]
    return found if several else found[0]


def _takes(callback: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*callback["inputs"], *callback["state"]]


def _id(part: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """The component of an input;
    of a pattern the one that is called by the value of ``pattern``.
    """
    return str(part["id"]).replace('["ALL"]', json.dumps(values.get("pattern")))


def _filled(part: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    if '["ALL"]' in part["id"]:
        return [{"id": json.loads(_id(part, values)), "property": part["property"], "value": 1}]
    return {"id": part["id"], "property": part["property"], "value": values.get(part["id"])}
