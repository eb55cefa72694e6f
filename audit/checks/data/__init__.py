"""What the data under examination look like."""
