"""The queue: job, ledger, policy, worker, manager, and the main job (history)."""
