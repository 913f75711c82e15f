"""The named sets, and where they are looked for.

Sizes and SHA-256 of the official files are those that TensorFlow Datasets
publishes (tensorflow_datasets/url_checksums: mnist.txt, fashion_mnist.txt,
cifar10.txt, cifar100.txt).
"""

import os
from dataclasses import dataclass
from pathlib import Path

from seewell.data.cache import cache_root
from seewell.data.dataset import Progress
from seewell.data.download import Archive, File, fetch
from seewell.data.names import printable
from seewell.data.readers import reader_for
from seewell.errors import DataError, did_you_mean, unknown_name

__all__ = ["CATALOGUE", "CatalogueEntry", "Found", "find", "locate"]


@dataclass(frozen=True)
class CatalogueEntry:
    """A named set.

    Attributes:
        description: A phrase.
        folders: Names of the folders it may be found in; a download makes the first.
        classes: Class names where the files hold only numbers, or None.
        files: The official files, or none for a set that is built in.
    """

    description: str
    folders: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None
    files: tuple[File | Archive, ...] = ()


@dataclass(frozen=True)
class Found:
    """Where a source lies, and what the catalogue knows of it."""

    path: Path
    classes: tuple[str, ...] | None = None


def _idx_files(mirrors: tuple[str, ...], known: dict[str, tuple[int, str]]) -> tuple[File, ...]:
    return tuple(
        File(name=name, urls=tuple(mirror + name for mirror in mirrors), size=size, sha256=sha256)
        for name, (size, sha256) in known.items()
    )


