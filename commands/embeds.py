"""``embed-token``: charts in other pages, made, listed and revoked by whoever runs the site."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.access_output import AsJson, opened

if TYPE_CHECKING:
    from access.embed_table import Embed
    from access.shown import Shows
    from config import Settings

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
    start: Annotated[str | None, typer.Option("--from", help="Start of a fixed range, ISO 8601 in the site's time zone.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End of a fixed range.")] = None,
    resolution: Annotated[str, typer.Option(help="raw, 1min, 10min, 1h, 1d or 1mo.")] = "raw",
    theme: Annotated[str, typer.Option(help="auto, light or dark.")] = "auto",
    language: Annotated[str, typer.Option(help="en or id.")] = "en",
    controls: Annotated[bool, typer.Option(help="Show buttons.")] = True,
    transparent: Annotated[bool, typer.Option(help="Show no ground of its own.")] = False,
    refresh: Annotated[int, typer.Option(help="Seconds after which a rolling chart looks for newer data.")] = 300,
    label: Annotated[str, typer.Option(help="Its title.")] = "",
    expires: Annotated[str | None, typer.Option(help="ISO 8601; without it the link does not expire.")] = None,
    owner: Annotated[
        str | None, typer.Option("--as", help="For this user, within what they may embed; default: the site.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where browsers find Riwayat; default: HOST and PORT.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a chart for pages of another origin, and print the line of HTML that shows it."""
    from access.embeds import embed_token, make_embed
    from access.identity import owner_identity
    from access.names import LOCAL_USER
    from access.shown import Shows, parse_last
    from data.request import parse_time
    from data.site import open_site
    from i18n import set_language
    from layouts.frame import shown_title

    with opened() as (settings, store):
        zone = settings.timezone
        now_ms = _now_ms()
        shows = Shows(
            stations=tuple(station),
            sensors=tuple(sensor),
            start_ms=None if start is None else parse_time(start, zone, field="from"),
            end_ms=None if end is None else parse_time(end, zone, field="to"),
            last_ms=None if last is None else parse_last(last),
            resolution=resolution,  # type: ignore[arg-type]
            timezone=zone,
            theme=theme,
            language=language,
            controls=controls,
            transparent=transparent,
            refresh_s=refresh,
        )
        site = open_site(settings)
        identity = owner_identity(settings, store, owner or LOCAL_USER)
        expires_ms = None if expires is None else parse_time(expires, zone, field="expires")
        made = make_embed(store, site, identity, shows, origin, expires_ms, now_ms=now_ms, label=label)
        token = embed_token(settings.signing_secret(), made, now_ms)
        set_language(language)  # of those who read the page
        title = made.label or shown_title(shows.stations, shows.sensors, site.catalogue)
        _print_link(settings, made, token, title, url, as_json=as_json)


@_embeds.command("list")
def list_(
    owner: Annotated[str | None, typer.Option("--as", help="Only those of this user.")] = None, as_json: AsJson = False
) -> None:
    """List the charts in other pages, newest first."""
    from access.embed_table import embeds
    from data.months import iso_utc

    with opened() as (_, store):
        now_ms = _now_ms()
        rows: list[dict[str, Any]] = [
            {
                "id": found.id,
                "state": found.state(now_ms),
                "owner": found.owner,
                "label": found.label,
                "stations": list(found.shows.stations),
                "sensors": list(found.shows.sensors),
                "range": _range(found.shows),
                "origin": found.origin,
                "expires": None if found.expires_ms is None else iso_utc(found.expires_ms),
            }
            for found in embeds(store, owner)
        ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        typer.echo("There is no chart in another page.", err=True)
    else:
        for row in rows:
            names = f"{', '.join(row['stations'])} · {', '.join(row['sensors'])} · {row['range']}"
            ends = f"until {row['expires']}" if row["expires"] else "without an end"
            typer.echo(f"{row['id']}  {row['state']:8} {row['owner']}  {row['origin']}  {names}  {ends}  {row['label']}".rstrip())


@_embeds.command()
def revoke(embed_id: Annotated[str, typer.Argument(help="Its id, as the list has it.")]) -> None:
    """End a chart everywhere, at once and for good."""
    from access.embed_table import end_embed, find_embed
    from errors import NotFound

    with opened() as (_, store):
        if find_embed(store, embed_id) is None:
            raise NotFound("There is no embedded chart {embed_id}.", embed_id=embed_id[:40])
        end_embed(store, embed_id)
    typer.echo(f"{embed_id} is revoked.", err=True)


def _print_link(settings: Settings, made: Embed, token: str, title: str, url: str | None, *, as_json: bool) -> None:
    from layouts.frame import frame_url, iframe_line

    base = (
        f"http://{settings.host}:{settings.port}"
        if url is None
        else url.rstrip("/").removesuffix(settings.url_prefix.rstrip("/"))
    )
    address = frame_url(base, settings.url_prefix, made.id, token)
    line = iframe_line(address, title, theme=made.shows.theme, transparent=made.shows.transparent)
    if as_json:
        typer.echo(json.dumps({"id": made.id, "url": address, "token": token, "iframe": line}, ensure_ascii=False))
    else:
        typer.echo(f"{made.id}: whoever has this line can see the chart; it is shown only now.", err=True)
        typer.echo(line)


def _range(shows: Shows) -> str:
    from access.shown import last_text
    from data.months import iso_utc

    if shows.last_ms is not None:
        return f"last {last_text(shows.last_ms)}"
    return f"{iso_utc(shows.start_ms or 0)} to {iso_utc(shows.end_ms or 0)}"


def _now_ms() -> int:
    import time

    return time.time_ns() // 1_000_000
