"""Numbers to Plotly figures: traces, panels, axes and their words.

Plotly is known here, Dash is not. What the numbers are is decided in data.view.
"""
