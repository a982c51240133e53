"""Every component id. Browser tests and portals rely on the first block; rename nothing there."""

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
STATS_HEAD: Final = "stats-head"  # of what the statistics are
ALERT: Final = "alert"

# Stores
# int; grows with the published progress of the job, set from job-beat
JOB_VERSION: Final = "job-version"
JOB_ENDED: Final = "job-ended"  # Store: str; the job whose end the page has seen last
JOB_STATE: Final = "job-state"  # dict of callbacks/job_words.py; the last rendered state of the job
POLL_ID: Final = "poll-id"  # str | None; the job to follow by polling, None while nothing runs
# {"version", "note"} as the last poll saw them; only a new version changes job-version
JOB_BEAT: Final = "job-beat"
# Store: callbacks/selection.py; what is to be drawn of the job: window, view, options
SELECTION: Final = "selection"
# Store: job, start, end (int ms UTC) of what is drawn, which selection is ahead of
CHART_DRAWN: Final = "chart-drawn"
CHART_WIDTH: Final = "chart-width"  # Store: [px of the plot, as the page measured it; pixels of the screen to each]
# Store: job, sequence, figure, words and links; assets/chart.js shows all or nothing of it
CHART_ANSWER: Final = "chart-answer"
# Store: job, stations and whether its range ends later than now, of what may go on by itself
FOLLOWED: Final = "followed"
ROLLING: Final = "rolling"  # Store of the tab: the job that goes on by itself, and the preset that it was loaded with
FOLLOW_STEP: Final = "follow-step"  # Store: job, preset and number of a step of assets/follow.js
FOLLOW_NEXT: Final = "follow-next"  # Store: what came of it: number, job and its status
FOLLOW_NEWS: Final = "follow-news"  # a button: how many readings are new, where the page does not go on by itself
THEME: Final = "theme"  # "light" | "dark": what is shown now
LANGUAGE: Final = "language"  # "en" | "id"
URL: Final = "url"  # Location
LINK: Final = "link"  # Store: str; the query of an address that leads to another job, or to none
URL_JOB: Final = "url-job"  # Store: str; the query that the address shall have instead of its own

# Chart and statistics
CHART_AREA: Final = "chart-area"
CHART_FRAME: Final = "chart-frame"  # around the graph; takes the keyboard's focus
CHART_NOTE: Final = "chart-note"  # over the chart, where it has nothing to show
CHART_TROUBLE: Final = "chart-trouble"  # why the chart is not what was asked for
OVERVIEW: Final = "overview"
OVERVIEW_VERSION: Final = "overview-version"  # Store: which overview is shown
OVERVIEW_FRAME: Final = "overview-frame"
OVERVIEW_BRUSH: Final = "overview-brush"
BADGE: Final = "badge"
RAIL: Final = "rail"  # the series that are drawn, beneath the form; assets/rail.js fills it
NOTES: Final = "notes"
RAIL_STRIP: Final = "rail-strip"  # their looks and names alone, above the chart of a narrow page
VIEWS: Final = "views"  # the row of tabs
READOUT: Final = "readout"  # the time at the cursor, and what is pinned; assets/cursors.js fills it
BETWEEN: Final = "between"  # what lies between the cursors A and B; assets/between.js fills it
VIEW_CONTROLS: Final = "view-controls"  # options of the view that is shown
VIEW_LISTS: Final = "view-lists"  # what a view says in words beneath its picture
REVIEW: Final = "review"  # events of quality control and decisions; assets/review.js fills it
UNDO: Final = "undo"
REDO: Final = "redo"
FLAGGED: Final = "flagged"  # switch: include flagged observations
CHART_RESET: Final = "chart-reset"
CHART_PICTURE: Final = "chart-picture"
STATS_COPY: Final = "stats-copy"
PICTURE_MENU: Final = "picture-menu"
SCHEDULES_OPEN: Final = "schedules-open"  # a button that opens the schedules of reports (assets/schedules.js)
REPORT_LIST: Final = "report-list"  # periods of reports, with a link for each format
PICTURE_SVG: Final = "picture-svg"
PICTURE_PDF: Final = "picture-pdf"
PICTURE_HTML: Final = "picture-html"
DOWNLOAD_CSV: Final = "download-csv"
DOWNLOAD_XLSX: Final = "download-xlsx"
DOWNLOAD_PARQUET: Final = "download-parquet"
DOWNLOAD_NETCDF: Final = "download-netcdf"
DOWNLOAD_MANIFEST: Final = "download-manifest"

