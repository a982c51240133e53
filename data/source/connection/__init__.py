"""Connections that read: the fast path, the general one, their sessions,
and what an error of a driver means.

Own and mapped tables are both read through it. Which rows are asked for is decided there, not here.
"""
