"""Settings: the only reader of the environment (prefix ``RIWAYAT_``, or a ``.env`` file)."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ConfigurationError
from private import check_private_file, check_secret_file, own_folder

VERSION: Final = "0.1.0"  # the project's
LEAST_SECRET = 16  # characters: whoever guesses one is anybody
# of a web process, for pages and programs while every place of an event stream is taken
FREE_THREADS = 2
# with or without a port
_HOST = re.compile(r"(\*\.)?[^\s/*.\[\]][^\s/*]*|\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w.=-]+)*/?")
_LOOPBACK = (None, "", "localhost", "127.0.0.1", "::1")


class Settings(BaseSettings):
    """All settings of a site; each is described in docs/configuration.md."""

    model_config = SettingsConfigDict(env_prefix="RIWAYAT_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(default=Path("var"), description="Folder for everything that Riwayat writes.")
    database_url: str = Field(default="", description="SQLAlchemy URL of jobs, users and views; empty: SQLite in DATA_DIR.")
    observations_url: str = Field(
        default="", description="SQLAlchemy URL of Riwayat's own observations; empty: a second SQLite file in DATA_DIR."
    )
    tile_dir: str | Path | None = Field(
        default=None, description="Folder of the tiles, or s3://bucket/prefix; default DATA_DIR/tiles."
    )
    tile_mmap: bool = Field(default=True, description="Map tiles into memory; false where TILE_DIR is on a network file system.")
    tile_budget_gb: float = Field(default=20.0, gt=0, description="How much disk the tiles may take, in GB (10^9 bytes).")
    source: Path | None = Field(
        default=None,
        description="Path of a source mapping (TOML), where observations are in a table of the site's; default: our own.",
    )
    sensors: Path | None = Field(
        default=None, description="Path of a sensor catalogue (TOML); default: the eight built-in sensors."
    )
    timezone: str = Field(default="Asia/Jakarta", description="The site's time zone (IANA name).")
    ingest_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys with which gateways send observations in, as KEY:STATION,STATION;KEY:STATION; empty: none are taken.",
    )
    inbox_rows: int = Field(
        default=2_000_000, ge=1, description="Observations that may wait to be stored; beyond it senders are told to wait."
    )
    watch: str = Field(
        default="", description="Folders into which loggers write files, as DIR:PROFILE or DIR:PROFILE:STATION, with semicolons."
    )
    mqtt: Path | None = Field(
        default=None,
        description="Path of a mapping of topics (TOML): what an MQTT broker sends is observations; default: none.",
    )
    host: str = Field(default="127.0.0.1", description="Address on which the web process listens.")
    port: int = Field(default=8050, ge=0, le=65535, description="Port of the web process.")
    url_prefix: str = Field(default="/", description="Path below which the site is served.")
    web_workers: int = Field(default=2, ge=1, description="Web processes under gunicorn.")
    metrics_addresses: str = Field(default="127.0.0.1,::1", description="Addresses that may read /metrics, with commas.")
    web_threads: int = Field(default=8, ge=1, description="Requests that one web process answers at a time.")
    downloads: int = Field(
        default=4, ge=1, description="Downloads that one web process sends at a time, by threads of their own, of all users."
    )
    user_downloads: int = Field(
        default=2,
        ge=1,
        description="Of these, those of one user and their keys, or of all who look at one user's embedded charts.",
    )
    queue: Literal["local", "celery"] = Field(default="local", description="Who runs jobs.")
    redis_url: str = Field(default="", description="QUEUE=celery: URL of the broker, such as redis://127.0.0.1:6379/0.")
    redis_prefix: str = Field(
        default="riwayat:", description="QUEUE=celery: beginning of all our keys, so that sites may share one Redis database."
    )
    worker_slots: int = Field(default=2, ge=1, description="Jobs of the queue history that one worker runs at a time.")
    worker_slots_large: int = Field(
        default=1, ge=1, description="Jobs of the queue history-large that one worker runs at a time, besides the others."
    )
    worker_memory_mb: int = Field(
        default=0, ge=0, description="Memory that one job may take, in MB (10^6 bytes); 0: what the machine has."
    )
    large_job_rows: int = Field(
        default=5_000_000, ge=1, description="Observations × sensors to read from which on a job is large."
    )
    user_jobs: int = Field(default=20, ge=1, description="Jobs of one user that may be queued or running.")
    queued_jobs: int = Field(default=500, ge=1, description="Jobs of all users that may be queued.")
    job_timeout: float = Field(default=300.0, gt=0, description="Wall-clock limit of one attempt, in seconds.")
    job_tries: int = Field(default=3, ge=1, description="Attempts at a job before it fails.")
    ledger_patience: float = Field(
        default=120.0, gt=0, description="How long a finished job waits for a database of jobs that does not answer, in seconds."
    )
    event_listeners: int = Field(
        default=4, ge=0, description="Event streams that one web process keeps open at a time; each holds one of its threads."
    )
    result_ttl: float = Field(
        default=3600.0,
        gt=0,
        description="Without effect: nothing is kept of what a page was shown. Accepted, so that older settings are.",
    )
    workbook_ttl: float = Field(
        default=86_400.0,
        gt=0,
        description="How long a written Excel or NetCDF file is kept for whoever asks for the same rows, in s.",
    )
    smtp_host: str = Field(default="", description="Mail server to which reports and alarms are given; empty: no mail is sent.")
    smtp_port: int = Field(default=0, ge=0, le=65535, description="Its port; 0: 587 with STARTTLS, 465 with TLS, 25 without.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="How the connection is encrypted.")
    smtp_user: str = Field(default="", description="Name with which to sign in there; empty: without.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="The password of SMTP_USER.")
    smtp_from: str = Field(default="", description="Address from which mails come.")
    smtp_timeout: float = Field(default=30.0, gt=0, description="How long the mail server may take to answer, in seconds.")
    chromium: str = Field(
        default="",
        description="Path or name of the Chromium that draws PNG, SVG and PDF pictures; empty: the one that is found.",
    )
    institution: str = Field(default="", description="Whose data these are, as NetCDF files say it; empty: not said.")
    auth: Literal["none", "login", "proxy"] = Field(default="none", description="How the site learns who is asking.")
    proxy_user_header: str = Field(
        default="X-Forwarded-User", description="AUTH=proxy: header in which the trusted proxy names the user."
    )
    proxy_addresses: str = Field(
        default="127.0.0.1,::1", description="AUTH=proxy: addresses from which that header is believed, with commas."
    )
    proxy_groups_header: str = Field(
        default="", description="AUTH=proxy: header in which the trusted proxy names the user's groups, with commas; empty: none."
    )
    proxy_secret: SecretStr = Field(
        default=SecretStr(""),
        description="AUTH=proxy: what the proxy sends as X-Riwayat-Proxy-Secret; then it decides, and no address.",
    )
    proxy_sign_out_url: str = Field(default="", description="AUTH=proxy: where 'Sign out' leads; empty: there is none.")
    admins: str = Field(default="", description="Users who may see all jobs, with commas.")
    allowed_hosts: str = Field(
        default="", description="Names by which the site may be called, with commas; *.example.org is any below; empty: any name."
    )
    session_hours: float = Field(default=24.0, gt=0, description="AUTH=login: hours after which one has to sign in again.")
    session_idle_hours: float = Field(
        default=8.0, gt=0, description="AUTH=login: hours without a request after which one has to sign in again."
    )
    confirm_minutes: float = Field(
        default=15.0,
        ge=0,
        description="AUTH=login: minutes after giving the password before it is asked for again, by what administrators change"
        " and by new keys; 0: never.",
    )
    cookie_secure: Literal["auto", "always", "never"] = Field(
        default="auto", description="Whether cookies are for TLS only; auto: those of requests that came through TLS."
    )
    hsts_days: float = Field(
        default=180.0, ge=0, description="How long browsers that came by TLS are to come by nothing else, in days; 0: not said."
    )
    rate_page: int = Field(default=3000, ge=0, description="Requests a minute of one user's pages; 0: any number.")
    rate_api: int = Field(default=600, ge=0, description="Requests a minute by one user's keys; 0: any number.")
    rate_submit: int = Field(default=300, ge=0, description="Jobs a minute that one user sends to the API; 0: any number.")
    rate_ingest: int = Field(
        default=6000, ge=0, description="Requests a minute that bring observations with one key; 0: any number."
    )
    rate_embed: int = Field(
        default=3000, ge=0, description="Requests a minute of one embedded chart, by all who look at it; 0: any number."
    )
    rate_login: int = Field(default=60, ge=0, description="Attempts a minute to sign in from one address; 0: any number.")
    rate_address: int = Field(
        default=600, ge=0, description="Requests a minute from one address that show no identity; 0: any number."
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signing secret; empty: made once and kept in DATA_DIR, mode 0600."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level that is logged.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as exc:
            raise ValueError(f"{name!r} is not an IANA time zone such as Asia/Jakarta") from exc
        return name

    @field_validator("tile_dir")
    @classmethod
    def _folder_or_bucket(cls, where: str | Path | None) -> str | Path | None:
        if isinstance(where, str) and "://" in where and not _BUCKET.fullmatch(where):
            raise ValueError("expected a folder, or s3://bucket or s3://bucket/prefix, without a key or a query")
        return where

    @field_validator("proxy_secret", "secret_key")
    @classmethod
    def _hard_to_guess(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"expected at least {LEAST_SECRET} characters, such as what 'openssl rand -hex 32' prints")
        return secret

    @field_validator("url_prefix")
    @classmethod
    def _slashes(cls, prefix: str) -> str:
        return "/" + prefix.strip("/") + "/" if prefix.strip("/") else "/"

    @field_validator("allowed_hosts")
    @classmethod
    def _names_of_hosts(cls, names: str) -> str:
        wrong = [name.strip() for name in names.split(",") if name.strip() and not _HOST.fullmatch(name.strip())]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name such as riwayat.example.org or *.example.org, and no address")
        return names

    @field_validator("proxy_sign_out_url")
    @classmethod
    def _address_of_a_page(cls, url: str) -> str:
        if url and not url.startswith(("/", "https://", "http://")):
            raise ValueError("expected a path such as /oauth2/sign_out, or an http(s) address")
        return url

    @model_validator(mode="after")
    def _listeners_leave_threads(self) -> Settings:
        free = self.web_threads - self.event_listeners
        if self.event_listeners and free < FREE_THREADS:
            raise ValueError(
                f"event streams hold a thread each, and EVENT_LISTENERS={self.event_listeners} of WEB_THREADS={self.web_threads}"
                f" do not leave {FREE_THREADS} to other requests: set RIWAYAT_EVENT_LISTENERS to"
                f" {max(self.web_threads - FREE_THREADS, 0)} or less, or RIWAYAT_WEB_THREADS to"
                f" {self.event_listeners + FREE_THREADS} or more"
            )
        return self

    @model_validator(mode="after")
    def _reachable_by_celery(self) -> Settings:
        if self.queue != "celery":
            return self
        broker = urlsplit(self.redis_url)
        if broker.scheme not in ("redis", "rediss"):
            raise ValueError("QUEUE=celery needs RIWAYAT_REDIS_URL, such as redis://127.0.0.1:6379/0")
        if broker.hostname not in _LOOPBACK:
            for name, url in (("DATABASE_URL", self.jobs_url), ("OBSERVATIONS_URL", self.history_url)):
                if url.startswith("sqlite"):
                    raise ValueError(
                        f"with a Redis on another host, RIWAYAT_{name} must be a database server that every host reaches"
                        " (PostgreSQL); SQLite is a file of one host"
                    )
        return self

    @property
    def administrators(self) -> frozenset[str]:
        """The users that ADMINS names."""
        return frozenset(name.strip() for name in self.admins.split(",") if name.strip())

    @property
    def all_threads(self) -> int:
        """Threads of one web process: those that answer requests, and those that send downloads."""
        return self.web_threads + self.downloads

    @property
    def jobs_url(self) -> str:
        """URL of the database of jobs."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'riwayat.sqlite'}"

    @property
    def history_url(self) -> str:
        """URL of the database of own observations."""
        return self.observations_url or f"sqlite:///{self.data_dir.resolve() / 'observations.sqlite'}"

    @property
    def tiles_path(self) -> Path:
        """Folder of the tiles; of those of object storage that this host has."""
        if self.object_store_url:
            return (self.data_dir / "tile-cache").resolve()
        return Path(self.tile_dir or self.data_dir / "tiles").resolve()

    @property
    def object_store_url(self) -> str | None:
        """The bucket of the tiles, as ``s3://bucket/prefix``; None where they are in a folder."""
        return self.tile_dir if isinstance(self.tile_dir, str) and _BUCKET.fullmatch(self.tile_dir) else None

    @property
    def takes_in(self) -> tuple[str, ...]:
        """The commands of manage.py that take observations in and store them; perhaps none."""
        senders = [*(["watch"] if self.watch.strip() else []), *(["listen mqtt"] if self.mqtt else [])]
        return ("receive", *senders) if senders or self.ingest_keys.get_secret_value() else ()

    @property
    def inbox_path(self) -> Path:
        """Folder in which observations wait that have arrived."""
        return self.data_dir.resolve() / "inbox"

    @property
    def tile_budget_bytes(self) -> int:
        """Disk budget of the tiles in bytes."""
        return int(self.tile_budget_gb * 1e9)

    @property
    def workbook_budget_bytes(self) -> int:
        """How much of the disk Excel and NetCDF files may take, besides the tiles:
        a tenth of the tiles' budget, in bytes.
        """
        return self.tile_budget_bytes // 10

    def prepare(self) -> None:
        """Make the folders that Riwayat writes to (mode 0700).

        Raises:
            ConfigurationError: DATA_DIR is another user's, or as :meth:`check_databases`.
        """
        own_folder(self.data_dir)
        own_folder(self.tiles_path, ours=self.tile_dir is None or self.object_store_url is not None)
        self.check_databases()

    def check_databases(self) -> None:
        """Close SQLite files of ours to others who could read them.

        Raises:
            ConfigurationError: others could have written one.
        """
        for url in (self.jobs_url, self.history_url):
            if url.startswith("sqlite") and (path := _file_of(url)):
                for ending in ("", "-wal", "-shm"):
                    check_private_file(Path(path + ending))

    def signing_secret(self) -> str:
        """The signing secret: the setting, or a file in DATA_DIR that is made once with mode 0600.

        Raises:
            ConfigurationError: other users could have written the file.
        """
        if self.secret_key.get_secret_value():
            return self.secret_key.get_secret_value()
        self.prepare()
        path = self.data_dir / "secret_key"
        draft = self.data_dir / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
        if not path.exists():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
            try:
                # fails if another process was first: then that one's secret holds
                os.link(draft, path)
            except FileExistsError:
                pass
            draft.unlink()
        check_secret_file(path)
        return path.read_text().strip()


