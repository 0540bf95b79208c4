#!/usr/bin/env python3
"""Holds training with batch_norm against Keras: the network of graphs/cae.lua with batch_norm after
each convolution, from the same weights and by the same pictures in the same order. Prints the loss
of each update and, by the moving statistics after it, that of pictures it does not learn from, both
by the trainer and by Keras, and the largest relative differences. Ends with 1 where that of the
updates' losses is above 1e-3, with --real double above 1e-9.

    python3 tests/reference/keras_batch_norm.py build/bin/caec PICTURES     30 updates of 64 images

PICTURES: a folder with enough JPEG or PNG, at any depth. Wants Keras 3 on TensorFlow, Pillow and
safetensors. Keras computes in float64: in float32 (--keras float32) the statistics that it takes
over millions of values are some 1e-4 off, as the first loss shows, and Adam carries that on.
"""
import argparse
import csv
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from PIL import Image  # noqa: E402
from optimizers import keep_every_bit  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

PROJECT = Path(__file__).resolve().parent.parent.parent
BOUNDS = {"float": 1e-3, "double": 1e-9}
SIDE, EPOCH_UPDATES, SEED = 224, 15, 1
# layers in order, with channels in and out, or what stands between them
LAYERS = [
    ("encoder.conv1", "encoder.bn1", 3, 32, keras.layers.MaxPooling2D),
    ("encoder.conv2", "encoder.bn2", 32, 64, keras.layers.MaxPooling2D),
    ("encoder.conv3", "encoder.bn3", 64, 128, keras.layers.MaxPooling2D),
    ("decoder.conv1", "decoder.bn1", 128, 128, keras.layers.UpSampling2D),
    ("decoder.conv2", "decoder.bn2", 128, 16, keras.layers.UpSampling2D),
    ("decoder.conv3", "decoder.bn3", 16, 3, keras.layers.UpSampling2D),
]
NORMS = ("gamma", "beta", "moving_mean", "moving_variance")


# ---- what both sides take ----


def read_pictures(folder, count):
    """The first by their paths, as [n, SIDE, SIDE, 3] bytes."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix in (".jpg", ".jpeg", ".JPEG", ".png"))
    if len(paths) < count:
        sys.exit("%s: %d pictures are wanted, there are %d" % (folder, count, len(paths)))
    return np.stack(
        [
            np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE)), dtype=np.uint8)
            for path in paths[:count]
        ]
    )


def write_pictures(folder, pictures):
    """As PNG, so that both sides have the same bytes."""
    folder.mkdir()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / ("%05d.png" % i), compress_level=1)


def draw_weights():
    """Glorot's uniform kernels; all else as either side begins."""
    generator, weights = np.random.default_rng(SEED), {}
    for conv, norm, inputs, outputs, _ in LAYERS:
        limit = np.sqrt(6 / (9 * (inputs + outputs)))
        kernel = generator.uniform(-limit, limit, (3, 3, inputs, outputs))
        weights[conv + ".kernel"] = kernel.astype(np.float32)
        weights[conv + ".bias"] = np.zeros(outputs, np.float32)
        for name in NORMS:
            fill = np.ones if name in ("gamma", "moving_variance") else np.zeros
            weights["%s.%s" % (norm, name)] = fill(outputs, np.float32)
    return weights


