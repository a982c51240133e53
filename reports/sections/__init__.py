"""The sections of a report, one a file.

Each makes what it says of one station's material; none asks a database or opens a file.
"""
