"""Pure functions that return Dash components; ids.py holds every component id."""
