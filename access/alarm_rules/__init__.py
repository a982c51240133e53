"""Alarms of users: which rules there are, where each stands, and the mails about it.

When a rule fires is known below, in analysis/alarms.py.
"""
