"""Observations and what is made of them: catalogue, request, site, inventory, plan,
and the rooms that these join.

Nothing here knows a job, a user or a page. What is about one thing has a room:
source, ingest, tiles, view, export and others.
"""
