"""Audits here run the checks of this family alone."""

from tests.worlds.slim import only_family

only_efficiency = only_family("efficiency")
