import dataclasses
import hashlib
import http.server
import re
import threading

import numpy as np
import pytest
from data_makers import some_images, some_labels, write_cifar10_binary, write_cifar10_python, write_idx

from seewell.data import catalogue
from seewell.data.cache import cache_root
from seewell.data.catalogue import CATALOGUE, locate
from seewell.data.download import Archive, File
from seewell.data.loading import load_dataset
from seewell.errors import DataError

X, Y = some_images(24, (5, 4, 1)), some_labels(24)


@pytest.fixture
def offline(monkeypatch):
    """Every official address leads to a port of this machine where nobody listens."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        port = server.server_port
    for name, entry in CATALOGUE.items():
        files = tuple(dataclasses.replace(file, urls=(f"http://127.0.0.1:{port}/{file.name}",)) for file in entry.files)
        monkeypatch.setitem(CATALOGUE, name, dataclasses.replace(entry, files=files))


def made(folder, value):
    """A set in which every pixel of the test split tells where it was found."""
    return write_idx(folder, X, Y, np.full((6, 5, 4, 1), value, dtype=np.uint8), some_labels(6))


def test_every_entry_is_complete_and_official():
    for name, entry in CATALOGUE.items():
        if name == "digits":
            continue
        assert entry.folders
        assert entry.files
        for file in entry.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.size > 1000
            assert all(url.startswith("http") and url.endswith(file.name) for url in file.urls)
            assert isinstance(file, File | Archive)


def test_the_order_of_places(tmp_path, monkeypatch, offline):
    """$SEEWELL_DATA, the system's folders, the cache, the official page."""
    monkeypatch.setenv("SEEWELL_DATA", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("XDG_DATA_DIRS", f"{tmp_path / 'share'}:{tmp_path / 'more'}")
    monkeypatch.setattr(catalogue, "_SYSTEM_FOLDER", tmp_path / "usr-share-datasets")
    places = [
        tmp_path / "mine" / "mnist",
        tmp_path / "share" / "datasets" / "mnist",
        tmp_path / "more" / "datasets" / "mnist",
        tmp_path / "usr-share-datasets" / "mnist",
        cache_root() / "datasets" / "mnist",
    ]
    with pytest.raises(DataError, match="mnist is not on this machine"):
        load_dataset("mnist")
    for value, place in reversed(list(enumerate(places))):
        made(place, value)
        assert locate("mnist") == place
        assert (load_dataset("mnist").test.images == value).all()


@pytest.mark.parametrize(
    ("folder", "write"),
    [("cifar-10-batches-bin", write_cifar10_binary), ("cifar-10-batches-py", write_cifar10_python)],
)
def test_cifar_in_either_layout(tmp_path, monkeypatch, folder, write):
    monkeypatch.setenv("SEEWELL_DATA", str(tmp_path))
    images = some_images(24)
    write(tmp_path / folder, images, Y, images[:6], Y[:6])
    dataset = load_dataset("cifar10")
    assert dataset.name == "cifar10"
    assert dataset.source == "cifar10"


def test_classes_that_only_the_catalogue_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEWELL_DATA", str(tmp_path))
    labels = some_labels(40, 10)
    write_idx(tmp_path / "fashion-mnist", some_images(40, (5, 4, 1)), labels)
    assert load_dataset("fashion-mnist").classes[9] == "ankle boot"
    assert load_dataset(tmp_path / "fashion-mnist").classes[0] == "t-shirt/top"


def test_a_label_beyond_the_known_classes_names_the_row(tmp_path, monkeypatch):
    """Row 46."""
    monkeypatch.setenv("SEEWELL_DATA", str(tmp_path))
    labels = some_labels(40, 10)
    labels[33] = 10
    write_idx(tmp_path / "fashion-mnist", some_images(40, (5, 4, 1)), labels)
    with pytest.raises(DataError, match="row 33 has label 10, and there are 10 classes"):
        load_dataset("fashion-mnist")


def test_a_folder_of_the_right_name_with_other_things_is_not_passed_over(tmp_path, monkeypatch):
    """Otherwise other data than the user put there would be trained on."""
    monkeypatch.setenv("SEEWELL_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    with pytest.raises(DataError, match=r"mnist is an empty folder"):
        load_dataset("mnist")


def test_a_name_is_the_set_even_where_a_folder_is_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "mnist", 1)
    made(tmp_path / "data" / "mnist", 2)
    monkeypatch.setenv("SEEWELL_DATA", str(tmp_path / "data"))
    assert (load_dataset("mnist").test.images == 2).all()
    assert (load_dataset("./mnist").test.images == 1).all()


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "cifar100"])
def test_offline_the_message_says_where_to_put_the_files(name, offline):
    with pytest.raises(
        DataError, match=f"{name} is not on this machine, and downloading it failed: .*cannot be reached"
    ) as caught:
        load_dataset(name)
    text = str(caught.value)
    entry = CATALOGUE[name]
    assert "SEEWELL_DATA" in text
    assert str(cache_root() / "datasets") in text
    for word in (*entry.folders, entry.files[0].urls[0]):
        assert word in text
    names = entry.files[0].members if isinstance(entry.files[0], Archive) else [file.name for file in entry.files]
    assert all(file in text for file in names)
    assert caught.value.exit_code == 2


def test_offline_nothing_is_left_behind(offline):
    with pytest.raises(DataError):
        load_dataset("mnist")
    assert [path for path in cache_root().rglob("*") if path.is_file() or path.name.startswith(".")] == []


def test_a_data_folder_that_does_not_exist_is_said(tmp_path, monkeypatch, offline):
    monkeypatch.setenv("SEEWELL_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="SEEWELL_DATA names") as caught:
        load_dataset("mnist")
    assert "nowhere" in caught.value.what


def test_a_name_is_downloaded_once_and_then_found(tmp_path, monkeypatch):
    """The whole way, from a server on this machine."""
    folder = made(tmp_path / "www", 3)
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(folder))

        def log_message(self, *_):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            files = tuple(
                File(
                    path.name,
                    (f"http://127.0.0.1:{server.server_port}/{path.name}",),
                    path.stat().st_size,
                    catalogue_hash(path),
                )
                for path in sorted(folder.iterdir())
            )
            entry = dataclasses.replace(CATALOGUE["mnist"], files=files)
            monkeypatch.setitem(CATALOGUE, "mnist", entry)
            told = []
            first = load_dataset("mnist", progress=lambda *state: told.append(state))
            second = load_dataset("mnist")
        finally:
            server.shutdown()
            thread.join()
    assert (first.test.images == 3).all()
    assert first.fingerprint() == second.fingerprint()
    assert len(asked) == 4
    assert told[-1][1] == told[-1][2]
    assert told[0][0].startswith("downloading ")


def catalogue_hash(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_locating_what_has_no_folder_or_no_entry():
    with pytest.raises(DataError, match="digits is built in"):
        locate("digits")
    with pytest.raises(DataError, match='no set "cifar11"') as caught:
        locate("cifar11")
    assert caught.value.fix == 'did you mean "cifar10"?'
