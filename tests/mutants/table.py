"""Lines of the product, how each is broken, and the tests that must notice."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """In ``file`` the text ``old``, which stands there once, becomes ``new``.

    ``tests``, which must notice, are arguments of pytest, or a file of node's.
    """

    file: str
    old: str
    new: str
    tests: str


_LEDGER = "tests/contract/test_ledger.py -k sqlite"
_POLICY, _LEASES, _GRANTS, _THROTTLE = (f"tests/unit/test_{name}.py" for name in ("policy", "leases", "grants", "throttle"))
_TILES, _DAMAGE = "tests/unit/test_tiles.py", "tests/unit/test_tile_damage.py"
_REDUCE, _CLEAN, _LINES = "tests/unit/test_reduce.py", "tests/unit/test_clean.py", "tests/unit/test_view_lines.py"
_BUCKETS, _MONTHS, _REQUEST = "tests/unit/test_buckets.py", "tests/unit/test_months.py", "tests/unit/test_request.py"
_CLOCK, _COUNTING = "tests/unit/test_ingest_zones.py", "tests/unit/test_counting.py"
_SOURCE_ZONES, _FAILURES = "tests/unit/test_source_zones.py", "tests/unit/test_source_failures.py"
_NETCDF, _MANIFESTS = "tests/contract/test_netcdf.py", "tests/contract/test_manifests.py"
_EXPORT, _ATTACKS = "tests/contract/test_export.py", "tests/contract/test_attacks.py"
_KEYS, _LINE = "tests/contract/test_keys.py", "tests/contract/test_fair_order.py -k sqlite"
_DECISIONS, _DECISIONS_API = "tests/contract/test_decisions.py -k sqlite", "tests/contract/test_decisions_api.py"
_STORED = "tests/contract/test_stored_decisions.py"
_LIMITS, _NOTES = "tests/contract/test_limits.py", "tests/contract/test_notes.py -k sqlite"
_PERIOD, _SCHEDULES = "tests/unit/test_report_period.py", "tests/contract/test_report_schedules.py"
_CORRECTIONS, _HOMOGENEITY = "tests/unit/test_corrections.py", "tests/unit/test_homogeneity.py"
_FLAG_LAYER, _PICTURES = "tests/contract/test_flag_layer.py", "tests/contract/test_pictures.py"
_VIEW_JS, _QUESTIONS_JS = "tests/js/view.test.mjs", "tests/js/questions.test.mjs"

MUTANTS = (
    # Files that can be cited
    Mutant("data/export/netcdf.py", "sizes[piece.station] += len", "sizes[piece.station] = len", _NETCDF),
    Mutant("data/export/netcdf.py", "// CHUNK_ROWS * CHUNK_ROWS", "", _NETCDF),
    Mutant("data/export/netcdf.py", "{sensor.day_start_min for sensor in sensors}", "{0}", _NETCDF),
    Mutant("data/export/file_digest.py", "with_flags=with_flags) != tag:", "with_flags=with_flags) is None:", _MANIFESTS),
    Mutant("data/export/manifest_differences.py", '.partition(" ")[2]', "", _MANIFESTS),
    # What happens next to a job
    Mutant("jobs/retry.py", "if retryable and failures < tries", "if retryable and failures <= tries", _POLICY),
    Mutant("jobs/retry.py", "max(0, min(failures, 32) - 1)", "max(0, min(failures, 32))", _POLICY),
    Mutant("jobs/worker/attempt_errors.py", "running_s >= timeout_s", "running_s > timeout_s", _POLICY),
    Mutant("jobs/policy.py", "active_of_user >= self.user_jobs", "active_of_user > self.user_jobs", _POLICY),
    Mutant("jobs/policy.py", "rows_to_read >= large_rows", "rows_to_read > large_rows", _POLICY),
    # The ledger
    Mutant("jobs/ledger/leases.py", "self._since_s.get(lease, now_s) for", "now_s for", _LEASES),
    Mutant("jobs/ledger/attempts.py", "attempt == attempt, job.c.status == Status.RUNNING", "attempt == attempt", _LEDGER),
    Mutant("jobs/ledger/attempts.py", "attempt=job.c.attempt + 1,", "attempt=job.c.attempt,", _LEDGER),
    Mutant("jobs/ledger/attempts.py", "(row.failures + 1, row.tries)", "(row.failures, row.tries)", _LEDGER),
    Mutant("jobs/ledger/attempts.py", "or_(job.c.not_before_ms <= now_ms(), job", "or_(job.c.not_before_ms >= 0, job", _LEDGER),
    Mutant("jobs/ledger/attempts.py", "or_(job.c.lease_until_ms < now_ms(), job", "or_(job.c.lease_until_ms < 0, job", _LEDGER),
    Mutant(
        "jobs/ledger/fair_order.py",
        "(waiting.c.round, waiting.c.had_turn,",
        "(waiting.c.had_turn,",
        "tests/contract/test_fair_order.py -k sqlite",
    ),
    # Rights
    Mutant("access/grants.py", "at = max(at, until)", "at = until", _GRANTS),
    Mutant("access/grants.py", "length_ms > self.longest_ms", "length_ms >= self.longest_ms", _GRANTS),
    Mutant(
        "access/grants.py",
        "(resolution) < RESOLUTIONS.index(self.finest)",
        "(resolution) <= RESOLUTIONS.index(self.finest)",
        _GRANTS,
    ),
    Mutant("access/grants.py", "Purpose.EXPORT: self.may_export", "Purpose.EXPORT: True", f"{_GRANTS} -k purpose"),
    Mutant("access/grants.py", "if self.zone not in (None, request.timezone)", "if self.zone is None", f"{_GRANTS} -k zone"),
    Mutant("access/throttle.py", "0 if failures < free else", "0 if failures <= free else", _THROTTLE),
    Mutant("access/throttle.py", "if key.forgives or count.failures <= 1", "if subject", _THROTTLE),
    Mutant("access/keys.py", "return self.revoked_ms is None and (", "return (", _KEYS),
    # Decisions of people
    Mutant("access/decisions/made_decision.py", "revision=table.c.revision + 1", "revision=table.c.revision", _DECISIONS),
    Mutant("access/decisions/deciding.py", "one.decision.number > seen and", "one.decision.number >= 0 and", _DECISIONS),
    Mutant("access/decisions/deciding.py", "columns.from_ms <= draft.end_ms", "columns.from_ms < draft.end_ms", _DECISIONS),
    Mutant("access/decisions/deciding.py", "columns.to_ms >= draft.start_ms", "columns.to_ms > draft.start_ms", _DECISIONS),
    Mutant("access/decisions/deciding.py", "    store.decisions.look_again()", "    pass", _DECISIONS),
    Mutant(
        "access/decisions/decision_checks.py", "if is_derived else Purpose.REVIEW", "if is_derived else Purpose.VIEW", _DECISIONS
    ),
    Mutant("access/decisions/decision_list.py", "from_ms <= end_ms and start_ms < to_ms", "True", _DECISIONS),
    Mutant("access/decisions/decision_text.py", "else safe_text(text)", "else text", _DECISIONS_API),
    Mutant("access/decisions/stored_decisions.py", "if undone_ms is None and", "if", f"{_STORED} -k sqlite"),
    Mutant("data/decision.py", "max(self.end_ms, self.end_ms + by_ms)", "self.end_ms", _DECISIONS),
    Mutant("jobs/ledger/ledger.py", "if equal and anew and", "if equal and not anew and", _LEDGER),
    Mutant("jobs/decision_job.py", "each in wanted if self.identity", "each in () if self.identity", _DECISIONS_API),
    # Limits, corrections and flags of series
    Mutant("access/limits/limit_changes.py", 'identity.admin) and "admin" in', 'identity) and "admin" in', _LIMITS),
    Mutant("access/limits/limit_changes.py", "table.c.revision > seen, ", "table.c.revision < 0, ", _LIMITS),
    Mutant("data/corrections.py", "(flags[part] & FLAG_SOURCE) | _out", "_out", _CORRECTIONS),
    Mutant("data/corrections.py", "moved.chosen(~np.isin(", "moved.chosen(np.isin(", _CORRECTIONS),
    Mutant("data/flag_layer.py", "in base and entry.fingerprint == self.mark(base[month])", "in base", _FLAG_LAYER),
    # Drift
    Mutant(
        "analysis/homogeneity.py", "_score_variance(values) * inflation(months, left)", "_score_variance(values)", _HOMOGENEITY
    ),
    # Notes, reports and pictures
    Mutant("access/notes/note_viewer.py", "return content.shared and self", "return self", _NOTES),
    Mutant("reports/scheduling.py", "while schedule is not None and", "if schedule is not None and", f"{_SCHEDULES} -k missed"),
    Mutant("reports/period.py", "local_time(now_ms - LATE_MS, timezone)", "local_time(now_ms, timezone)", _PERIOD),
    Mutant("api/picture.py", "ended_badly_just_now(job):", "job.status is Status.FAILED:", f"{_PICTURES} -k cancelled"),
    # Tiles
    Mutant("data/tiles/index.py", "zlib.crc32(body) == crc and len(body)", "len(body)", f"{_TILES} {_DAMAGE}"),
    Mutant("data/tiles/index.py", "found[entry.month][0] <= written", "found[entry.month][0] > written", f"{_TILES} {_DAMAGE}"),
    Mutant("data/tiles/index.py", "entry.generation < known[month].generation", "entry.generation < 0", _TILES),
    Mutant("data/tiles/tile_store.py", "self._touched.get(key, 0) < TOUCH_EVERY_MS", "self._touched.get(key, 0) < 0", _TILES),
    # The exact view
    Mutant("data/view/column_reducers.py", "((value == now) & (time < when))", "((value == now) & (time > when))", _REDUCE),
    Mutant(
        "data/view/column_reducers.py", "first_time < self._first_time[column]", "first_time > self._first_time[column]", _REDUCE
    ),
    Mutant("data/readings.py", "(values < sensor.valid_min)", "(values <= sensor.valid_min)", _CLEAN),
    Mutant("data/readings.py", "np.append(times[1:] != times[:-1], True)", "np.append(True, times[1:] != times[:-1])", _CLEAN),
    Mutant("data/view/gaps.py", "USUAL_STEPS = 3 ", "USUAL_STEPS = 1 ", _LINES),
    # Ranges and clocks
    Mutant("data/time/buckets.py", "_MONDAY_MS if step % (7 * DAY_MS) == 0 else 0", "0", _BUCKETS),
    Mutant("data/time/buckets.py", "day_start_min * MINUTE_MS if bucket.usual_ms > HOUR_MS else 0", "0", _BUCKETS),
    Mutant("data/time/months.py", "month_of(end_ms - 1) + 1", "month_of(end_ms) + 1", _MONTHS),
    Mutant("data/request.py", "if self.start_ms >= self.end_ms", "if self.start_ms > self.end_ms", _REQUEST),
    # Sources and files
    Mutant("data/source/mapped/wall_times.py", "doubled = max(0, before - after)", "doubled = 0", _SOURCE_ZONES),
    Mutant("data/source/connection/failures.py", '.replace(str(password), "***") if password else first', "", _FAILURES),
    Mutant("data/ingest/file_clock.py", "first <= second, first.copy()", "first == first, first.copy()", _CLOCK),
    Mutant("data/ingest/file_clock.py", "(late, early) if newest_first else (early, late)", "(early, late)", _CLOCK),
    Mutant("data/cells/running_totals.py", "np.where(new, totals, steps)", "np.where(new, 0.0, steps)", _COUNTING),
    # Exports and the API
    Mutant("data/export/columns.py", "_clock(times + offsets), ends", "_clock(times), ends", _EXPORT),
    Mutant(
        "api/guard.py",
        "request.endpoint not in EMBED_ENDPOINTS",
        "request.endpoint is None",
        "tests/contract/test_strangers.py tests/contract/test_embeds.py",
    ),
    Mutant("api/guard.py", "if request.method not in _SAFE and", "if request.method in _SAFE and", _ATTACKS),
    # The page
    Mutant("assets/view.js", "Math.round(value) - offset", "Math.round(value) + offset", _VIEW_JS),
    Mutant("assets/view.js", "Math.min(Math.max(start, first), last - length)", "Math.max(start, first)", _VIEW_JS),
    Mutant("assets/questions.js", "asking.get(output).abort();", ";", _QUESTIONS_JS),
    Mutant("assets/questions.js", "Math.min(waitMs * 2, LAST_RETRY_MS)", "FIRST_RETRY_MS", _QUESTIONS_JS),
)
