"""What to do against each cause, in order of expected gain: words, Keras code, seewell option."""

from collections.abc import Mapping

from seewell.findings import Remedy

__all__ = ["TABLE"]

_SCALE = Remedy(
    "Bring the images to [0, 1] inside the network, so that training and use cannot differ.",
    "keras.layers.Rescaling(1 / 255)",
    "--preprocess scale",
)
_HE = Remedy(
    "Start with He's initialization before ReLU and Glorot's (Xavier's) before softmax.",
    'kernel_initializer="he_normal"',
    "--initializer default",
)
_SOFTMAX_LOGITS = Remedy(
    "End in plain numbers and let the loss apply softmax: the most exact way.",
    "keras.layers.Dense(classes), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
)
_BATCH_NORM = Remedy("Put BatchNorm behind the layers.", "keras.layers.BatchNormalization()", "--network resnet20")
_LOWER = Remedy("Divide the learning rate by 10.", "optimizer.learning_rate = 0.1 * rate", "--learning-rate …")
_ADAM = Remedy("Take Adam at its usual rate.", "keras.optimizers.Adam(1e-3)", "--optimizer adam --learning-rate 0.001")
_RELU = Remedy("Use ReLU in the hidden layers.", 'activation="relu"')
_SHUFFLE = Remedy("Shuffle images and labels together.", "dataset.shuffle(10_000).batch(32)")

