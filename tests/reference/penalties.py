#!/usr/bin/env python3
"""Writes penalties.def beside this file: what Keras makes of networks whose loss has several terms,
weighted losses and penalties of kernels and activities, in float64, for
tests/training/test_penalties.c. Wants Keras 3 on TensorFlow; the file names the versions that made
it.

    python3 tests/reference/penalties.py
"""
import os
import textwrap

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers, regularizers  # noqa: E402

from losses import huber, ssim  # noqa: E402
from optimizers import keep_every_bit  # noqa: E402

IMAGES, UPDATES = 3, 4
PENALTIES = ("kernel_l1", "kernel_l2", "activity_l1", "activity_l2")


def each(loss):
    """Of a batch, by a function of one image."""
    return lambda y, t: tf.reduce_mean([loss(y[i : i + 1], t[i : i + 1]) for i in range(IMAGES)])


# Keras's log_cosh takes away log 2 as float32 has it.
LOG_2_OFF = float(np.float32(np.log(2))) - np.log(2)

LOSSES = {
    "mse": lambda y, t: tf.reduce_mean(keras.losses.mean_squared_error(t, y)),
    "mae": lambda y, t: tf.reduce_mean(keras.losses.mean_absolute_error(t, y)),
    "bce": lambda y, t: tf.reduce_mean(keras.losses.binary_crossentropy(t, y)),
    "log_cosh": lambda y, t: tf.reduce_mean(keras.losses.log_cosh(t, y)) + LOG_2_OFF,
    "huber": huber(0.125),
    "ssim": each(ssim),
}


def layer(word, kind, *arguments, text="", kernel="kernel", rests=False, **numbers):
    """As the graph file has it, and as Keras does; of the numbers, the penalties."""
    penalties = ["%s = %r" % number for number in numbers.items()]
    penalties += ["trainable = false"] if rests else []
    said = ",\n      ".join(part for part in (text, ", ".join(penalties)) if part)
    l1, l2, activity_l1, activity_l2 = (numbers.get(name, 0.0) for name in PENALTIES)
    more = {"activity_regularizer": regularizers.L1L2(activity_l1, activity_l2)}
    if l1 or l2:
        more[kernel + "_regularizer"] = regularizers.L1L2(l1, l2)
    return (
        "%s { %s }" % (word, said),
        lambda: kind(*arguments, trainable=not rests, **more),
        numbers,
        rests,
    )


def conv(filters, activation, **rest):
    def build(*arguments, **more):
        return layers.Conv2D(*arguments, padding="same", activation=activation, **more)

    text = 'filters = %d, kernel = 3, activation = "%s"' % (filters, activation)
    return layer("conv2d", build, filters, 3, text=text, **rest)


def depthwise(**rest):
    def build(*arguments, **more):
        return layers.DepthwiseConv2D(*arguments, padding="same", **more)

    return layer("depthwise_conv2d", build, 3, text="kernel = 3", kernel="depthwise", **rest)


def deconv(filters, **rest):
    def build(*arguments, **more):
        return layers.Conv2DTranspose(*arguments, strides=2, padding="same", **more)

    text = "filters = %d, kernel = 3, stride = 2" % filters
    return layer("conv2d_transpose", build, filters, 3, text=text, **rest)


def dense(units, activation, **rest):
    def build(*arguments, **more):
        return layers.Dense(*arguments, activation=activation, **more)

    text = 'units = %d, activation = "%s"' % (units, activation)
    return layer("dense", build, units, text=text, **rest)


# the shape of an image, encoder, decoder, the loss in words and its weights, the optimizer likewise
NETWORKS = [
    (
        (6, 4, 2),
        [
            conv(3, "tanh", kernel_l1=0.01, kernel_l2=0.02, activity_l1=0.003),
            layer("max_pool2d", layers.MaxPooling2D, text="size = 2", activity_l2=0.004),
            depthwise(kernel_l1=0.005, activity_l2=0.006),
        ],
        [deconv(2, kernel_l2=0.03, activity_l1=0.007)],
        ("{ mse = 0.75, mae = 0.25 }", {"mse": 0.75, "mae": 0.25}),
        ("adam { lr = 0.01 }", lambda: keras.optimizers.Adam(0.01)),
    ),
    (
        (4, 3, 1),
        [
            layer("flatten", layers.Flatten),
            dense(5, "tanh", kernel_l1=0.02, activity_l1=0.01, activity_l2=0.03),
        ],
        [
            dense(12, "linear", kernel_l2=0.05),
            layer("reshape", layers.Reshape, (4, 3, 1), text="shape = { 4, 3, 1 }"),
        ],
        (
            "{ log_cosh = 2, huber { delta = 0.125, weight = 0.5 } }",
            {"log_cosh": 2, "huber": 0.5},
        ),
        ("sgd { lr = 0.1, momentum = 0.9 }", lambda: keras.optimizers.SGD(0.1, momentum=0.9)),
    ),
    (
        (11, 13, 1),
        [conv(2, "elu", kernel_l2=0.5, rests=True), conv(2, "elu", kernel_l2=0.01)],
        [conv(1, "sigmoid", kernel_l1=0.002, activity_l1=0.0001)],
        ("{ bce = 0.25, ssim = 0.5, mse = 0 }", {"bce": 0.25, "ssim": 0.5, "mse": 0}),
        ("rmsprop {}", lambda: keras.optimizers.RMSprop(1e-3)),
    ),
]


