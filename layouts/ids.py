"""Every component id of the page. Browser tests and portals rely on the first block; rename nothing there."""

from __future__ import annotations

from typing import Final

STATION: Final = "station"
SENSOR: Final = "sensor"
RANGE_START: Final = "range-start"
RANGE_END: Final = "range-end"
RANGE_PRESET: Final = "range-preset"
RESOLUTION: Final = "resolution"
LOAD: Final = "load"
CANCEL: Final = "cancel"
PROGRESS: Final = "progress"
PROGRESS_TEXT: Final = "progress-text"
JOB_ID: Final = "job-id"  # Store: str | None; what run_history and the view listen to
CHART: Final = "chart"
STATS: Final = "stats"
ALERT: Final = "alert"

# Stores
JOB_VERSION: Final = "job-version"  # int; grows with the published progress of the job, a progress output
JOB_STATE: Final = "job-state"  # dict of callbacks/states.py; the last rendered state of the job
POLL_ID: Final = "poll-id"  # str | None; the job to follow by polling, None while nothing runs
CHART_WINDOW: Final = "chart-window"  # {"start", "end"} int ms UTC, or None = the whole request
CHART_WIDTH: Final = "chart-width"  # int px
THEME: Final = "theme"  # "light" | "dark": what is shown now
THEME_CHOICE: Final = "theme-choice"  # "light" | "dark" | "auto"; kept in the browser
LANGUAGE: Final = "language"  # "en" | "id"
URL: Final = "url"  # Location

# Chart and statistics
CHART_AREA: Final = "chart-area"
OVERVIEW: Final = "overview"
BADGE: Final = "badge"
FLAGGED: Final = "flagged"  # switch: include flagged observations
CHART_RESET: Final = "chart-reset"
STATS_COPY: Final = "stats-copy"
DOWNLOAD_CSV: Final = "download-csv"
DOWNLOAD: Final = "download"

# Form and states
FORM: Final = "form"
FORM_DRAWER: Final = "form-drawer"
FORM_TOGGLE: Final = "form-toggle"
FORM_MESSAGE: Final = "form-message"
FORM_BOUNDS: Final = "form-bounds"  # Store: first and last observation of the stations, int ms UTC
ESTIMATE: Final = "estimate"
RUNNING: Final = "running"
TITLE: Final = "title"
STATE: Final = "state"
OFFLINE: Final = "offline"
RETRY: Final = "retry"
NOTIFY: Final = "notify"
REQUEST: Final = "request"  # Store: the request of the job that is shown, for "retry" and "jump"
