"""Arrays to safetensors files: what the format's own library reads back, and what is divided among files."""

import hashlib

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save

from seewell.errors import ConfigError
from seewell.runs.tensorfile import read_size, shards, write_bytes, write_tensors

DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "uint32", "bool"]
ANY = hnp.arrays(
    st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5), elements={}, fill=None
)


@hypothesis.given(st.dictionaries(st.text(min_size=1, max_size=8), ANY, max_size=6))
def test_the_library_reads_back_what_was_written_bit_for_bit(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("tensors") / "a.safetensors"
    said = write_tensors(path, arrays)
    content = path.read_bytes()
    assert (said.bytes, said.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    found = load(content)
    assert found.keys() == arrays.keys()
    for name, value in arrays.items():
        assert found[name].dtype == value.dtype
        assert found[name].shape == value.shape
        assert found[name].tobytes() == value.tobytes()


def test_the_bytes_are_those_of_the_library(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "b/kernel": rng.normal(size=(3, 5)).astype(np.float32),
        "a/bias": np.zeros(7, np.float32),
        "step": np.asarray(3, np.int64),
        "seed": np.array([1, 2], np.uint32),
    }
    write_tensors(tmp_path / "a", arrays)
    assert (tmp_path / "a").read_bytes() == save(arrays)


def test_what_is_not_contiguous_or_big_endian_is_written_all_the_same(tmp_path):
    plain = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_tensors(tmp_path / "a", {"x": plain.T, "y": plain.astype(">f4"), "z": plain[:, ::2]})
    found = load((tmp_path / "a").read_bytes())
    np.testing.assert_array_equal(found["x"], plain.T)
    np.testing.assert_array_equal(found["y"], plain)
    np.testing.assert_array_equal(found["z"], plain[:, ::2])


def test_a_file_that_exists_is_not_written_over(tmp_path):
    write_bytes(tmp_path / "a", b"mine")
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "a", b"other")
    assert (tmp_path / "a").read_bytes() == b"mine"


@hypothesis.given(st.lists(st.integers(0, 100), max_size=20), st.integers(1, 300))
def test_no_file_is_larger_than_asked_unless_a_single_array_is(sizes, most):
    arrays = {f"{place:02d}": np.zeros(size, np.uint8) for place, size in enumerate(sizes)}
    parts = shards(arrays, most)
    assert [name for part in parts for name in part] == sorted(arrays)
    assert len(parts) == 1 or all(parts)
    for part in parts:
        assert len(part) == 1 or sum(value.nbytes for value in part.values()) <= most


@pytest.mark.parametrize(("text", "size"), [("2GB", 2_000_000_000), ("1 kb", 1000), ("0.5MB", 500_000)])
def test_sizes_are_read(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "2", "GB", "0GB", "-1GB", "2GiB", "2 G B", "0.0001KB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ConfigError, match="no size") as caught:
        read_size(text)
    assert caught.value.fix == "--shard-size 2GB"
