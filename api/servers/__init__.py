"""Servers under the application: gunicorn and waitress,
so that a slow client holds a connection and never a thread.

Only bytes of requests and answers are handled here.
What an address answers belongs to the other modules of api.
"""
