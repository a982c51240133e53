"""Observations and what is made of them: catalogue, request, source, tiles, series, view. Knows no job, no page."""