TABLE: Mapping[str, tuple[Remedy, ...]] = {
    "input-range-too-large": (
        _SCALE,
        Remedy(
            "Subtract the mean image of the training images (LTFN 11).",
            "x - x_train.mean(axis=0)",
            "--preprocess mean-image",
        ),
    ),
    "input-range-too-small": (
        Remedy(
            "Divide by 255 once only: in the data or in the network, not in both.", "keras.layers.Rescaling(1 / 255)"
        ),
        Remedy(
            "Bring each channel to mean 0, deviation 1.", "keras.layers.Normalization()", "--preprocess per-channel"
        ),
    ),
    "non-finite-input": (
        Remedy("Leave out or mend the images with NaN or infinity.", "np.isfinite(x).all(axis=(1, 2, 3))", ""),
        Remedy("Look for a division by zero where images are normalized."),
    ),
    "labels-wrong": (
        Remedy(
            "Look at some images beside their labels.", "plt.imshow(x[i]); plt.title(y[i])", "seewell data show SOURCE"
        ),
        Remedy(
            "Shuffle images and labels with the same order.",
            "order = rng.permutation(len(x)); x, y = x[order], y[order]",
        ),
        Remedy("Number the classes from 0.", "y = y - y.min()"),
    ),
    "label-noise": (
        Remedy(
            "Look through the images whose labels the network disputes, and mend them.",
            "x_val[probabilities.argmax(axis=1) != y_val]",
            "seewell report RUN",
        ),
        Remedy(
            "Smooth the labels: one wrong label then pulls less hard.",
            "CategoricalCrossentropy(label_smoothing=0.1)",
            "--label-smoothing 0.1",
        ),
    ),
    "class-imbalance": (
        Remedy("Gather more images of the rare classes."),
        Remedy(
            "Weigh the classes in the loss.", "model.fit(…, class_weight={k: n / (K * counts[k]) for k in range(K)})"
        ),
        Remedy("Judge by the accuracy of each class, not by the overall accuracy.", "", "seewell evaluate RUN"),
    ),
    "class-missing": (
        Remedy("Gather images of the class, or leave its output out.", "keras.layers.Dense(len(np.unique(y)))"),
        _SHUFFLE,
    ),
    "train-test-shift": (
        Remedy("Treat both splits alike: put the preprocessing inside the network.", "keras.layers.Rescaling(1 / 255)"),
        Remedy("Split at random, each class in the same share.", "train_test_split(x, y, stratify=y)"),
    ),
    "train-test-leak": (
        Remedy("Take the copies out of the training images, then train again.", "", "seewell data check SOURCE"),
    ),
    "ordered-batches": (_SHUFFLE, Remedy("Let fit shuffle arrays.", "model.fit(x, y, shuffle=True)")),
    "augmentation-harmful": (
        Remedy(
            "Give the augmentation the range of your images.", "keras.layers.RandomBrightness(0.1, value_range=(0, 1))"
        ),
        Remedy("Augment less: a person should still know the class."),
    ),
    "output-activation-missing": (
        _SOFTMAX_LOGITS,
        Remedy("Or end in softmax (sigmoid for a single output).", 'keras.layers.Dense(classes, activation="softmax")'),
    ),
    "output-activation-doubled": (
        Remedy("Leave the last activation out where the loss has from_logits=True.", "keras.layers.Dense(classes)"),
        Remedy("Or tell the loss that it gets probabilities.", "from_logits=False"),
    ),
    "output-activation-wrong": (
        Remedy(
            "End in softmax over the classes, sigmoid for a single output.",
            'keras.layers.Dense(classes, activation="softmax")',
        ),
        _SOFTMAX_LOGITS,
    ),
    "output-size-mismatch": (
        Remedy("Give the last layer one output a class.", "keras.layers.Dense(int(y.max()) + 1)"),
    ),
    "hidden-activation-missing": (_RELU,),
    "hidden-activation-saturating": (_RELU, _BATCH_NORM),
    "init-constant": (_HE,),
    "init-too-large": (_HE, _BATCH_NORM),
    "init-too-small": (_HE, _BATCH_NORM),
    "train-eval-mismatch": (
        Remedy("Let BatchNorm's averages follow faster.", "keras.layers.BatchNormalization(momentum=0.9)"),
        Remedy("Use batches of 16 images or more.", "model.fit(…, batch_size=32)", "--batch-size 32"),
    ),
    "loss-unsuitable": (
        Remedy("For class numbers:", 'loss="sparse_categorical_crossentropy"'),
        Remedy("For one-hot rows:", 'loss="categorical_crossentropy"'),
        Remedy("For one sigmoid output:", 'loss="binary_crossentropy"'),
    ),
    "loss-sign-flipped": (
        Remedy("Turn the sign round: fit lowers the loss.", "return -log_likelihood"),
        Remedy("Give the optimizer a positive learning rate.", "keras.optimizers.SGD(0.01)"),
    ),
    "loss-not-averaged": (
        Remedy("Average over the batch.", 'reduction="sum_over_batch_size"'),
        Remedy("Or divide the learning rate by the batch size.", "keras.optimizers.SGD(rate / batch_size)"),
    ),
    "optimizer-unstable": (
        Remedy("Go back to the optimizer's own settings.", "keras.optimizers.Adam(1e-3)", "--optimizer adam"),
        Remedy(
            "Momentum 0.9 is the usual value (LTFN 7).",
            "keras.optimizers.SGD(0.01, momentum=0.9)",
            "--optimizer momentum",
        ),
    ),
    "learning-rate-too-high": (
        _LOWER,
        _ADAM,
        Remedy("Cut gradients to a length of 1.", "keras.optimizers.Adam(1e-3, global_clipnorm=1.0)"),
    ),
    "learning-rate-too-low": (
        Remedy("Multiply the learning rate by 10, and again while the cost falls faster.", "", "--learning-rate …"),
        _ADAM,
    ),
    "gradient-exploding": (_LOWER, _HE, Remedy("Cut gradients.", "global_clipnorm=1.0")),
    "gradient-vanishing": (_RELU, _HE, _BATCH_NORM),
    "dead-units": (_LOWER, _HE, Remedy("Let a little through below zero.", "keras.layers.LeakyReLU(0.1)")),
    "saturated-units": (_RELU, _HE),
    "saturated-output": (_HE, _SCALE),
    "non-finite-loss": (_LOWER, Remedy("Look for NaN in the images.", "np.isfinite(x).all()"), _SOFTMAX_LOGITS),
    "loss-stagnant": (
        Remedy("Try to learn a single batch by heart: where that fails, the fault is in the network, loss or labels."),
        _ADAM,
        _HE,
    ),
    "loss-diverging": (_LOWER, _ADAM),
    "loss-oscillating": (_LOWER, Remedy("Use larger batches.", "model.fit(…, batch_size=128)", "--batch-size 128")),
    "regularization-too-strong": (
        Remedy("Take an L2 of 5e-4 or none.", "kernel_regularizer=keras.regularizers.L2(5e-4)", "--l2 0.0005"),
        Remedy("Take a dropout of 0.5 or less, or none.", "keras.layers.Dropout(0.5)", "--dropout 0.5"),
    ),
    "overconfident": (
        Remedy("Smooth the labels.", "CategoricalCrossentropy(label_smoothing=0.1)", "--label-smoothing 0.1"),
        Remedy(
            "Keep the network of the best validation cost.", "keras.callbacks.EarlyStopping(restore_best_weights=True)"
        ),
    ),
    "weak-class": (
        Remedy("Look at the images of that class that it gets wrong.", "", "seewell report RUN"),
        Remedy("Gather more images of that class."),
    ),
}
"""By code; `high-bias`, `high-variance` and `undertrained` are fitted to the training's settings in `remedies`."""
