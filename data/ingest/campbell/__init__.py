"""Campbell Scientific's binary tables, TOB1, TOB2 and TOB3:
their frames and the types of their fields.

Cells leave here as TOA5 would show them. Other formats of files are beside it in data.ingest.
"""
