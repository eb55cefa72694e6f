"""Audit a vendor's score without its model: the COMPAS table of ProPublica's "Machine Bias" (Angwin et al. 2016).

The article's counts (Larson et al., "How We Analyzed the COMPAS Recidivism Algorithm", 23 May 2016) are turned back
into one row a defendant: what the score said (high or low risk) and whether the defendant reoffended within two years.

    python examples/compas.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from audit.cli import main

COUNTS = {  # race -> (low and did not, high and did not, low and did, high and did)
    "African-American": (990, 805, 532, 1369),
    "Caucasian": (1139, 349, 461, 505),
}

SPEC = """schema  = 1
name    = "compas"
purpose = "Risk of reoffending within two years, as sold to courts"

[data.test]                       # no [model]: a column of the vendor's decisions is all there is
path       = "compas.csv"
target     = "reoffended"
positive   = 1
favourable = 0
prediction = "high_risk"
groups     = ["race"]

[[limit]]
measure = "false_positive_rate"
by      = ["race"]
compare = "difference"
max     = 0.10
why     = "who will not reoffend should be called dangerous as rarely, whatever the race"

[[limit]]
measure = "positive_predictive_value"
by      = ["race"]
compare = "difference"
max     = 0.10
why     = "the vendor's own standard: high risk should mean the same risk"
"""


def rows() -> list[str]:
    """The header and one line a defendant."""
    lines = ["race,high_risk,reoffended"]
    for race, counts in COUNTS.items():
        for (high, did), count in zip([(0, 0), (1, 0), (0, 1), (1, 1)], counts, strict=True):
            lines += [f"{race},{high},{did}"] * count
    return lines


def write(folder: Path) -> Path:
    """compas.csv and audit.toml in ``folder``; the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compas.csv").write_text("\n".join(rows()) + "\n", encoding="utf-8")
    (folder / "audit.toml").write_text(SPEC, encoding="utf-8")
    return folder / "audit.toml"


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "compas")
    sys.exit(main(["run", str(write(where)), "--out", str(where / "audits")]))
