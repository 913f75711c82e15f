import os
import shutil
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from data_makers import png_bytes, png_header_bomb, some_images, some_labels, write_class_folders, write_folder
from PIL import Image

from seewell.data import cache
from seewell.data.decode import Decoding, decode_image
from seewell.data.loading import load_dataset
from seewell.data.readers import folder as module
from seewell.errors import DataError

X, Y = some_images(24, (9, 7, 3)), some_labels(24)


@pytest.fixture
def folder(tmp_path):
    return write_class_folders(tmp_path / "pets", X, Y)


@pytest.fixture
def many(tmp_path):
    """Three hundred images, so that three bad ones are 1 %."""
    return write_class_folders(tmp_path / "pets", some_images(300, (4, 4, 3)), some_labels(300))


def refused(folder, match):
    with pytest.raises(DataError, match=match) as caught:
        load_dataset(folder)
    str(caught.value).encode("utf-8")
    return caught.value


def by_path(dataset):
    splits = [dataset.train, dataset.validation, *([dataset.test] if dataset.test else [])]
    return {
        Path(path).name: (image.tobytes(), int(label))
        for split in splits
        for path, image, label in zip(split.paths, split.images, split.labels, strict=True)
    }


def expected(images, labels):
    return {f"{row:04}.png": (images[row].tobytes(), int(labels[row])) for row in range(len(images))}


def test_class_folders(folder):
    dataset = load_dataset(folder)
    assert dataset.name == "pets"
    assert dataset.classes == ("ant", "bee", "cow")
    assert dataset.image_shape == (9, 7, 3)
    assert (len(dataset.train), len(dataset.validation), dataset.test) == (21, 3, None)
    assert by_path(dataset) == expected(X, Y)
    assert dataset.notes == ()


def test_train_and_test_folders(tmp_path):
    folder = write_folder(tmp_path / "pets", X, Y, X[:6], Y[:6])
    dataset = load_dataset(folder)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (21, 3, 6)
    assert all("/test/" in path for path in dataset.test.paths)


@pytest.mark.parametrize("name", ["validation", "val", "valid", "Validation"])
def test_a_validation_folder_is_used(tmp_path, name):
    folder = write_folder(tmp_path / "pets", X, Y, X[:6], Y[:6])
    write_class_folders(folder / name, X[6:12], Y[6:12])
    dataset = load_dataset(folder)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (24, 6, 6)


def test_a_class_may_be_called_train(tmp_path):
    folder = write_class_folders(tmp_path / "vehicles", X, Y, names=("bus", "car", "train"))
    assert load_dataset(folder).classes == ("bus", "car", "train")


def test_a_second_start_reads_the_cache(folder, monkeypatch):
    first = load_dataset(folder)
    monkeypatch.setattr("seewell.data.readers.folder.decode_rows", None)
    second = load_dataset(folder)
    assert isinstance(second.train.images, np.memmap)
    assert second.fingerprint() == first.fingerprint()
    assert second.train.paths == first.train.paths


def test_a_changed_file_is_decoded_again(folder):
    before = load_dataset(folder).fingerprint()
    (folder / "ant" / "0000.png").write_bytes(png_bytes(X[0] ^ 255))
    assert load_dataset(folder).fingerprint() != before


def test_a_damaged_cache_is_made_again(folder):
    before = load_dataset(folder).fingerprint()
    for array in cache.cache_root().rglob("images.npy"):
        data = bytearray(array.read_bytes())
        data[-1] ^= 1
        array.write_bytes(data)
    assert load_dataset(folder).fingerprint() == before


@pytest.mark.parametrize("file", ["images.npy", "index.json"])
def test_a_cut_cache_is_made_again(folder, file):
    before = load_dataset(folder).fingerprint()
    for found in cache.cache_root().rglob(file):
        os.truncate(found, found.stat().st_size // 2)
    assert load_dataset(folder).fingerprint() == before


def test_an_index_that_was_changed_is_not_believed(folder):
    before = load_dataset(folder).fingerprint()
    (index,) = cache.cache_root().rglob("index.json")
    index.write_text(index.read_text().replace('"left out": []', '"left out": [[0, "gone"]]'))
    assert load_dataset(folder).fingerprint() == before
    assert load_dataset(folder).quarantined == ()


def test_a_cache_folder_that_is_a_file_means_memory(folder, tmp_path, monkeypatch):
    before = load_dataset(folder)
    (tmp_path / "blocked").touch()
    monkeypatch.setenv("SEEWELL_CACHE", str(tmp_path / "blocked"))
    dataset = load_dataset(folder)
    assert not isinstance(dataset.train.images, np.memmap)
    assert dataset.fingerprint() == before.fingerprint()
    assert "decoded into memory at every start" in dataset.notes[-1]


def test_a_full_disk_means_memory(folder, monkeypatch):
    def no_space(handle, start, length):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_space)
    dataset = load_dataset(folder)
    assert by_path(dataset) == expected(X, Y)
    assert "no space left on device" in dataset.notes[-1]
    assert not list(cache.cache_root().rglob("images.npy"))


