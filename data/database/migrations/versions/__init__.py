"""One file a revision. The columns of sensors are not here:
they follow the site's own catalogue.
"""
