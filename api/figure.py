"""A window of a job as a Plotly figure: lines and bars, or the picture of an analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, jsonify, request

from access.embeds.embed_table import find_embed
from access.grants import Purpose
from access.names import EMBED_OWNER
from analysis.answer import Answer as Found
from analysis.inquiry import TREND
from api.analysis import ANSWERED_BY_JOB, answer_receipt, other_options
from api.data import asked_window, refuse_part
from api.drawn_inputs import MOST_PX, DrawnQuery, FigureQuery
from api.guard import refuse_other_sites
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import Figure
from data.export_names import export_names
from errors import NotPermitted
from figures.analysis_figure import analysis_figure, of_window
from figures.canvas import Canvas
from figures.history import NOTHING_NOTED
from figures.job_window import JobWindow
from figures.template import style_of
from figures.trend_options import FLAGS
from figures.words import file_name
from i18n import set_language
from jobs.answering import answer_or_job
from jobs.job import Job, Status
from layouts.views import analysis_options, check_view, drawing_options, view_caption

_NOTES: Final = {"all": Purpose.VIEW, "shared": Purpose.EMBED}
_FOUND: Final = {200: Answer("The figure.", Figure), 202: ANSWERED_BY_JOB}


def add_figure_route(api: Api, services: ApiServices) -> None:
    """``/api/jobs/ID/figure``."""

    @api.get("/api/jobs/<job_id>/figure", _FOUND, 400, 404, 409, 413, 429, scope="read", query=FigureQuery)
    def get_figure(job_id: str, query: FigureQuery) -> Response:
        """A window of a job as a Plotly figure; every extreme is in it, at any width.

        Of an analysis it is refused (409) while the job loads and when tiles of it have left the
        disk; more than five million readings are answered by a job first (202).
        """
        asked, options = asked_view(services, job_id, query)
        caption = view_caption(asked.job.request, asked.span, asked.site.catalogue, query.view)
        if query.view == TREND:
            return jsonify(_captioned(_figure(services, asked, query, options), caption))
        unchecked = asked.unchecked()
        found = asked_answer(services, asked, query, options)
        if isinstance(found, Job):
            return answer_receipt(services, found)
        picture = _picture(asked, query, found, options)
        picture["layout"]["meta"]["unchecked"] = unchecked
        return jsonify(_captioned(picture, caption))


def asked_view(services: ApiServices, job_id: str, query: DrawnQuery) -> tuple[JobWindow, dict[str, str]]:
    """Return the window that a request for a figure asks for, and the options of its view; its
    words are in the language that is asked for from now on.

    Raises:
        JobNotFound, NotPermitted, InvalidRequest: as :func:`api.data.asked_window`; or there is no
            such view or option, or it is not the one of the embedded chart.
    """
    asked = asked_window(services, job_id, query)
    if query.language is not None:
        set_language(query.language)
    options = other_options(type(query))
    flags = {FLAGS: request.args[FLAGS]} if FLAGS in request.args else {}
    _refuse_other_view(services, query.view, {**options, **flags})
    check_view(query.view, options)
    return asked, options


def asked_answer(services: ApiServices, asked: JobWindow, query: DrawnQuery, options: Mapping[str, str]) -> Found | Job:
    """Return what the analysis of a view finds in a window, or the job that finds it; raises as
    :func:`jobs.answering.answer_or_job`.
    """
    refuse_part(asked.site, asked.job)
    refuse_other_sites(request)  # it may start a job
    return answer_or_job(services, asked, query.view, analysis_options(query.view, options), flagged=query.flagged)


def _refuse_other_view(services: ApiServices, view: str, options: Mapping[str, str]) -> None:
    """Raise NotPermitted where the viewer of an embedded chart asks for another view than the
    chart's.
    """
    identity = services.identify()
    if identity.via != "embed":
        return
    found = find_embed(services.access, identity.user.removeprefix(EMBED_OWNER))
    if found is None or (found.spec.view, dict(found.spec.options)) != (view, options):
        raise NotPermitted


def _captioned(figure: dict[str, Any], caption: list[str]) -> dict[str, Any]:
    figure["layout"]["meta"]["caption"] = caption
    return figure


def _figure(services: ApiServices, asked: JobWindow, query: FigureQuery, texts: Mapping[str, str]) -> dict[str, Any]:
    columns = query.columns
    height_px = None if query.height is None else min(query.height, MOST_PX)
    asked = asked.only(texts.get("only", ""))
    # what was not there then is not drawn, though it may have come since
    before, unchecked = asked.gaps(columns), asked.unchecked()
    drawn = asked.trend_view(texts, columns, include_flagged=query.flagged, with_statistics=False)
    gaps = asked.gaps(columns)
    size: dict[str, Any] = {"width_px": query.width_px, "height_px": height_px}
    noted = NOTHING_NOTED if query.notes == "none" else asked.noted(services, _NOTES[query.notes])
    figure = asked.figure(drawn.view, gaps, theme=query.theme, options=drawn.options, noted=noted, **size)
    whole = asked.job.status is Status.COMPLETED and before == gaps == ()
    figure["layout"]["meta"] |= {"complete": whole, "unchecked": unchecked, "problems": list(drawn.problems)}
    return figure


def _picture(asked: JobWindow, query: FigureQuery, found: Found, options: Mapping[str, str]) -> dict[str, Any]:
    """The picture of an analysis."""
    style = style_of(query.theme)
    canvas = Canvas(style, query.width_px, drawing_options(query.view, options))
    catalogue, of = asked.site.catalogue, asked.job.request
    figure = analysis_figure(found, catalogue, canvas)
    name = file_name(of.stations, export_names(catalogue, catalogue.ordered(of.sensors)), *asked.span, of.timezone)
    drawn = of_window(figure, of, asked.span, 0, style.ground, f"{name}_{query.view}")
    drawn["layout"]["meta"]["complete"] = True
    return drawn
