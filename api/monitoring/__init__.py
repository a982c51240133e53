"""What machines ask about the site: health, readiness, and numbers for Prometheus.

Nothing here is for users of the page. The numbers of the queue are counted in jobs.monitoring.
"""
