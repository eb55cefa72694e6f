"""The audit.toml of each demonstration, as a user would write it."""

from __future__ import annotations

PIPELINE = """# Change a line and run:  audit run
schema  = 1
name    = "mortgage-pipeline"
purpose = "Decide on home-loan applications (Boston, 1990): a demonstration on real data"

[model]
path      = "model.skops"          # a scikit-learn pipeline
threshold = 0.85                   # approve when the model is this sure

[data.test]
path     = "test.parquet"
target   = "approve"
positive = 1
groups   = ["race", "sex"]         # sensitive attributes; the model does not see them

[data.train]
path = "train.parquet"

[training]
record = "training.json"           # written by audit.track while the model trained
# region = "US"                    # give a country and the report adds CO2e

[[limit]]
measure = "roc_auc"
min     = 0.70
why     = "below this the old scorecard is the better choice"

[[limit]]
measure = "true_positive_rate"
by      = ["race"]
compare = "difference"
max     = 0.10
why     = "an applicant who would repay deserves the same chance, whatever the race"

[[limit]]
measure = "selection_rate"
by      = ["race"]
compare = "ratio"
min     = 0.80
level   = "warn"
why     = "the four-fifths rule: a gap that a reviewer will ask about"

[evidence]
rows = "sample"                    # single applications may be shown: these data are public
"""

MLP = PIPELINE.replace("mortgage-pipeline", "mortgage-mlp").replace(
    'path      = "model.skops"          # a scikit-learn pipeline',
    """path      = "model.safetensors"    # weights; the network is built by
factory   = "audit.demo.networks:mortgage_mlp"
output    = "logit"
classes   = [0, 1]""",
)

DIGITS = """# Change a line and run:  audit run
schema  = 1
name    = "digits-cnn"
purpose = "Read handwritten digits: a demonstration of attribution maps on pictures"

[model]
path    = "model.safetensors"
factory = "audit.demo.networks:digits_cnn"
output  = "logit"
classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

[data.test]
path     = "test.parquet"
target   = "digit"
features = ["picture"]

[data.train]
path = "train.parquet"

[columns]
picture = { kind = "image", from = "pixel_*", shape = [1, 8, 8] }

[training]
record = "training.json"

[[limit]]
measure = "accuracy"
min     = 0.95
why     = "a form with ten digits is then read without a mistake in three of five cases"

[evidence]
rows = "sample"
"""