def mix(z):
    z = (z + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


def shuffled(count, epoch):
    """The order of a trainer's epoch: runtime/data/dataset_order.c."""
    key, order = mix(mix(SEED) ^ epoch), list(range(count))
    for i in range(count, 1, -1):
        j = (mix((key + i) % 2**64) >> 32) * i >> 32
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


# ---- by caec ----


def build_trainer(caec, folder, options):
    graph = (PROJECT / "graphs" / "cae.lua").read_text()
    graph, count = re.subn(r"(\n  conv2d \{[^}]*\},)", r"\1\n  batch_norm {},", graph)
    assert count == len(LAYERS)
    (folder / "cae.lua").write_text(graph)
    command = [caec.resolve(), "cae.lua", "-o", ".", "--target", options.target, "--real"]
    subprocess.run([*command, options.real], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for step in (["-S", "cae", "-B", "build", "-DCMAKE_BUILD_TYPE=Release"], ["--build", "build"]):
        subprocess.run(["cmake", *step], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / "build" / "cae-train"


def position_of(checkpoint):
    """Where a run stands, by its last.safetensors."""
    with open(checkpoint, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length))["__metadata__"]


def by_caec(trainer, folder, updates, batch):
    """One update a call: the checkpoint has the sum of the epoch's losses so far, history.csv those
    of its end or of the update where it was left."""
    losses, validations, before = [], [], 0.0
    for step in range(1, updates + 1):
        begin = ["--resume"] if step > 1 else ["--init", "start.safetensors"]
        # fmt: off
        subprocess.run(
            [trainer, "--train", "train", "--val", "val", "--out", "run", "--seed", str(SEED),
             "--batch", str(batch), "--epochs", str(updates), "--steps", str(step), *begin],
            cwd=folder, check=True, stdout=subprocess.DEVNULL,
        )
        # fmt: on
        with open(folder / "run" / "history.csv") as file:
            row = list(csv.DictReader(file))[-1]
        ends = step % EPOCH_UPDATES == 0
        total = float(position_of(folder / "run" / "last.safetensors")["caec.loss_sum"])
        if ends:
            total = float(row["loss"]) * batch * EPOCH_UPDATES
        losses.append((total - before) / batch)
        validations.append(float(row["val_loss"]))
        before = 0.0 if ends else total
    return losses, validations


# ---- by Keras ----


def build_model(weights):
    x = image = keras.Input((SIDE, SIDE, 3))
    for conv, norm, _, outputs, between in LAYERS:
        name = conv.replace(".", "_")
        x = keras.layers.Conv2D(outputs, 3, padding="same", activation="relu", name=name)(x)
        x = keras.layers.BatchNormalization(name=norm.replace(".", "_"))(x)
        x = between(2)(x)
    model = keras.Model(image, x)
    for conv, norm, _, _, _ in LAYERS:
        kernel = [weights["%s.%s" % (conv, what)] for what in ("kernel", "bias")]
        model.get_layer(conv.replace(".", "_")).set_weights(kernel)
        numbers = [weights["%s.%s" % (norm, what)] for what in NORMS]
        model.get_layer(norm.replace(".", "_")).set_weights(numbers)
    return model


def reals(pictures):
    """A pixel is float32 value / 255, whatever is computed in."""
    pixels = pictures.astype(np.float32) / np.float32(255)
    return tf.constant(pixels.astype(keras.config.floatx()))


def by_keras(weights, train, val, updates, batch):
    """Each update's loss, and that of the others after it."""
    model, optimizer = build_model(weights), keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def update(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - x))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    @tf.function
    def validate(x):
        return tf.reduce_mean(tf.square(model(x, training=False) - x))

    for step in range(updates):
        order = shuffled(len(train), step // EPOCH_UPDATES)
        at = step % EPOCH_UPDATES * batch
        loss = float(update(reals(train[order[at : at + batch]])))
        yield loss, float(validate(reals(val)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("caec", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--updates", type=int, default=30)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--target", default="native")
    parser.add_argument("--real", choices=BOUNDS, default="float")
    parser.add_argument("--keras", choices=("float32", "float64"), default="float64")
    options = parser.parse_args()
    keras.config.set_floatx(options.keras)
    keras.config.set_dtype_policy(options.keras)
    if options.keras == "float64":
        keep_every_bit()
    learnt = EPOCH_UPDATES * options.batch
    pictures, weights = read_pictures(options.pictures, learnt + options.batch), draw_weights()
    train, val = pictures[:learnt], pictures[learnt:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder / "train", train)
        write_pictures(folder / "val", val)
        save_file(weights, folder / "start.safetensors")
        trainer = build_trainer(options.caec, folder, options)
        ours = by_caec(trainer, folder, options.updates, options.batch)
    theirs = by_keras(weights, train, val, options.updates, options.batch)
    print("caec against Keras %s on TensorFlow %s" % (keras.__version__, tf.__version__))
    print("update  loss (caec)   loss (Keras)  val_loss (caec)  val_loss (Keras)")
    largest, bound = np.zeros(2), BOUNDS[options.real]
    for i, (got, right) in enumerate(zip(zip(*ours), theirs)):
        print("%6d  %-12.9g  %-12.9g  %-15.9g  %-.9g"
              % (i + 1, got[0], right[0], got[1], right[1]), flush=True)
        largest = np.maximum(largest, np.abs(np.divide(got, right) - 1))
    print("largest relative difference of losses: %.2g (bound %g)" % (largest[0], bound))
    print("largest relative difference of val_losses: %.2g" % largest[1])
    return not largest[0] <= bound


if __name__ == "__main__":
    sys.exit(main())
