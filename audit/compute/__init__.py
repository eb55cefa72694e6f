"""Where inference runs: in batches on this machine."""

from audit.compute.local import in_batches

__all__ = ["in_batches"]
