"""Limits of quality control that people set over those of the catalogue: checking, changing,
keeping and listing them.

A limit that is set is a row that stays, without a value when it is given back
(docs/decisions/0045). What comes of it is made with the flags of its series, by a job.
"""
