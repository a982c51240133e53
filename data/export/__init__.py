"""Rows of a request as files: CSV, Parquet and Arrow as streams, workbooks and NetCDF files on
the disk, and the shelf that keeps what jobs made.

Everything is made of tiles in constant memory. The answers of HTTP belong to api,
the job that writes a file to jobs.kinds.
"""
