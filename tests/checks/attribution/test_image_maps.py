"""Image maps as evidence: what is shown, what is measured of it, and what is withheld."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.attribution.images import ImageExplanation
from audit.attribution.maps import Maps
from audit.attribution.trust_grades import Grade, Trust
from audit.checks.attribution.image_maps import image_maps
from audit.errors import Unavailable
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import ImageMap, Reason, Table

N, SIDE = 6, 10


def maps(short, family, values, completeness=None):
    return Maps(
        method=f"{short} (exactly)",
        short=short,
        family=family,
        values=np.asarray(values, dtype=np.float32),
        signed=family != "activations",
        completeness=completeness,
    )


def given(*, errors=None, occluded=None, unavailable=()):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(N, SIDE, SIDE))
    errors = np.full(N, 0.002) if errors is None else np.asarray(errors)
    explanation = ImageExplanation(
        pixels=rng.integers(0, 255, (N, SIDE, SIDE, 1), dtype=np.uint8),
        targets=("3",) * N,
        scalar="the logit of the predicted class",
        maps=(
            maps("integrated gradients from black", "gradients", truth, errors),
            maps("integrated gradients from a blurred copy", "gradients", 2 * truth, np.full(N, 0.004)),
            maps("GradCAM", "activations", np.abs(truth)),
            maps("occlusion", "occlusion", truth if occluded is None else occluded),
        ),
        unavailable=unavailable,
        evaluations=10,
    )
    return ExplainedMaps(rows=tuple(range(N)), labels=("8", "", *["3"] * (N - 2)), explanation=explanation)


def by_name(outcome):
    return {m.name: m for m in outcome.measurements}


def test_every_method_shows_every_image_with_its_completeness_where_it_promises_one():
    outcome = image_maps(given(), 0.95)
    shown = [e for e in outcome.evidence if isinstance(e, ImageMap)]
    assert len(shown) == 4 * N
    assert [e.completeness for e in shown[:4]] == [0.002, 0.004, None, None]
    assert [e.signed for e in shown[:4]] == [True, True, False, True]
    assert "predicted 3, labelled 8" in shown[0].title
    assert "labelled" not in shown[4].title


def test_pixels_and_maps_arrive_as_they_were():
    source = given()
    shown = [e for e in image_maps(source, 0.95).evidence if isinstance(e, ImageMap)]
    pixels = np.frombuffer(shown[4].pixels.data, dtype=np.uint8).reshape(shown[4].pixels.shape)
    values = np.frombuffer(shown[7].attributions.data, dtype="<f4").reshape(shown[7].attributions.shape)
    np.testing.assert_array_equal(pixels, source.explanation.pixels[1])
    np.testing.assert_array_equal(values, source.explanation.maps[3].values[1])


def test_an_image_that_does_not_add_up_loses_all_its_maps_and_leaves_the_agreement():
    errors = [0.002, 0.3, 0.002, 0.002, 0.002, 0.002]
    outcome = image_maps(given(errors=errors), 0.95)
    titles = {e.title[:7] for e in outcome.evidence if isinstance(e, ImageMap)}
    assert titles == {"Image 1", "Image 3", "Image 4", "Image 5", "Image 6"}
    (omission,) = [o for o in outcome.omissions if o.reason is Reason.WITHHELD]
    assert "image 2" in omission.detail
    assert by_name(outcome)["map_rank_agreement"].n == N - 1


def test_the_completeness_error_is_the_median_over_images_and_baselines_and_exact():
    found = by_name(image_maps(given(), 0.95))["map_completeness_error"]
    assert (found.value, found.n, found.interval.kind) == (pytest.approx(0.003), 2 * N, "exact")


def test_agreement_falls_when_a_method_shows_noise():
    noise = np.random.default_rng(1).normal(size=(N, SIDE, SIDE))
    good, bad = (by_name(image_maps(given(occluded=o), 0.95)) for o in (None, noise))
    for name in ("map_rank_agreement", "map_top_overlap"):
        assert good[name].value > bad[name].value + 0.1
        assert good[name].interval.lower < good[name].value < good[name].interval.upper


def test_the_baselines_agreement_is_of_the_baselines_alone():
    noise = np.random.default_rng(1).normal(size=(N, SIDE, SIDE))
    outcome = image_maps(given(occluded=noise), 0.95)
    (omission,) = [o for o in outcome.omissions if o.name == "map_baseline_agreement"]
    assert omission.reason is Reason.INSUFFICIENT_DATA  # six times exactly one has no spread
    table = next(e for e in outcome.evidence if isinstance(e, Table))
    assert table.rows[0][2] == pytest.approx(1)


def test_a_flat_map_has_no_agreement_and_says_that_it_is_empty():
    source = given(occluded=np.zeros((N, SIDE, SIDE)))
    outcome = image_maps(source, 0.95)
    empty = [e for e in outcome.evidence if isinstance(e, ImageMap) and e.method.startswith("occlusion")]
    assert all("no evidence" in e.note for e in empty)
    table = next(e for e in outcome.evidence if isinstance(e, Table))
    assert table.rows[-1][2:4] == (None, None)


def test_a_method_that_cannot_be_had_is_an_omission_with_its_remedy():
    why = Unavailable("not_applicable", "no convolution", "rely on the others")
    source = given(unavailable=(why,))
    two = replace(source.explanation, maps=source.explanation.maps[:2])
    outcome = image_maps(replace(source, explanation=two), 0.95)
    assert any(o.detail == "no convolution" and o.remedy == "rely on the others" for o in outcome.omissions)
    assert "map_rank_agreement" not in by_name(outcome)


def test_when_every_image_is_withheld_only_the_error_is_left():
    outcome = image_maps(given(errors=np.full(N, 0.5)), 0.95)
    assert list(by_name(outcome)) == ["map_completeness_error"]
    assert not outcome.evidence


def test_a_map_that_its_trust_checks_withhold_is_not_drawn_and_the_others_say_their_grade():
    source = given()
    bad, good = Grade(letter="withheld", reasons=("it is noise (T4: 0.01)",)), Grade(letter="B", reasons=("so so",))
    trust = tuple(
        Trust(short=m.short, numbers={}, missing=(), grade=good, maps=(bad if k == 2 else good,) * N)
        for k, m in enumerate(source.explanation.maps)
    )
    outcome = image_maps(replace(source, explanation=replace(source.explanation, trust=trust)), 0.95)
    shown = [e for e in outcome.evidence if isinstance(e, ImageMap)]
    assert len(shown) == 3 * N
    assert not any("GradCAM" in e.title for e in shown)
    assert all("Trust B: so so." in e.note for e in shown)
