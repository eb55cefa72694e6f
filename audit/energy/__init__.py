"""Energy of training: meters, the tracker, its record, estimates with a rung and a range, and grid intensity."""
