"""Pure functions that return Dash components; ids.py holds every component id.

Nothing is read or changed here. What a component does belongs to callbacks.
"""
