"""Which messages of a broker are observations, and how they are read: a TOML file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data.catalogue import Catalogue
from data.ingest.file_plan import FilePlan, ImportOptions, Planner
from data.ingest.layout import read_layout
from data.ingest.profile import Profile
from errors import ConfigurationError

RECEIVED: Final = "received"  # the column of when a message came
PAYLOAD: Final = "payload"  # the column of a payload that is not JSON

_LEVEL: Final = re.compile(r"\{(\w+)\}")


class TopicRule(Profile):
    """How messages of some topics are read: an import profile whose columns are levels of the
    topic, keys of the payload, ``payload`` and ``received``.

    ``topic``: with ``{name}`` for a level that becomes a column, and the broker's ``+`` and ``#``.
    """

    topic: str
    payload: Literal["json", "plain"] = "json"

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, given: Any) -> Any:
        """Take what profiles of files have other defaults for."""
        if not isinstance(given, dict):
            return given
        usual: dict[str, Any] = {"skip_rows": 0}
        if not given.keys() & {"time", "time_parts"}:
            usual["time"] = RECEIVED
        if given.get("layout", "wide") == "wide":
            usual["some_columns"] = True
        return usual | given

    @field_validator("topic")
    @classmethod
    def _whole_levels(cls, topic: str) -> str:
        levels = topic.split("/")
        is_good = all(level in ("+", "#") or _LEVEL.fullmatch(level) or not re.search(r"[+#{}]", level) for level in levels)
        if not topic or not is_good or "#" in levels[:-1]:
            raise ValueError("expected levels between slashes, each a word, {name} or +, and at the end perhaps #")
        return topic

    @property
    def subscription(self) -> str:
        """Return the topic filter that the broker is asked for."""
        return _LEVEL.sub("+", self.topic)

    @property
    def is_dated(self) -> bool:
        """Return whether messages tell their time; else it is when they come."""
        return RECEIVED not in self.time_columns

    def levels(self, topic: str) -> dict[str, str] | None:
        """Return the named levels of a topic; None where it is not one of the rule's."""
        own, given = self.topic.split("/"), topic.split("/")
        if own[-1] == "#":
            own, given = own[:-1], given[: len(own) - 1]
        if len(own) != len(given):
            return None
        found: dict[str, str] = {}
        for level, text in zip(own, given, strict=True):
            if named := _LEVEL.fullmatch(level):
                found[named[1]] = text
            elif level not in ("+", text):
                return None
        return found


class TopicMapping(BaseModel):
    """A broker, who we are there, and what is read of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=0, ge=0, le=65535)  # 0: 1883, with TLS 8883
    version: Literal[5, 3] = 5
    client_id: str = Field(default="riwayat", min_length=1)
    user: str | None = None
    password_env: str | None = None
    tls: bool = False
    ca: Path | None = None
    topics: tuple[TopicRule, ...] = Field(min_length=1)

    @property
    def real_port(self) -> int:
        """Return the port that is connected to."""
        return self.port or (8883 if self.tls else 1883)


def load_topic_mapping(path: Path) -> TopicMapping:
    """Read a mapping.

    Raises:
        ConfigurationError: naming file, key and what was expected.
    """
    try:
        return TopicMapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigurationError("Cannot read the mapping of topics {path}: {why}.", path=path, why=exc.strerror) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError("The mapping of topics {path} is not TOML: {why}.", path=path, why=exc) from exc
    except ValidationError as exc:
        wrong = "; ".join(
            f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}" for error in exc.errors()
        )
        raise ConfigurationError("The mapping of topics {path} is wrong: {wrong}.", path=path, wrong=wrong) from exc


def plan_messages(rule: TopicRule, path: Path, catalogue: Catalogue, timezone: str) -> FilePlan:
    """Decide how messages are read that stand as lines of a file.

    Raises:
        ImportRejected, UnknownSensor: with column and what was expected.
    """
    layout = read_layout(path, rule, rule.header_names)
    return Planner(catalogue, rule, rule.topic, ImportOptions(site_timezone=timezone)).plan(layout)
