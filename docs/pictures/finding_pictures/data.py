"""What is wrong with the images or labels."""

import keras
import numpy as np

from finding_pictures import drawing as d
from finding_pictures import trainings as t


def _range(title, fault, labels):
    (x, _), _ = t.digits()
    figure, (left, right) = d.canvas(title)
    d.name(left, "what the first weights see", "", "root mean square")
    sizes = [float(np.sqrt(np.mean(np.square(images)))) for images in (x, fault)]
    left.bar(labels, sizes, color=(d.HEALTHY, d.FAULT))
    left.set_yscale("log")
    for at, size in enumerate(sizes):
        left.text(
            at, size, f"{size:.2g}" if size < 1 else f"{size:.0f}", ha="center", va="bottom", fontsize=8, color=d.INK
        )
    sgd = [t.train(t.network(), keras.optimizers.SGD(0.1), x=images) for images in (x, fault)]
    d.curves(right, sgd[0].losses, sgd[1].losses, labels, title="cost, SGD at 0.1", log=max(sgd[1].losses[:9]) > 5)
    return figure


def input_range_too_large():
    (x, _), _ = t.digits()
    return _range("Raw values of 0 to 255 reach the first weights", x * 255, ("0 to 1", "0 to 255"))


def input_range_too_small():
    (x, _), _ = t.digits()
    return _range("Divided by 255 twice, the images hardly differ", x / 255, ("0 to 1", "0 to 1/255"))


def non_finite_input():
    (x, _), _ = t.digits()
    broken = x.copy()
    broken[777, 3, 3] = np.nan
    figure, (left, right) = d.canvas("One pixel that is no number spoils all weights")
    d.images([left], broken[777:778], ["image 777 (NaN in red)"])
    left.scatter([3], [3], marker="s", s=230, color="#c0392b")
    good, bad = t.healthy(), t.train(t.network(), keras.optimizers.Adam(1e-3), x=broken)
    d.curves(right, good.losses, bad.losses, ("without it", "with it"), title="cost of the batches")
    first = int(np.flatnonzero(~np.isfinite(bad.losses))[0])
    right.axvline(first, color=d.FAULT, lw=1, ls=":")
    right.text(first + 3, 1.2, f"NaN from\nupdate {first} on", fontsize=8, color=d.FAULT)
    return figure


def labels_wrong():
    from seewell.doctor.probes.labels import label_facts

    (x, y), _ = t.digits()
    mixed = np.random.default_rng(2).permutation(y)
    figure, cells = d.canvas("Labels that lost their images: like images have unlike labels", columns=8, rows=2)
    for row, labels, word, colour in zip(
        cells, (y, mixed), ("as they belong", "shuffled"), (d.HEALTHY, d.FAULT), strict=True
    ):
        d.images(row, x[:8], [str(one) for one in labels[:8]], colour)
        facts = label_facts(labels, "sparse", complete=True, arrays=True, images=x[:512], labels=labels[:512])
        told = (
            f"{word}: a simple rule gets {facts.neighbour_accuracy:.0%} of 512, guessing {facts.neighbour_chance:.0%}"
        )
        d.above(row[0], told, colour, 1.4)
    return figure


def label_noise():
    (_, y), (vx, vy) = t.digits()
    rng = np.random.default_rng(3)

    def spoil(labels):
        changed = rng.random(len(labels)) < 0.1
        return np.where(changed, (labels + rng.integers(1, 10, len(labels))) % 10, labels), changed

    noisy, _ = spoil(y)
    given, changed = spoil(vy)
    course = t.train(t.network(), keras.optimizers.Adam(1e-3), y=noisy, steps=300)
    guess = t.probabilities(course.model, vx)
    disputed = np.argsort(guess[np.arange(len(vx)), given])[:16]
    found = int(changed[disputed].sum())
    title = f"Of the 16 validation labels disputed most, {found} were changed"
    figure, cells = d.canvas(title, columns=8, rows=2)
    told = [f"label {given[one]}\nsays {guess[one].argmax()}" for one in disputed]
    d.images(cells.flat, vx[disputed], told)
    for axes, one in zip(cells.flat, disputed, strict=True):
        axes.title.set_color(d.FAULT if changed[one] else d.HEALTHY)
    return figure


def _rare(kept):
    """Training rows where classes 8 and 9 keep only some images."""
    (_, y), _ = t.digits()
    rows = [np.flatnonzero(y == one)[: kept if one >= 8 else None] for one in range(10)]
    return np.random.default_rng(4).permutation(np.concatenate(rows))


def class_imbalance():
    (x, y), (vx, vy) = t.digits()
    rows = _rare(5)
    course = t.train(t.network(), keras.optimizers.Adam(1e-3), x=x[rows], y=y[rows])
    figure, (left, right) = d.canvas("Classes 8 and 9 have five images each")
    labels = ("all images", "two classes rare")
    d.name(left, "training images a class", "class", "images")
    d.twins(left, range(10), np.bincount(y), np.bincount(y[rows]), labels)
    d.name(right, "accuracy on validation images", "class", "accuracy")
    d.twins(right, range(10), t.by_class(t.healthy().model, vx, vy), t.by_class(course.model, vx, vy), labels)
    return figure