# Embed this chart
EMBED_OPEN: Final = "embed-open"
EMBED_DIALOG: Final = "embed-dialog"
EMBED_WHAT: Final = "embed-what"  # stations and sensors of the chart, in one line
EMBED_RANGE: Final = "embed-range"  # fixed or rolling
EMBED_SHOWN: Final = "embed-shown"  # Store: [start, end) of the fixed range, int ms UTC
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

# Saved views
SAVED_OPEN: Final = "saved-open"  # the star beside the title
SAVED_DIALOG: Final = "saved-dialog"
SAVED_NAME: Final = "saved-name"
SAVED_RANGE: Final = "saved-range"
SAVED_SWITCHES: Final = "saved-switches"
SAVED_SAVE: Final = "saved-save"
SAVED_NEW: Final = "saved-new"
SAVED_REMOVE: Final = "saved-remove"
SAVED_WRONG: Final = "saved-wrong"
SAVED_LISTS: Final = "saved-lists"  # of saved views, and of what was loaded last

# Formulas
FORMULA_OPEN: Final = "formula-open"
FORMULA_DIALOG: Final = "formula-dialog"
FORMULA_OWN: Final = "formula-own"  # one's own formulas, and a new one
FORMULA_NAME: Final = "formula-name"
FORMULA_TEXT: Final = "formula-text"
FORMULA_UNIT: Final = "formula-unit"
FORMULA_TYPED: Final = "formula-typed"  # Store: [text, unit] after a pause in typing
FORMULA_SAYS: Final = "formula-says"  # what it gives, or what is wrong with it
FORMULA_SAVE: Final = "formula-save"
FORMULA_REMOVE: Final = "formula-remove"
FORMULA_HELP: Final = "formula-help"

# Search in the header
SEARCH: Final = "search"
SEARCH_LIST: Final = "search-list"
SEARCH_TEXT: Final = "search-text"  # Store: str; what may be a range of time
SEARCH_RANGE: Final = "search-range"  # Store: the range that it means

# Form and states
FORM: Final = "form"
FORM_TOGGLE: Final = "form-toggle"  # opens the form as a sheet, on a small screen
EXPORTS: Final = "exports"  # files and frames of the chart
# Store: [from, to] as the preset wrote them; other values mean an own range
ZONE: Final = "zone"
RANGE_OF_PRESET: Final = "range-of-preset"
ESTIMATE: Final = "estimate"
MAIN: Final = "main"
RUNNING: Final = "running"  # the panel of progress
QUEUE_NOTE: Final = "queue-note"  # what is said while a job waits and nothing would run it
TITLE: Final = "title"
STATE: Final = "state"  # what an empty page says
# Store: what layouts/start.py says of the stations, which assets/start.js draws
STATION_ROWS: Final = "station-rows"
STATION_LIST: Final = "station-list"
STATION_SEARCH: Final = "station-search"
STATION_NONE: Final = "station-none"  # what is said where the search finds nothing
STATION_MAP: Final = "station-map"
# Store: {"stations", "load", "at"}; what was pressed in the list or chosen on the map last
STATION_CHOICE: Final = "station-choice"
OFFLINE: Final = "offline"
SIGN_IN_AGAIN: Final = "sign-in-again"
NOTIFY: Final = "notify"

# Jobs page
JOBS_GRID: Final = "jobs-grid"
JOBS_TABLE: Final = "jobs-table"  # around the grid
JOBS_TICK: Final = "jobs-tick"  # Interval; enabled only while a job that is shown waits or runs
# Store: {"job", "name", "at"}, the button of a row that was pressed last
JOBS_PRESS: Final = "jobs-press"
# Store: changes when a job was cancelled or retried, or the tab is looked at again
JOBS_DONE: Final = "jobs-done"
# Store: digests of the rows and details that the page has, so that equal ones are not sent again
JOBS_SEEN: Final = "jobs-seen"
JOBS_QUEUE: Final = "jobs-queue"
JOBS_ALERT: Final = "jobs-alert"
JOBS_EMPTY: Final = "jobs-empty"
JOBS_COUNT: Final = "jobs-count"
JOBS_OLDER: Final = "jobs-older"
JOB_DETAILS: Final = "job-details"

# Administrators' page; parts of a tab are made by layouts/admin.py: part
ADMIN_ALERT: Final = "admin-alert"
# Store: changes when something was changed, so that all tabs are asked for anew
ADMIN_DONE: Final = "admin-done"
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
