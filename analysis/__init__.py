"""Questions that analysts ask of series, one a file: pure functions of rows to numbers, each with
its options and its method.

What belongs here: options, arithmetic, and the record of an answer. What does not: how an answer is
drawn (figures/), who may ask (access/), where it is asked (api/, commands/, layouts/), and reading
from a database (data/source/).
"""
