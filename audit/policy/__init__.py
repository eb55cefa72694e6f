"""Limits, packs, waivers and verdicts: judging measurements on their intervals, from their bases alone."""

from audit.policy.limits import Comparison, Contrast, Finding, Level, Limit, State, Verdict, Waiver, measure_id

__all__ = ["Comparison", "Contrast", "Finding", "Level", "Limit", "State", "Verdict", "Waiver", "measure_id"]
