"""Which images an export is compared on."""

import json
import shutil

import numpy as np
import pytest

from seewell.runs.export_sample import LEAST, gather_sample, seeded_images
from seewell.runs.run import Run


def test_validation_images_come_first_and_training_images_fill_up(tiny_run, digits):
    sample = gather_sample(tiny_run, measure=False)
    assert len(sample.images) == LEAST
    assert sample.validation == len(digits.validation) < LEAST
    assert (sample.train, sample.seeded) == (LEAST - sample.validation, 0)
    np.testing.assert_array_equal(sample.images[: sample.validation], digits.validation.images)
    np.testing.assert_array_equal(sample.labels, digits.validation.labels)
    assert sample.source == f"{sample.validation} of the validation split, {sample.train} of the training split"
    train = {image.tobytes() for image in digits.train.images}
    assert len({image.tobytes() for image in sample.calibration} & train) == len(sample.calibration)


def test_images_are_spread_over_the_split(tiny_run):
    labels = np.bincount(gather_sample(tiny_run, measure=True).labels, minlength=10)
    assert labels.min() > 0


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"source": "nowhere/at/all"}, "nowhere/at/all"),
        ({"source": None}, "names no dataset"),
        ({"fingerprint": "0" * 64}, "digits is not the dataset that the run was trained on any more"),
    ],
)
def test_where_the_dataset_is_not_there_the_images_are_seeded(tiny_run, tmp_path, change, missing):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    info["dataset"] |= change
    (tmp_path / "run" / "run.json").write_text(json.dumps(info))
    sample = gather_sample(Run(tmp_path / "run"), measure=True)
    assert (sample.validation, sample.train, sample.seeded) == (0, 0, LEAST)
    assert sample.calibration is None
    assert missing in sample.missing
    np.testing.assert_array_equal(sample.images, seeded_images(LEAST, (8, 8, 1)))


def test_seeded_images_are_the_same_each_time_and_of_every_kind():
    images = seeded_images(64, (12, 9, 3))
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, seeded_images(64, (12, 9, 3)))
    assert (images[1] == 0).all()
    assert (images[2] == 255).all()
    assert len({image.tobytes() for image in images}) == 64
    assert len(seeded_images(0, (4, 4, 1))) == 0
