"""Notes of people on times and spans of a series or a station, and their rows in the database.

A note gives no right and changes no reading: whoever may see a station's sensor at that time sees
what others share of it.
"""
