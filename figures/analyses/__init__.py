"""Pictures of analyses: the file of an analysis' name draws its answer. Nothing is calculated here
that the answer does not hold. The chart of readings over time is figures/history.py.
"""
