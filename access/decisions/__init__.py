"""Decisions of people about readings: making, undoing, listing and moving them.

A decision is a row that nothing changes but its undoing (docs/decisions/0041). What comes of it is
made with the flags of its months, by a job.
"""
