"""Signing in with a name and a password: session cookie, forms, one's own account,
and how plain pages look.

Accounts, passwords and rights themselves belong to access.
Who asks in a request is decided in api.authenticator.
"""
