"""Numbers to Plotly figures; knows Plotly, never Dash."""
