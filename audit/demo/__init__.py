"""Real models on real data, made on the spot: what `audit demo` audits."""
