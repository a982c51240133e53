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
JOB_VERSION: Final = "job-version"  # int; grows with the published progress of the job, set from job-beat
JOB_STATE: Final = "job-state"  # dict of callbacks/states.py; the last rendered state of the job
POLL_ID: Final = "poll-id"  # str | None; the job to follow by polling, None while nothing runs
JOB_BEAT: Final = "job-beat"  # int; the version that the last poll saw; only a new one changes job-version
CHART_WINDOW: Final = "chart-window"  # {"start", "end"} int ms UTC, or None = the whole request
CHART_WIDTH: Final = "chart-width"  # Store: int px of the plot, as the page measured it
CHART_ANSWER: Final = "chart-answer"  # Store: {"job", "sequence", "figure"}; assets/chart.js draws it unless it is stale
THEME: Final = "theme"  # "light" | "dark": what is shown now
LANGUAGE: Final = "language"  # "en" | "id"
URL: Final = "url"  # Location
URL_JOB: Final = "url-job"  # str; the job that the address shall name instead of what it names

# Chart and statistics
CHART_AREA: Final = "chart-area"
CHART_FRAME: Final = "chart-frame"  # around the graph; takes the keyboard's focus
OVERVIEW: Final = "overview"
OVERVIEW_FRAME: Final = "overview-frame"
OVERVIEW_BRUSH: Final = "overview-brush"
BADGE: Final = "badge"
FLAGGED: Final = "flagged"  # switch: include flagged observations
CHART_RESET: Final = "chart-reset"
CHART_PICTURE: Final = "chart-picture"
STATS_COPY: Final = "stats-copy"
DOWNLOAD_CSV: Final = "download-csv"
DOWNLOAD_XLSX: Final = "download-xlsx"
DOWNLOAD: Final = "download"

# Embed this chart
EMBED_OPEN: Final = "embed-open"
EMBED_DIALOG: Final = "embed-dialog"
EMBED_WHAT: Final = "embed-what"  # stations and sensors of the chart, in one line
EMBED_RANGE: Final = "embed-range"  # fixed or rolling
EMBED_SPAN: Final = "embed-span"  # Store: [start, end) of the fixed range, int ms UTC
EMBED_LAST: Final = "embed-last"
EMBED_ORIGIN: Final = "embed-origin"
EMBED_EXPIRES: Final = "embed-expires"
EMBED_LABEL: Final = "embed-label"
EMBED_THEME: Final = "embed-theme"
EMBED_LANGUAGE: Final = "embed-language"
EMBED_SWITCHES: Final = "embed-switches"
EMBED_PREVIEW: Final = "embed-preview"
EMBED_STAGE: Final = "embed-stage"  # what the preview stands on
EMBED_CREATE: Final = "embed-create"
EMBED_RESULT: Final = "embed-result"
EMBED_LINE: Final = "embed-line"  # the line of HTML of a chart that was just made
EMBED_LIST: Final = "embed-list"

# Form and states
FORM: Final = "form"
FORM_TOGGLE: Final = "form-toggle"
RANGE_OF_PRESET: Final = "range-of-preset"  # Store: [from, to] as the preset wrote them; other values mean an own range
ESTIMATE: Final = "estimate"
MAIN: Final = "main"
RUNNING: Final = "running"  # the panel of progress
QUEUE_NOTE: Final = "queue-note"  # what is said while a job waits and nothing would run it
TITLE: Final = "title"
STATE: Final = "state"  # what an empty page says
OFFLINE: Final = "offline"
SIGN_IN_AGAIN: Final = "sign-in-again"
NOTIFY: Final = "notify"

# Jobs page
JOBS_GRID: Final = "jobs-grid"
JOBS_TABLE: Final = "jobs-table"  # around the grid
JOBS_TICK: Final = "jobs-tick"  # Interval; enabled only while a job that is shown waits or runs
JOBS_LIMIT: Final = "jobs-limit"  # Store: int, how many of the newest jobs are shown
JOBS_PRESS: Final = "jobs-press"  # Store: {"job", "name", "at"}, the button of a row that was pressed last
JOBS_DONE: Final = "jobs-done"  # Store: changes when a job was cancelled or retried, or the tab is looked at again
JOBS_SEEN: Final = "jobs-seen"  # Store: digests of the rows and details that the page has, so that equal ones are not sent again
JOBS_QUEUE: Final = "jobs-queue"
JOBS_ALERT: Final = "jobs-alert"
JOBS_EMPTY: Final = "jobs-empty"
JOBS_COUNT: Final = "jobs-count"
JOBS_OLDER: Final = "jobs-older"
JOB_DETAILS: Final = "job-details"

# Administrators' page; parts of a tab are made by layouts/admin.py: part
ADMIN_ALERT: Final = "admin-alert"
ADMIN_DONE: Final = "admin-done"  # Store: changes when something was changed, so that all tabs are asked for anew
ADMIN_USERS: Final = "admin-known-users"  # datalists of names
ADMIN_GROUPS: Final = "admin-known-groups"
USER_NAME: Final = "admin-user-name"
USER_ADMIN: Final = "admin-user-admin"
USER_ADD: Final = "admin-user-add"
GROUP_NAME: Final = "admin-group-name"
GROUP_USER: Final = "admin-group-user"
GROUP_JOIN: Final = "admin-group-join"
GRANT_KIND: Final = "admin-grant-kind"
GRANT_SUBJECT: Final = "admin-grant-subject"
GRANT_STATIONS: Final = "admin-grant-stations"
GRANT_SENSORS: Final = "admin-grant-sensors"
GRANT_PREVIEW: Final = "admin-grant-preview"
GRANT_FROM: Final = "admin-grant-from"
GRANT_TO: Final = "admin-grant-to"
GRANT_LONGEST: Final = "admin-grant-longest"
GRANT_FINEST: Final = "admin-grant-finest"
GRANT_MAY: Final = "admin-grant-may"
GRANT_NOTE: Final = "admin-grant-note"
GRANT_ADD: Final = "admin-grant-add"
AUDIT_ACTOR: Final = "admin-audit-actor"
AUDIT_ACTION: Final = "admin-audit-action"
AUDIT_FROM: Final = "admin-audit-from"
AUDIT_TO: Final = "admin-audit-to"
AUDIT_CSV: Final = "admin-audit-csv"
AUDIT_COUNT: Final = "admin-audit-count"
AUDIT_OLDER: Final = "admin-audit-older"
AUDIT_WRONG: Final = "admin-audit-wrong"
