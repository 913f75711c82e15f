"""Small sets written in each format, for the tests of data."""

import gzip
import io
import pickle
import struct
from pathlib import Path

import numpy as np
from PIL import Image


def some_images(count=24, shape=(32, 32, 3), seed=0):
    return np.random.default_rng(seed).integers(0, 256, size=(count, *shape), dtype=np.uint8)


def some_labels(count=24, classes=3):
    return np.arange(count, dtype=np.int64) % classes


def idx_bytes(array, *, kind=8, counts=None):
    counts = array.shape if counts is None else counts
    head = struct.pack(">HBB", 0, kind, len(counts)) + b"".join(struct.pack(">I", n) for n in counts)
    return head + np.ascontiguousarray(array).tobytes()


def write_idx(folder, x, y, x_test=None, y_test=None, *, suffix="", dash="-"):
    folder.mkdir(parents=True, exist_ok=True)
    pack = (lambda data: gzip.compress(data, mtime=0)) if suffix == ".gz" else bytes
    for split, images, labels in (("train", x, y), ("t10k", x_test, y_test)):
        if images is None:
            continue
        (folder / f"{split}-images{dash}idx3-ubyte{suffix}").write_bytes(pack(idx_bytes(images[..., 0])))
        (folder / f"{split}-labels{dash}idx1-ubyte{suffix}").write_bytes(pack(idx_bytes(labels.astype(np.uint8))))
    return folder


def cifar_records(images, labels, *, coarse=False):
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    columns = [labels.astype(np.uint8)[:, None]]
    if coarse:
        columns.insert(0, np.zeros((len(images), 1), dtype=np.uint8))
    return np.concatenate([*columns, planes], axis=1).tobytes()


def write_cifar10_binary(folder, x, y, x_test, y_test, names=("ant", "bee", "cow")):
    folder.mkdir(parents=True, exist_ok=True)
    half = len(x) // 2
    (folder / "data_batch_1.bin").write_bytes(cifar_records(x[:half], y[:half]))
    (folder / "data_batch_2.bin").write_bytes(cifar_records(x[half:], y[half:]))
    (folder / "test_batch.bin").write_bytes(cifar_records(x_test, y_test))
    (folder / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    return folder


def write_cifar100_binary(folder, x, y, x_test, y_test, names=("ant", "bee", "cow")):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.bin").write_bytes(cifar_records(x, y, coarse=True))
    (folder / "test.bin").write_bytes(cifar_records(x_test, y_test, coarse=True))
    (folder / "fine_label_names.txt").write_text("\n".join(names) + "\n")
    return folder


def planes_of(images):
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2).reshape(len(images), -1))


def python2_pickle(planes, labels):
    """The very instructions of the official batches, which Python 2 wrote: byte strings and an old module name."""

    def text(value):
        return b"U" + bytes([len(value)]) + value

    data = planes.tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        + b"(K\x01"
        + b"J"
        + struct.pack("<i", len(planes))
        + b"M"
        + struct.pack("<H", planes.shape[1])
        + b"\x86"
        + b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + b"\x89T"
        + struct.pack("<i", len(data))
        + data
        + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([int(label)]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."


def write_cifar10_python(folder, x, y, x_test, y_test, names=("ant", "bee", "cow"), protocol=2):
    folder.mkdir(parents=True, exist_ok=True)
    half = len(x) // 2
    (folder / "data_batch_1").write_bytes(python2_pickle(planes_of(x[:half]), y[:half]))
    rest = {"data": planes_of(x[half:]), "labels": y[half:].tolist(), "batch_label": "two", "filenames": [b"a.png"]}
    (folder / "data_batch_2").write_bytes(pickle.dumps(rest, protocol=protocol))
    (folder / "test_batch").write_bytes(pickle.dumps({b"data": planes_of(x_test), b"labels": y_test.tolist()}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(names), "num_vis": 3072}))
    return folder


def write_cifar100_python(folder, x, y, x_test, y_test, names=("ant", "bee", "cow")):
    folder.mkdir(parents=True, exist_ok=True)
    for name, images, labels in (("train", x, y), ("test", x_test, y_test)):
        batch = {"data": planes_of(images), "fine_labels": labels.tolist(), "coarse_labels": [0] * len(labels)}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": list(names), "coarse_label_names": ["x"]}))
    return folder


def write_npz(path, x, y, x_test, y_test, names=("ant", "bee", "cow")):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test, classes=np.array(names))
    return path


def png_bytes(image):
    file = io.BytesIO()
    image = Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    image.save(file, "PNG")
    return file.getvalue()


def write_class_folders(folder, images, labels, names=("ant", "bee", "cow")):
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        target = Path(folder) / names[label]
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{row:04}.png").write_bytes(png_bytes(image))
    return Path(folder)


def write_folder(folder, x, y, x_test, y_test, names=("ant", "bee", "cow")):
    write_class_folders(folder / "train", x, y, names)
    write_class_folders(folder / "test", x_test, y_test, names)
    return folder


def png_header_bomb(width=50_000, height=50_000):
    """A PNG whose header claims a huge size; valid checksums, hardly any data."""
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