_MNIST = _idx_files(
    ("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    {
        "train-images-idx3-ubyte.gz": (
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        "train-labels-idx1-ubyte.gz": (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "t10k-images-idx3-ubyte.gz": (
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        "t10k-labels-idx1-ubyte.gz": (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    },
)

_FASHION = _idx_files(
    ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    {
        "train-images-idx3-ubyte.gz": (
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        "train-labels-idx1-ubyte.gz": (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "t10k-images-idx3-ubyte.gz": (
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        "t10k-labels-idx1-ubyte.gz": (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
)

_CIFAR10 = Archive(
    name="cifar-10-binary.tar.gz",
    urls=("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    size=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    members={
        **{f"data_batch_{number}.bin": 30_730_000 for number in range(1, 6)},
        "test_batch.bin": 30_730_000,
        "batches.meta.txt": 4096,
    },
)

_CIFAR100 = Archive(
    name="cifar-100-binary.tar.gz",
    urls=("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
    size=168_513_733,
    sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    members={"train.bin": 153_700_000, "test.bin": 30_740_000, "fine_label_names.txt": 4096},
)

CATALOGUE: dict[str, CatalogueEntry] = {
    "digits": CatalogueEntry("1,797 real handwritten digits, 8 x 8, built in"),
    "mnist": CatalogueEntry("70,000 handwritten digits, 28 x 28, grey", ("mnist",), None, _MNIST),
    "fashion-mnist": CatalogueEntry(
        "70,000 pieces of clothing, 28 x 28, grey",
        ("fashion-mnist",),
        (
            "t-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        _FASHION,
    ),
    "cifar10": CatalogueEntry(
        "60,000 photographs of 10 classes, 32 x 32, colour",
        ("cifar-10-batches-bin", "cifar-10-batches-py"),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        (_CIFAR10,),
    ),
    "cifar100": CatalogueEntry(
        "60,000 photographs of 100 classes, 32 x 32, colour",
        ("cifar-100-binary", "cifar-100-python"),
        None,
        (_CIFAR100,),
    ),
}


_SHOWN_OF_A_NAME = 200


def find(source: str | Path, *, progress: Progress | None = None) -> Found:
    """Where a source lies: a catalogue name through `locate`, anything else as a path.

    A catalogue name stands for the set even where a folder of that name lies in
    the current folder; write ``./mnist`` for the folder.

    Raises:
        DataError: No such name, no such path; or see `locate`.
    """
    text = str(source)
    if isinstance(source, str) and text in CATALOGUE:
        return Found(locate(text, progress=progress), CATALOGUE[text].classes)
    path = Path(source).expanduser()
    if _exists(path):
        known = [entry for entry in CATALOGUE.values() if path.resolve().name in entry.folders]
        return Found(path, known[0].classes if known else None)
    raise _not_there(text, path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a zero byte, names nothing
        return False


def _not_there(text: str, path: Path) -> DataError:
    shown = printable(text[:_SHOWN_OF_A_NAME])
    near = did_you_mean(text, CATALOGUE)
    if os.path.islink(path):
        what = f"{shown} is a link whose target does not exist."
    elif path.parent != Path() and not near:
        what = f"{shown} does not exist."
        if os.path.isdir(path.parent):
            siblings = {printable(entry.name) for entry in path.parent.iterdir()}
            near = did_you_mean(path.name, siblings)
        else:
            near = f"the folder {printable(path.parent)} does not exist either"
    else:
        what = f'there is no set "{shown}", and no file or folder of that name here.'
    return DataError(
        what,
        expected=f"a path, or one of: {', '.join(CATALOGUE)}",
        fix=near or "check the spelling; a path is looked for from the current folder",
    )


def _search_folders() -> list[Path]:
    """Where sets are looked for, in order: ``$SEEWELL_DATA``, the system's folders, the user's cache."""
    folders = []
    given = os.environ.get("SEEWELL_DATA")
    if given:
        mine = Path(given).expanduser()
        if not mine.is_dir():
            raise DataError(
                f"SEEWELL_DATA names {printable(mine)}, which is not a folder.",
                expected="a folder that holds folders such as mnist or cifar-10-batches-bin",
                fix="make the folder, or unset SEEWELL_DATA",
            )
        folders.append(mine)
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    folders += [Path(part) / "datasets" for part in shared.split(":") if part.startswith("/")]
    folders.append(_SYSTEM_FOLDER)
    folders.append(cache_root() / "datasets")
    return list(dict.fromkeys(folders))


_SYSTEM_FOLDER = Path("/usr/share/datasets")


def locate(name: str, *, progress: Progress | None = None) -> Path:
    """The folder of a named set: found on this machine, or downloaded into the user's cache.

    Args:
        name: A key of `CATALOGUE`.
        progress: Told of a download: ``progress(what, bytes done, bytes in all)``.

    Returns:
        A folder that a reader recognises.

    Raises:
        DataError: No such name; it is not there and cannot be downloaded (says where to put the
            files); or a folder of its name holds something else.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise unknown_name("set", name, CATALOGUE, error=DataError)
    if not entry.files:
        raise DataError(f"{name} is built in and has no folder.", fix=f'load_dataset("{name}")')
    for parent in _search_folders():
        for folder in entry.folders:
            if (parent / folder).is_dir():
                reader_for(parent / folder)
                return parent / folder
    target = cache_root() / "datasets" / entry.folders[0]
    try:
        fetch(entry.files, target, progress=progress)
    except DataError as error:
        raise _put_them_there(name, entry, error) from error
    return target


def _put_them_there(name: str, entry: CatalogueEntry, error: DataError) -> DataError:
    """The download's error, with where the files may be put by hand."""
    given = os.environ.get("SEEWELL_DATA")
    parent = printable(given) if given else "DIR (any folder; set SEEWELL_DATA=DIR)"
    archive = next((file for file in entry.files if isinstance(file, Archive)), None)
    names = ", ".join(archive.members) if archive else ", ".join(file.name for file in entry.files)
    return DataError(
        f"{name} is not on this machine, and downloading it failed: {error.what}",
        expected=f"{names} in a folder {' or '.join(entry.folders)}",
        fix=f"put that folder into {parent}" + (f"; unpack {archive.name} there" if archive else ""),
        details={
            **error.details,
            "looked in": ", ".join(printable(folder) for folder in _search_folders()),
            "official": ", ".join(file.urls[0] for file in entry.files),
        },
    )
