"""The audit log: who did what, how it is kept, and how it is written as CSV.

The program only appends to it. Which events are written is decided where they happen.
"""