def test_without_cache_and_memory_it_is_said_before_decoding(folder, tmp_path, monkeypatch):
    (tmp_path / "blocked").touch()
    monkeypatch.setenv("SEEWELL_CACHE", str(tmp_path / "blocked"))
    monkeypatch.setattr(cache, "_available_memory", lambda: 1000)
    error = refused(folder, r"24 images of 9 x 7 need .* GB")
    assert "SEEWELL_CACHE" in error.fix


def test_the_order_of_files_on_disk_does_not_matter(folder, tmp_path):
    """The same files, made in the opposite order elsewhere: the same splits."""
    copy = tmp_path / "copy" / "pets"
    for file in sorted(folder.rglob("*.png"), reverse=True):
        (copy / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy / file.parent.name / file.name)
    one, two = load_dataset(folder), load_dataset(copy)
    assert one.fingerprint() == two.fingerprint()
    assert {Path(p).name for p in one.validation.paths} == {Path(p).name for p in two.validation.paths}


def test_the_split_seed_moves_images_between_train_and_validation(many):
    one, two = load_dataset(many), load_dataset(many, split_seed=1)
    assert by_path(one) == by_path(two)
    assert set(one.validation.paths) != set(two.validation.paths)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "no known image format"),
        (png_bytes(X[0])[:60], "damaged or cut"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "EPS"),
        (png_header_bomb(), "claims 50,000 x 50,000 pixels"),
    ],
    ids=["empty", "text", "cut", "eps", "bomb"],
)
def test_a_few_bad_files_are_left_out_and_listed(many, content, reason):
    """Rows 25 to 30: three of 300 are 1 %; the fourth is too many."""
    for name in ("0000.png", "0001.png", "0002.png"):
        next(many.rglob(name)).write_bytes(content)
    for _ in range(2):  # decoded, then from the cache
        dataset = load_dataset(many)
        assert len(dataset.train) + len(dataset.validation) == 297
        assert {each.path for each in dataset.quarantined} == {"ant/0000.png", "bee/0001.png", "cow/0002.png"}
        assert all(reason in each.reason for each in dataset.quarantined)
        assert dataset.notes[0].startswith("left out 3 of 300 image files, the first: ")
        assert "0000.png" not in by_path(dataset)
        assert np.bincount(dataset.validation.labels).tolist() == [10, 10, 10]
    next(many.rglob("0003.png")).write_bytes(content)
    error = refused(many, "4 of 300 image files cannot be used")
    assert len(error.details) == 4
    assert any("0003.png" in str(line) for line in error.details.values())


def test_labels_and_pixels_stay_together_when_a_file_fails_late(many):
    """A file whose header is whole and whose pixels are cut is found late; rows are put in order again."""
    images = some_images(300, (4, 4, 3))
    whole = png_bytes(images[5])
    next(many.rglob("0005.png")).write_bytes(whole[:45])
    dataset = load_dataset(many)
    assert by_path(dataset) == {
        name: value for name, value in expected(images, some_labels(300)).items() if name != "0005.png"
    }
    assert by_path(load_dataset(many)) == by_path(dataset)


def test_the_same_holds_in_memory(many, monkeypatch, tmp_path):
    next(many.rglob("0005.png")).write_bytes(png_bytes(some_images(300, (4, 4, 3))[5])[:45])
    cached = load_dataset(many)
    (tmp_path / "blocked").touch()
    monkeypatch.setenv("SEEWELL_CACHE", str(tmp_path / "blocked"))
    assert load_dataset(many).fingerprint() == cached.fingerprint()


def test_png_named_jpg_loads_and_is_noted(folder):
    """Row 28."""
    (folder / "ant" / "0000.png").rename(folder / "ant" / "0000.jpg")
    dataset = load_dataset(folder)
    assert len(dataset.train) + len(dataset.validation) == 24
    assert dataset.notes == ("1 file with the ending of another format (content decides), the first: ant/0000.jpg",)


