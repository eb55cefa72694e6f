"""What a check may ask for, by name and type: one provider a file, a function of other inputs, made once a run.

A provider's file is named after its input. ``REQUIRES``, a literal, says what the case must hold, so that a plan can
be made without importing anything: ``model``, ``train``, ``training_record`` (True), ``roles`` (columns that must be
named), ``tasks`` and ``kinds`` (any of them). A provider that finds out later raises :class:`audit.errors.Unavailable`.

Given by the engine itself: ``case`` (Case), ``data`` (the Dataset under examination), ``seed`` (int, keyed by the
check's name) and ``level`` (float, the confidence of displayed intervals).
"""