def load_settings(**overrides: object) -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: naming each wrong setting and what was expected;
            or others could have written the ``.env`` file.
    """
    if (file := overrides.get("_env_file", Settings.model_config.get("env_file"))) is not None:
        check_private_file(Path(str(file)))
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as exc:
        wrong = "; ".join(
            ": ".join([*(f"RIWAYAT_{part}".upper() for part in error["loc"]), error["msg"].removeprefix("Value error, ")])
            for error in exc.errors()
        )
        raise ConfigurationError("Wrong setting: {wrong}", wrong=wrong) from exc
    except PermissionError as exc:
        raise ConfigurationError(
            "The settings file {path} cannot be read by the user who runs Riwayat. Change its owner with chown.",
            path=Path(str(file)).absolute(),
        ) from exc
    settings.check_databases()
    return settings


def _file_of(url: str) -> str:
    """Return the path of a SQLite URL; empty: in memory, or not understood."""
    from sqlalchemy import make_url  # --help must not wait for it
    from sqlalchemy.exc import ArgumentError

    try:
        path = make_url(url).database or ""
    except ArgumentError:
        return ""
    return "" if path == ":memory:" else path


def outside_value(name: str) -> str | None:
    """A variable of the environment, or of the ``.env`` file,
    that a source mapping names (``url_env``); None: not set.
    """
    file = Settings.model_config.get("env_file")
    return os.environ.get(name) or (dotenv_values(str(file)).get(name) if file else None)
