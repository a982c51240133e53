"""The worker of one host: it claims jobs, forks a child for each, watches it,
and cleans up after it.

Parts that the workers of Celery use as well are here too. What a job does belongs to jobs.kinds.
"""
