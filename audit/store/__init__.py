"""A run is a folder; ``result.json`` in it is the only truth, and everything else is a function of it."""

from audit.store.folder import RunEntry, adopt, find_run, list_runs, read, verify_integrity, write

__all__ = ["RunEntry", "adopt", "find_run", "list_runs", "read", "verify_integrity", "write"]
