"""``embed-token``: charts in other pages, made, listed and revoked by the administrator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.loading import named_options
from commands.opening import opened_access
from commands.printing import AsJson, say, say_json, show
from config import Settings
from data.request import parse_time
from data.time.epoch import epoch_ms
from data.time.months import iso_utc, iso_utc_or_none
from data.time.resolution import RESOLUTION_LIST
from errors import NotFound

if TYPE_CHECKING:
    from access.embeds.embed_table import Embed
    from access.embeds.spec import EmbedSpec
    from data.catalogue import Catalogue

_embeds = typer.Typer(no_args_is_help=True, help="Charts in other pages: the line of HTML that shows one, and its end.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_embeds, name="embed-token")


@_embeds.command()
def make(
    station: Annotated[list[str], typer.Option(help="A station; may be repeated.")],
    sensor: Annotated[list[str], typer.Option(help="A sensor; may be repeated.")],
    origin: Annotated[str, typer.Option(help="Scheme and name of the portal, such as https://portal.example.")],
    last: Annotated[str | None, typer.Option(help="A range that ends now, such as 24h or 7d.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Start of a fixed range, ISO 8601 in the stations' time zone.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="End of a fixed range.")] = None,
    resolution: Annotated[str, typer.Option(help=f"{RESOLUTION_LIST}.")] = "raw",
    theme: Annotated[str, typer.Option(help="auto, light or dark.")] = "auto",
    language: Annotated[str, typer.Option(help="en or id.")] = "en",
    controls: Annotated[bool, typer.Option(help="Show buttons.")] = True,
    transparent: Annotated[bool, typer.Option(help="Show no ground of its own.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Show the shared notes on its series.")] = False,
    refresh: Annotated[int, typer.Option(help="Seconds after which a rolling chart looks for newer data.")] = 300,
    view: Annotated[str, typer.Option(help="trend, or an analysis such as wind.")] = "trend",
    option: Annotated[list[str] | None, typer.Option(help="An option of the view, such as by=season; may be repeated.")] = None,
    label: Annotated[str, typer.Option(help="Its title.")] = "",
    expires: Annotated[str | None, typer.Option(help="ISO 8601; without it the link does not expire.")] = None,
    owner: Annotated[
        str | None, typer.Option("--as", help="For this user, within what they may embed; default: the site.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where browsers find Riwayat; default: HOST and PORT.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a chart for pages of another origin, and print the line of HTML that shows it."""
    from access.embeds.embed_token import make_embed
    from access.identity import owner_identity
    from access.names import LOCAL_USER
    from access.restricted_site import usual_zone
    from data.site import open_site
    from layouts.views import check_view

    options = named_options(option or ())
    check_view(view, options)
    look = {"theme": theme, "language": language, "controls": controls, "transparent": transparent}
    look |= {"notes": notes, "refresh_s": refresh, "view": view, "options": options}
    shown = partial(_spec, station, sensor, (start, end, last), resolution, look)
    with opened_access() as (settings, store):
        site = open_site(settings, definitions=store.definitions, decisions=store.decisions, limits=store.limits)
        now_ms = epoch_ms()
        identity = owner_identity(settings, store, owner or LOCAL_USER)
        zone = usual_zone(site.catalogue, identity.rights, station, settings.timezone, lambda name: shown(name).request(now_ms))
        expires_ms = None if expires is None else parse_time(expires, zone, field="expires")
        made = make_embed(store, site, identity, shown(zone), origin, expires_ms, now_ms=now_ms, label=label)
        link = _link(settings, made, url, site.catalogue, now_ms)
    _tell(link, as_json)


def _spec(
    stations: Iterable[str],
    sensors: Iterable[str],
    written: tuple[str | None, str | None, str | None],
    resolution: str,
    look: Mapping[str, Any],
    zone: str,
) -> EmbedSpec:
    """What a chart shows, its times in a zone; ``written`` are --from, --to and --last."""
    from access.embeds.spec import EmbedSpec, parse_last

    start, end, last = written
    return EmbedSpec(
        stations=tuple(stations),
        sensors=tuple(sensors),
        start_ms=None if start is None else parse_time(start, zone, field="from"),
        end_ms=None if end is None else parse_time(end, zone, field="to"),
        last_ms=None if last is None else parse_last(last),
        resolution=resolution,  # type: ignore[arg-type]
        timezone=zone,
        **look,
    )


@_embeds.command("list")
def list_(
    owner: Annotated[str | None, typer.Option("--as", help="Only those of this user.")] = None, as_json: AsJson = False
) -> None:
    """List the charts in other pages, newest first."""
    from access.embeds.embed_table import embeds

    with opened_access() as (_, store):
        now_ms = epoch_ms()
        rows = [
            {
                "id": found.id,
                "state": found.state(now_ms),
                "owner": found.owner,
                "label": found.label,
                "stations": list(found.spec.stations),
                "sensors": list(found.spec.sensors),
                "range": _range(found.spec),
                "origin": found.origin,
                "expires": iso_utc_or_none(found.expires_ms),
            }
            for found in embeds(store, owner)
        ]
    show(rows, as_json, "There is no chart in another page.")


@_embeds.command()
def revoke(embed_id: Annotated[str, typer.Argument(help="Its id, as the list has it.")]) -> None:
    """End a chart everywhere, at once and for good."""
    from access.embeds.embed_table import end_embed, find_embed

    with opened_access() as (_, store):
        if find_embed(store, embed_id) is None:
            raise NotFound("There is no embedded chart {embed_id}.", embed_id=embed_id[:40])
        end_embed(store, embed_id)
    say(f"{embed_id} is revoked.", err=True)


def _link(settings: Settings, made: Embed, url: str | None, catalogue: Catalogue, now_ms: int) -> dict[str, str]:
    """What opens a chart, in the language of those who read the page around it."""
    from access.embeds.embed_token import embed_token
    from i18n import set_language
    from layouts.frame import embed_link

    token = embed_token(settings.signing_secret(), made, now_ms)
    set_language(made.spec.language)
    return embed_link(made, token, _base(settings, url), settings.url_prefix, catalogue)


def _tell(link: dict[str, str], as_json: bool) -> None:
    if as_json:
        say_json(link)
    else:
        say(f"{link['id']}: whoever has this line can see the chart; it is shown only now.", err=True)
        say(link["iframe"])


def _base(settings: Settings, url: str | None) -> str:
    """Scheme and host at which browsers find Riwayat."""
    if url is None:
        return f"http://{settings.host}:{settings.port}"
    return url.rstrip("/").removesuffix(settings.url_prefix.rstrip("/"))


def _range(spec: EmbedSpec) -> str:
    from access.embeds.spec import last_text

    if spec.last_ms is not None:
        return f"last {last_text(spec.last_ms)}"
    return f"{iso_utc(spec.start_ms or 0)} to {iso_utc(spec.end_ms or 0)}"
