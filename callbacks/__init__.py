"""Thin Dash callbacks: parse, call one plain function, return.

Modules are named after the page or the part of it that they serve.
Components belong to layouts, figures to figures.
"""
