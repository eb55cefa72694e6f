"""Files of other trackers as evidence: read without them, examined, graded. None of them says how it measured."""
