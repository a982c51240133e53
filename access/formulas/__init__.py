"""Formulas of users: what they say, and whose list they are on.

A formula gives no right: whoever names one sees of it what is granted of its inputs.
"""
