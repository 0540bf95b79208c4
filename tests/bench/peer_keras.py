#!/usr/bin/env python3
"""The network of graphs/cae.lua in Keras on TensorFlow: training, reconstruction, latency. Prints
one JSON object (see peer.py)."""
import os
import sys

sys.dont_write_bytecode = True
import peer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")      # its greetings
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def network(keras):
    layers = keras.layers

    def conv(filters):
        return layers.Conv2D(filters, 3, padding="same", activation="relu")

    encoder = [
        conv(32),
        layers.MaxPooling2D(2),
        conv(64),
        layers.MaxPooling2D(2),
        conv(128),
        layers.MaxPooling2D(2),
    ]
    decoder = [
        conv(128),
        layers.UpSampling2D(2),
        conv(16),
        layers.UpSampling2D(2),
        conv(3),
        layers.UpSampling2D(2),
    ]
    return keras.Sequential([layers.Input((224, 224, 3))] + encoder + decoder)


def main():
    options = peer.parser(__doc__.splitlines()[0]).parse_args()
    import keras
    import tensorflow as tf
    version = "%s on TensorFlow %s" % (keras.__version__, tf.__version__)
    if options.version:
        print("Keras", version)
        return
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    model = network(keras)
    model.compile(optimizer=keras.optimizers.Adam(1e-3, epsilon=1e-7), loss="mse")
    # Traced into a graph: model.predict would add milliseconds of its own to one picture, a bare
    # call runs layer by layer.
    infer = tf.function(lambda x: model(x, training=False))
    training = tf.random.uniform((options.batch, 224, 224, 3)) if "train" in options.tasks else None

    def train():
        model.train_on_batch(training, training)

    def forward(n):
        x = tf.random.uniform((n, 224, 224, 3))
        return lambda: infer(x).numpy()

    peer.measure(options, "Keras", version, model.count_params(), train, forward)


if __name__ == "__main__":
    main()
