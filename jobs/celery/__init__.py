"""Celery as a carrier of job ids between hosts: application, broker, pools,
and the worker that runs them.

It is used only where ``RIWAYAT_QUEUE=celery``. The ledger stays the truth;
nothing is stored in the broker alone.
"""
