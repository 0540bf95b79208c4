#!/usr/bin/env python3
"""Losses and their gradients by TensorFlow in float64, for tests/ops/test_reference_losses.c.

    python3 losses.py >losses.txt        wants TensorFlow and Keras

A line: the loss as the graph file writes it, height, width, channels, the loss, and its gradient by
each value of the output. Outputs and targets are those of `images` below, which the test makes too.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.ops import image_ops_impl

keras.config.set_floatx("float64")


def images(h, w, c):
    """Output and target: a pixel is float32 value / 255, an output a whole number of 1000ths."""
    i = np.arange(h * w * c)
    pixels = (i * i // 7 + 31 * i) % 256
    target = (pixels.astype(np.float32) / np.float32(255)).astype(np.float64)
    output = ((pixels * 3) // 2 + (i * 53) % 401) / 1000
    return tf.constant(output.reshape(1, h, w, c)), tf.constant(target.reshape(1, h, w, c))


def ssim(output, target):
    """What tf.image.ssim computes, which casts to float32 first."""
    similarity, _ = image_ops_impl._ssim_per_channel(output, target, 1.0)
    return 1 - tf.reduce_mean(similarity)


def checked_ssim(output, target):
    """That is indeed what it computes."""
    single = tf.image.ssim(tf.cast(output, tf.float32), tf.cast(target, tf.float32), 1.0)
    assert abs(ssim(output, target) - 1 + float(single[0])) < 1e-6
    return ssim(output, target)


def huber(delta):
    return lambda output, target: keras.losses.Huber(delta=delta)(target, output)


LOSSES = {
    '"ssim"': (checked_ssim, ((11, 11, 1), (13, 12, 3), (23, 11, 2))),
    '"huber"': (huber(1), ((2, 5, 3),)),
    "huber { delta = 0.125 }": (huber(0.125), ((2, 5, 3),)),
}


def main():
    for name, (loss, shapes) in LOSSES.items():
        for shape in shapes:
            output, target = images(*shape)
            with tf.GradientTape() as tape:
                tape.watch(output)
                value = loss(output, target)
            slope = tape.gradient(value, output).numpy().ravel()
            print(name, *shape, "%.17g" % float(value), *("%.12g" % g for g in slope), sep="\t")


if __name__ == "__main__":
    main()
