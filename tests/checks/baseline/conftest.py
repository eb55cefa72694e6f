"""Audits here run the checks of this family alone."""

from tests.worlds.slim import only_family

only_baseline = only_family("baseline")
