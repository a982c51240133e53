"""Reports that are made and sent by themselves.

Who gets which report how often, and which periods were delivered. What a report is, is known above.
"""
