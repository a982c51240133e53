"""Engines, drivers, time limits and retries for every database,
and the tables and migrations of observations.

Other packages of data, and jobs and access too, build on it. Nothing here knows what the rows mean:
what reads or writes observations for a purpose belongs where that purpose is.
"""
