"""Rules of quality control, one a file: pure functions of times, values and limits that say which
readings cannot be right (hard) or should be looked at (suspect).

A rule returns a mask of rows or spans (spans.py); checks.py asks all rules of a station, and
review.py is the analysis ``quality``. Limits come with the catalogue (data/quality_limits.py).
"""
