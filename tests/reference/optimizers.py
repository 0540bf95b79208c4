#!/usr/bin/env python3
"""Writes optimizers.def beside this file: what Keras's optimizers make of four parameters by
gradients that change sign and size, in float64, for tests/runtime/test_optimizer.c. Wants Keras 3
on TensorFlow; the file names the versions that made it.

    python3 tests/reference/optimizers.py
"""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy  # noqa: E402
import tensorflow  # noqa: E402

START = [1.0, -2.0, 0.5, 0.0]
GRADIENTS = [
    [0.5, -1.0, 2e-4, 0.0],
    [-0.25, 3.0, -1e-4, 1e-6],
    [4.0, 0.125, 5e-5, -1e-6],
    [0.0, -0.5, 3e-4, 1e-6],
    [-8.0, 0.75, -2e-5, 0.0],
    [0.125, -2.0, 1e-4, 1e-3],
]

# as --optimizer takes it, and as Keras does
OPTIMIZERS = [
    ("adam", "Adam", {"learning_rate": 1e-3}),
    (
        "adam,lr=0.01,beta1=0.8,beta2=0.95,eps=0.001",
        "Adam",
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
    ),
    ("adamw,lr=0.01", "AdamW", {"learning_rate": 0.01, "weight_decay": 0.004}),
    ("sgd", "SGD", {"learning_rate": 0.01}),
    ("sgd,momentum=0.9", "SGD", {"learning_rate": 0.01, "momentum": 0.9}),
    ("sgd,nesterov=true", "SGD", {"learning_rate": 0.01, "nesterov": True}),
    (
        "sgd,lr=0.02,momentum=0.9,nesterov=true",
        "SGD",
        {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True},
    ),
    ("rmsprop", "RMSprop", {"learning_rate": 1e-3}),
    (
        "rmsprop,rho=0.8,momentum=0.5,centered=true,eps=1e-05",
        "RMSprop",
        {"learning_rate": 1e-3, "rho": 0.8, "momentum": 0.5, "centered": True, "epsilon": 1e-5},
    ),
    ("adagrad", "Adagrad", {"learning_rate": 1e-3}),
    (
        "adagrad,lr=0.05,initial_accumulator=0.001,eps=1e-05",
        "Adagrad",
        {"learning_rate": 0.05, "initial_accumulator_value": 1e-3, "epsilon": 1e-5},
    ),
    ("adadelta", "Adadelta", {"learning_rate": 1e-3}),
    (
        "adadelta,lr=1,rho=0.8,eps=1e-05",
        "Adadelta",
        {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-5},
    ),
    ("nadam", "Nadam", {"learning_rate": 1e-3}),
    (
        "nadam,lr=0.01,beta1=0.8,beta2=0.95,eps=0.001",
        "Nadam",
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
    ),
]

# these, and the ema of averages that are kept besides
AVERAGES = [(OPTIMIZERS[0], 0.9), (OPTIMIZERS[4], 0.75)]


def keep_every_bit():
    """Keras hands Python's numbers to TensorFlow as float32, even beside variables of float64:
    0.9 becomes 0.89999998. Here a number stays what it is."""
    ops = keras.src.ops
    cast = ops.cast

    def cast_number(x, dtype):
        return tensorflow.constant(x, dtype) if isinstance(x, float) else cast(x, dtype)

    ops.cast = cast_number


def row(values):
    return "{ " + ", ".join(repr(float(x)) for x in values) + " }"


def rows(table):
    return "{ " + ",\n    ".join(row(values) for values in table) + " }"


def updates(optimizer):
    """The parameters after each update, or where it keeps averages of them, these."""
    if optimizer.weight_decay:  # which has its own way to TensorFlow
        optimizer.weight_decay = numpy.float64(optimizer.weight_decay)
    w = keras.Variable(START, dtype="float64")
    optimizer.build([w])
    after = []
    for gradient in GRADIENTS:
        optimizer.apply([tensorflow.constant(gradient, dtype="float64")], [w])
        kept = optimizer._model_variables_moving_average[0] if optimizer.use_ema else w
        after.append(kept.numpy())
    return after


def main():
    keras.config.set_floatx("float64")
    keep_every_bit()
    lines = [
        "/* Made by optimizers.py: Keras %s on TensorFlow %s, in float64."
        % (keras.__version__, tensorflow.__version__),
        " * GRADIENTS: of each update. UPDATES: of START by an optimizer, as --optimizer takes it:",
        " * the parameters after each. AVERAGES: likewise their averages by an ema. */",
        "START(%s)" % row(START),
        "GRADIENTS(%s)" % rows(GRADIENTS),
    ]
    for text, name, numbers in OPTIMIZERS:
        after = updates(getattr(keras.optimizers, name)(**numbers))
        lines.append('UPDATES("%s",\n    %s)' % (text, rows(after)))
    for (text, name, numbers), ema in AVERAGES:
        averaging = {**numbers, "use_ema": True, "ema_momentum": ema}
        after = updates(getattr(keras.optimizers, name)(**averaging))
        lines.append('AVERAGES("%s", %s,\n    %s)' % (text, repr(ema), rows(after)))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizers.def")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
