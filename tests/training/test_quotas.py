"""What a control group leaves of the machine, from files as Linux writes them."""

import pytest

from seewell.training import quotas
from seewell.training.quotas import limit_threads, memory_of_group, quota_of_group, usable_cores, usable_memory


@pytest.fixture
def write(tmp_path):
    def files(own, **contents):
        (tmp_path / "self").write_text(own)
        for name, text in contents.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "groups", tmp_path / "self"

    return files


def test_without_groups_there_is_no_limit(tmp_path):
    assert quota_of_group(tmp_path, tmp_path / "none") is None
    assert memory_of_group(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize(
    ("text", "quota"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("50000 100000\n", 0.5), ("nonsense", None)]
)
def test_the_second_version_says_quota_and_period(write, text, quota):
    assert quota_of_group(*write("0::/\n", **{"cpu.max": text})) == quota


def test_the_least_of_the_groups_above_holds(write):
    place = write(
        "0::/a/b\n", **{"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n", "a/memory.max": "4096\n"}
    )
    assert quota_of_group(*place) == 2.0
    assert memory_of_group(*place) == 4096


@pytest.mark.parametrize(("quota", "found"), [("-1\n", None), ("300000\n", 3.0)])
def test_the_first_version_has_a_file_for_each(write, quota, found):
    contents = {"cpu/x/cpu.cfs_quota_us": quota, "cpu/x/cpu.cfs_period_us": "100000\n"}
    contents["memory/x/memory.limit_in_bytes"] = "9223372036854771712\n" if found is None else "8192\n"
    place = write("4:memory:/x\n3:cpu,cpuacct:/x\n", **contents)
    assert quota_of_group(*place) == found
    assert memory_of_group(*place) == (None if found is None else 8192)


@pytest.mark.parametrize(("quota", "cores"), [(None, 4), (0.2, 1), (1.5, 2), (9.0, 4)])
def test_cores_are_those_of_the_affinity_or_fewer(monkeypatch, quota, cores):
    monkeypatch.setattr(quotas.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(quotas, "quota_of_group", lambda: quota)
    assert usable_cores() == cores


def test_memory_is_the_machine_s_or_less(monkeypatch):
    monkeypatch.setattr(quotas, "memory_of_group", lambda: None)
    whole = usable_memory()
    assert whole > 2**28
    monkeypatch.setattr(quotas, "memory_of_group", lambda: 2**28)
    assert usable_memory() == 2**28


@pytest.mark.parametrize(("quota", "threads"), [(1.5, [2, 2]), (None, []), (9.0, [])])
def test_threads_are_limited_only_where_the_quota_is_smaller(monkeypatch, quota, threads):
    import tensorflow as tf

    given = []
    monkeypatch.setattr(quotas.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(quotas, "quota_of_group", lambda: quota)
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", given.append)
    monkeypatch.setattr(tf.config.threading, "set_inter_op_parallelism_threads", given.append)
    limit_threads()
    assert given == threads
