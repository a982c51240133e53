"""Synthetic stations for a first look: their weather,
and the observations and faults that are made of it.

Only ``manage.py demo``, tests and benchmarks use it.
Nothing of the program depends on synthetic stations.
"""
