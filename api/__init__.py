"""Flask blueprints: the routes of the API, and what every request passes before one of them.

What a route does is done by jobs, data or access. Pages of Dash belong to callbacks and layouts.
"""