def test_animations_are_noted(folder):
    """Row 35."""
    frames = [Image.new("RGB", (7, 9), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "ant" / "move.gif", save_all=True, append_images=frames[1:])
    assert (
        "1 file with several frames (the first one is used), the first: ant/move.gif" in load_dataset(folder).notes[0]
    )


def test_links_are_not_followed_but_listed(folder, tmp_path):
    """Row 37: a loop, a link to a folder, one out of the root, one to nothing; a link inside the root is fine."""
    (folder / "ant" / "loop").symlink_to(folder)
    (folder / "ant" / "self.png").symlink_to("self.png")
    (tmp_path / "secret.png").write_bytes(png_bytes(X[0]))
    (folder / "bee" / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "bee" / "up.png").symlink_to("../../secret.png")
    (folder / "cow" / "gone.png").symlink_to("nowhere.png")
    (folder / "cow" / "again.png").symlink_to(folder / "cow" / "0002.png")
    (folder / "linked").symlink_to(folder / "ant")
    dataset = load_dataset(folder)
    assert len(dataset.train) + len(dataset.validation) == 25
    assert dataset.classes == ("ant", "bee", "cow")
    reasons = {each.path: each.reason for each in dataset.quarantined}
    assert reasons == {
        "ant/loop": "a link to a folder; not followed",
        "ant/self.png": "a link that leads nowhere; not followed",
        "bee/out.png": "a link out of the source; not followed",
        "bee/up.png": "a link out of the source; not followed",
        "cow/gone.png": "a link that leads nowhere; not followed",
        "linked": "a link to a folder; not followed",
    }
    assert dataset.notes[0].startswith("did not follow 6 links, the first: ")


def test_odd_names_load_and_print(tmp_path):
    """Row 38: accents, newlines, escapes, quotes, bytes that are not UTF-8; for classes and for files."""
    root = os.fsencode(tmp_path / "pets")
    names = ["größe".encode(), b"new\nline", b"caf\xe9", b"\x1b[31mred", b'quo"te']
    for number, name in enumerate(names):
        os.makedirs(os.path.join(root, name))
        for file in range(3):
            with open(os.path.join(root, name, b"\xff%d\n.png" % file), "wb") as out:
                out.write(png_bytes(X[number * 3 + file]))
    dataset = load_dataset(tmp_path / "pets")
    assert set(dataset.classes) == {"größe", "new\\nline", "caf\\xe9", "\\x1b[31mred", 'quo"te'}
    for name in dataset.classes:
        name.encode("utf-8")
        assert name.isprintable()
    assert len(dataset.train) + len(dataset.validation) == 15
    image = decode_image(dataset.train.paths[0], dataset.decoding)
    assert np.array_equal(image, dataset.train.images[0])
    dataset.fingerprint()


def test_a_bad_file_with_an_odd_name_is_listed_in_print(many):
    """Row 38."""
    with open(os.fsencode(many / "ant") + b"/\xff\n.png", "wb") as out:
        out.write(b"x")
    (only,) = load_dataset(many).quarantined
    assert only.path == "ant/\\xff\\n.png"
    assert only.reason.isprintable()


def test_twin_class_names_are_warned_of(tmp_path):
    """Row 39."""
    names = ("Cat", "cat", unicodedata.normalize("NFD", "café"), unicodedata.normalize("NFC", "café"))
    folder = write_class_folders(tmp_path / "pets", X, some_labels(24, 4), names=names)
    notes = " ".join(load_dataset(folder).notes)
    assert '"Cat" and "cat" differ only in case' in notes
    assert notes.count("is that meant?") == 2


def test_a_pipe_and_a_device_are_left_out_without_waiting(many):
    """Row 40."""
    os.mkfifo(many / "ant" / "pipe.png")
    expected_reasons = {"ant/pipe.png": "a pipe"}
    try:
        os.mknod(many / "bee" / "null.png", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        expected_reasons["bee/null.png"] = "a device"
    except PermissionError:  # only root may make devices
        pass
    dataset = load_dataset(many)
    assert len(dataset.train) + len(dataset.validation) == 300
    assert set(expected_reasons) == {each.path for each in dataset.quarantined}
    for each in dataset.quarantined:
        assert expected_reasons[each.path] in each.reason


def test_an_unreadable_file_is_left_out(many, tmp_path_factory):
    """Row 40: run as another user where the tests are run by root, whom no permission stops."""
    file = many / "ant" / "0000.png"
    file.chmod(0)
    uid = os.geteuid()
    base = tmp_path_factory.getbasetemp().parent.parent
    for part in [folder for folder in many.parents if uid == 0 and folder.is_relative_to(base)]:
        part.chmod(part.stat().st_mode | 0o055)
    if uid == 0:
        os.seteuid(65534)
    try:
        if not _may_list(many):
            pytest.skip("the folder of the tests lies where another user cannot go")
        dataset = load_dataset(many)
    finally:
        os.seteuid(uid)
    (only,) = dataset.quarantined
    assert only.path == "ant/0000.png"
    assert "permission denied" in only.reason


def _may_list(folder):
    try:
        return bool(os.listdir(folder))
    except PermissionError:
        return False


def test_a_file_deleted_meanwhile_is_named(many, monkeypatch):
    """Row 41: gone between listing and decoding."""
    survey = module.survey

    def delete_first(paths, progress):
        next(many.rglob("0007.png")).unlink()
        return survey(paths, progress)

    monkeypatch.setattr(module, "survey", delete_first)
    (only,) = load_dataset(many).quarantined
    assert only.path == "bee/0007.png"
    assert "no such file" in only.reason


def test_deleting_files_after_the_start_does_no_harm(folder):
    """Row 41: what was decoded is kept."""
    dataset = load_dataset(folder)
    shutil.rmtree(folder)
    assert by_path(dataset) == expected(X, Y)
    with pytest.raises(DataError, match=r"png cannot be opened: no such file"):
        decode_image(dataset.train.paths[0], dataset.decoding)


def test_a_class_without_images_is_named(folder):
    """Row 42."""
    (folder / "dog").mkdir()
    refused(folder, 'the class "dog" has no image')
    (folder / "dog" / "readme.txt").write_text("soon")
    refused(folder, 'the class "dog" has no image')


def test_a_class_of_links_out_of_the_source_says_so(folder, tmp_path):
    """Rows 37 and 42."""
    (tmp_path / "elsewhere.png").write_bytes(png_bytes(X[0]))
    (folder / "dog").mkdir()
    (folder / "dog" / "a.png").symlink_to(tmp_path / "elsewhere.png")
    assert "1 link in it" in refused(folder, 'the class "dog" has no image').details["links"]


def test_a_class_with_one_image_cannot_be_split(folder):
    """Row 43."""
    (folder / "dog").mkdir()
    (folder / "dog" / "rex.png").write_bytes(png_bytes(X[0]))
    refused(folder, r'the class "dog" of pets has a single training image \(dog/rex\.png\).*split.*impossible')


def test_one_image_a_class_is_enough_with_a_validation_folder(tmp_path):
    """Row 43: nothing has to be split then."""
    folder = write_class_folders(tmp_path / "pets" / "train", X[:3], Y[:3]).parent
    write_class_folders(folder / "validation", X[3:6], Y[3:6])
    assert len(load_dataset(folder).train) == 3


def test_one_class_only(tmp_path):
    """Row 44."""
    folder = write_class_folders(tmp_path / "pets", X, np.zeros(24, dtype=int))
    refused(folder, 'pets has only one class: "ant"')


def test_splits_must_have_the_same_classes(tmp_path):
    folder = write_folder(tmp_path / "pets", X, Y, X[:6], Y[:6])
    (folder / "test" / "cow").rename(folder / "test" / "Cow")
    refused(folder, "the test folder has other classes than train: it lacks cow and has Cow beyond them")


def test_test_without_train_is_refused(tmp_path):
    folder = write_folder(tmp_path / "pets", X, Y, X[:6], Y[:6])
    (folder / "train").rename(folder / "val")
    refused(folder, "has test, val, but no train folder|has val, test, but no train folder")


def test_two_validation_folders_are_refused(tmp_path):
    folder = write_folder(tmp_path / "pets", X, Y, X[:6], Y[:6])
    write_class_folders(folder / "val", X[:6], Y[:6])
    write_class_folders(folder / "validation", X[:6], Y[:6])
    refused(folder, "more than one validation folder: val and validation")


def test_an_unlabelled_test_folder_is_left_out_and_said(tmp_path):
    folder = write_class_folders(tmp_path / "pets" / "train", X, Y).parent
    (folder / "test").mkdir()
    (folder / "test" / "1.png").write_bytes(png_bytes(X[0]))
    dataset = load_dataset(folder)
    assert dataset.test is None
    assert dataset.notes == ("beside train, these folders were left out: test",)


def test_files_that_are_no_images_and_hidden_ones_are_passed_over(folder):
    (folder / "ant" / "notes.txt").write_text("x")
    (folder / "ant" / ".hidden.png").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / "stray.png").write_bytes(png_bytes(X[0]))
    dataset = load_dataset(folder)
    assert by_path(dataset) == expected(X, Y)
    assert dataset.notes == (
        "left out 1 image file outside the class folders",
        "passed over 1 file without an image ending in the class folders",
    )


def test_images_may_lie_deeper_in_a_class(folder):
    deeper = folder / "ant" / "2024" / "may"
    deeper.mkdir(parents=True)
    (deeper / "x.png").write_bytes(png_bytes(X[0]))
    assert by_path(load_dataset(folder))["x.png"] == (X[0].tobytes(), 0)


def test_images_of_one_size_keep_it_and_others_become_squares(tmp_path):
    """The documented default: 64, or the median of the shorter sides where that is less."""
    small = write_class_folders(tmp_path / "small", X, Y)
    assert load_dataset(small).image_shape == (9, 7, 3)
    (small / "ant" / "wide.png").write_bytes(png_bytes(some_images(1, (30, 40, 3))[0]))
    dataset = load_dataset(small)
    assert dataset.image_shape == (8, 8, 3)
    assert "have 2 sizes" in dataset.notes[0]
    large = write_class_folders(tmp_path / "large", np.zeros((6, 300, 200, 3), dtype=np.uint8), Y[:6])
    assert load_dataset(large).image_shape == (64, 64, 3)
    assert load_dataset(large, image_size=(30, 40)).image_shape == (30, 40, 3)


def test_images_are_colour_as_soon_as_one_file_is(tmp_path):
    folder = write_class_folders(tmp_path / "pets", X[..., :1], Y)
    assert load_dataset(folder).image_shape == (9, 7, 1)
    (folder / "ant" / "colour.png").write_bytes(png_bytes(X[0]))
    dataset = load_dataset(folder)
    assert dataset.image_shape == (9, 7, 3)
    assert by_path(dataset)["0000.png"][0] == np.repeat(X[0][..., :1], 3, axis=2).tobytes()


def test_prediction_sees_the_pixels_that_training_saw(tmp_path):
    """Row 31: for photographs with orientation, of several sizes, as JPEG."""
    rng = np.random.default_rng(0)
    for row in range(12):
        image = Image.fromarray(rng.integers(0, 256, size=(40 + 30 * row, 300 - 11 * row, 3), dtype=np.uint8))
        exif = Image.Exif()
        exif[0x0112] = row % 8 + 1
        target = tmp_path / "pets" / "ab"[row % 2]
        target.mkdir(parents=True, exist_ok=True)
        image.save(target / f"{row}.jpg", exif=exif)
    dataset = load_dataset(tmp_path / "pets")
    for split in (dataset.train, dataset.validation):
        for path, image in zip(split.paths, split.images, strict=True):
            assert np.array_equal(decode_image(path, dataset.decoding), image)
            assert np.array_equal(decode_image(Path(path).read_bytes(), dataset.decoding), image)


def test_progress_is_told_from_start_to_end(many):
    told = []
    load_dataset(many, progress=lambda *state: told.append(state))
    assert {what for what, _, _ in told} == {"reading headers", "decoding images"}
    assert told[-1] == ("decoding images", 300, 300)
    done = [done for what, done, _ in told if what == "decoding images"]
    assert done == sorted(done)


def test_an_interrupted_start_leaves_no_half_cache(many):
    def stop(what, done, total):
        if what == "decoding images":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset(many, progress=stop)
    assert [path for path in cache.cache_root().rglob("*") if path.is_file()] == []
    assert len(load_dataset(many).train) == 270


def test_two_processes_may_fill_the_cache_at_once(many):
    script = "import sys; from seewell.data.loading import load_dataset; print(load_dataset(sys.argv[1]).fingerprint())"
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(many)], stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    answers = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0]
    assert answers == {load_dataset(many).fingerprint() + "\n"}


def test_old_entries_of_a_source_are_cleared_up(folder):
    for seed in range(5):
        load_dataset(folder, split_seed=seed)
    assert len(list(cache.cache_root().rglob("images.npy"))) == 3


def test_nothing_in_the_source_is_changed(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    load_dataset(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_decoding_of_the_dataset_is_what_was_used(folder):
    assert load_dataset(folder).decoding == Decoding(channels=3, height=9, width=7)
