"""Saved views: what one shows, and its row in the database.

A saved view gives no right: whoever opens one sees what is granted to them at that moment.
"""