def class_missing():
    (x, y), (vx, vy) = t.digits()
    rows = y != 7
    course = t.train(t.network(), keras.optimizers.Adam(1e-3), x=x[rows], y=y[rows])
    figure, (left, right) = d.canvas("The 7 was never shown")
    d.name(left, "training images a class", "class", "images")
    d.bars(left, np.bincount(y[rows], minlength=10))
    d.name(right, "what sevens are called", "class", "share of the answers")
    d.twins(
        right,
        range(10),
        t.called(t.healthy().model, vx[vy == 7]),
        t.called(course.model, vx[vy == 7]),
        ("with", "without"),
    )
    return figure


def train_test_shift():
    (x, _), (vx, vy) = t.digits()
    model = t.healthy().model
    turned = 1 - vx
    figure, (left, right) = d.canvas("Validation images are inverted, training images are not")
    d.name(left, "mean brightness of the images", "mean", "share of images")
    for images, colour, label in ((x, d.HEALTHY, "training"), (turned, d.FAULT, "validation")):
        heights, edges = np.histogram(images.mean(axis=(1, 2, 3)), bins=40, range=(0, 1))
        left.stairs(heights / len(images), edges, fill=True, color=colour, label=label)
    d.legend(left)
    d.name(right, "validation accuracy", "", "accuracy")
    right.bar(
        ("as in training", "inverted"),
        (t.accuracy(model, vx, vy), t.accuracy(model, turned, vy)),
        color=(d.HEALTHY, d.FAULT),
    )
    right.set_ylim(0, 1)
    return figure


def train_test_leak():
    (x, y), (vx, vy) = t.digits()
    few, copies = 150, 40
    small_x = np.concatenate([x[: few - copies], vx[:copies]])
    small_y = np.concatenate([y[: few - copies], vy[:copies]])
    course = t.train(t.network(), keras.optimizers.Adam(3e-3), x=small_x, y=small_y, steps=300)
    figure, cells = d.canvas(f"{copies} of 150 training images are validation images too", columns=6, rows=2)
    d.images(cells[0][:4], small_x[few - copies : few - copies + 4], ["training"] * 4, d.FAULT)
    d.images(cells[1][:4], vx[:4], ["validation"] * 4, d.FAULT)
    grid = cells[0][4].get_gridspec()
    for axes in (*cells[0][4:], *cells[1][4:]):
        axes.remove()
    axes = figure.add_subplot(grid[:, 4:])
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=d.SOFT, labelsize=8)
    heights = [
        t.accuracy(course.model, part, of) for part, of in ((vx[:copies], vy[:copies]), (vx[copies:], vy[copies:]))
    ]
    axes.bar(("copies", "new images"), heights, color=(d.FAULT, d.HEALTHY))
    d.name(axes, "validation accuracy", "", "")
    for at, height in enumerate(heights):
        axes.text(at, height, f"{height:.0%}", ha="center", va="bottom", fontsize=8)
    return figure


def ordered_batches():
    (x, y), _ = t.digits()
    rows = np.argsort(y, kind="stable")
    figure, (left, right) = d.canvas("Sorted by class: each batch shows one digit, and the last one is forgotten")
    d.name(left, "labels in the order of the data", "image", "label")
    left.plot(y, ".", ms=1.5, color=d.HEALTHY)
    left.plot(y[rows], ".", ms=3, color=d.FAULT)
    left.set_yticks(range(10))
    sets = ((x, y, True), (x[rows], y[rows], False))
    _, (vx, vy) = t.digits()
    found = [
        t.train(
            t.network(),
            keras.optimizers.Adam(1e-3),
            x=a,
            y=b,
            shuffle=c,
            every=4,
            watch=lambda m: t.accuracy(m, vx, vy),
        ).watched
        for a, b, c in sets
    ]
    d.name(right, "validation accuracy", "updates", "accuracy")
    for one, label, colour in zip(found, ("shuffled", "sorted"), (d.HEALTHY, d.FAULT), strict=True):
        right.plot(4 * np.arange(len(one)), one, color=colour, lw=1.5, label=label)
    d.legend(right)
    return figure


def augmentation_harmful():
    _, (vx, vy) = t.digits()
    model = t.healthy().model
    keras.utils.set_random_seed(0)
    mild = keras.layers.RandomTranslation(0.06, 0.06, fill_mode="constant", seed=1)
    wild = keras.layers.RandomBrightness(0.5, value_range=(0, 255), seed=1)
    rows = (
        (vx, "plain", d.HEALTHY),
        (np.asarray(mild(vx, training=True)), "moved by half a pixel", d.HEALTHY),
        (np.asarray(wild(vx, training=True)), "brightness for 0 to 255, on images of 0 to 1", d.FAULT),
    )
    figure, cells = d.canvas("Augmentation that leaves nothing to recognize", columns=10, rows=3)
    for row, (images, word, colour) in zip(cells, rows, strict=True):
        d.images(row, images[:10], [""] * 10)
        told = f"{word}: a network trained on plain images gets {t.accuracy(model, images, vy):.0%}"
        d.above(row[0], told, colour, 1.15)
    return figure