def graph_of(shape, encoder, decoder, loss, optimizer):
    parts = "".join(
        '  %s = sequential "%s" {\n%s  },\n'
        % (name, name, "".join("    %s,\n" % said[0] for said in part))
        for name, part in (("encoder", encoder), ("decoder", decoder))
    )
    return (
        'return autoencoder "net" {\n  input = { %d, %d, %d },\n%s'
        "  training = {\n    loss = %s,\n    optimizer = %s } }\n"
        % (*shape, parts, loss[0], optimizer[0])
    )


def images(shape):
    """Bytes that the test makes too; a pixel is float32 value / 255."""
    i = np.arange(IMAGES * np.prod(shape))
    pixels = ((i * i // 7 + 31 * i) % 256).astype(np.float32) / np.float32(255)
    return tf.constant(pixels.astype(np.float64).reshape(IMAGES, *shape))


def draw(model):
    generator = np.random.default_rng(1)
    model.set_weights([generator.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()])


def flat(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def columns_of(model, described, values, output, target, weights):
    """Each term by itself: losses without their weights, penalties with their factors."""
    columns = {name: LOSSES[name](output, target) for name in weights}
    for (_, _, numbers, rests), layer_, value in zip(described, model.layers[1:], values):
        for name, factor in numbers.items():
            of = regularizers.L1L2(**{name[-2:]: factor})
            if name.startswith("activity"):
                term = of(value) / IMAGES
            else:
                term = 0 if rests else of(layer_.kernel)
            columns[name] = columns.get(name, 0) + term
    return columns


def run(shape, encoder, decoder, loss, optimizer):
    """The parameters at the start and after each update; loss and columns before each."""
    described, target = encoder + decoder, images(shape)
    x = image = keras.Input(shape)
    between = []
    for _, build, *_ in described:
        x = build()(x)
        between.append(x)
    model, values = keras.Model(image, x), keras.Model(image, between)
    draw(model)
    by, parameters, terms = optimizer[1](), [flat(model)], []
    by.build(model.trainable_variables)
    for _ in range(UPDATES):
        with tf.GradientTape() as tape:
            output = model(target, training=True)
            total = sum(weight * LOSSES[name](output, target) for name, weight in loss[1].items())
            total += sum(model.losses)
        found = columns_of(model, described, values(target), output, target, loss[1])
        again = sum(loss[1].get(name, 1) * float(value) for name, value in found.items())
        assert abs(again / float(total) - 1) < 1e-12, (again, float(total))
        terms.append([float(total), *(float(value) for value in found.values())])
        variables = model.trainable_variables
        by.apply(tape.gradient(total, variables), variables)
        parameters.append(flat(model))
    return parameters, list(found), terms


def numbers_of(what, rows):
    """All of them, row after row, each on lines of its own."""
    lines = [
        line
        for row in rows
        for line in textwrap.wrap(", ".join(repr(float(x)) for x in row) + ",", 92)
    ]
    return "    %s(\n        %s)" % (what, "\n        ".join(lines)[:-1])


def main():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    keep_every_bit()
    lines = [
        "/* Made by penalties.py: Keras %s on TensorFlow %s, in float64."
        % (keras.__version__, tf.__version__),
        " * TERMS(graph, parameters at the start and after each update, the columns of the loss,",
        " * the loss and these columns before each update). */",
    ]
    for network in NETWORKS:
        parameters, names, terms = run(*network)
        graph = graph_of(*network).replace('"', '\\"').replace("\n", '\\n"\n    "')
        graph = graph[: -len('\n    "')]
        lines.append('TERMS("%s,' % graph)
        lines.append(numbers_of("PARAMETERS", parameters) + ",")
        lines.append('    "%s",' % " ".join(names))
        lines.append(numbers_of("COLUMNS", terms) + ")")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "penalties.def")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
