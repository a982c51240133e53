"""Thin Dash callbacks: parse, call one plain function, return."""
