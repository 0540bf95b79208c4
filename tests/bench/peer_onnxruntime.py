#!/usr/bin/env python3
"""The network of graphs/cae.lua in ONNX Runtime: reconstruction and latency. Prints one JSON object
(see peer.py).

Needs the files that peer_torch.py --export DIR writes, with the same --batch.
"""
import os
import sys

sys.dont_write_bytecode = True
import peer


def main():
    parser = peer.parser(__doc__.splitlines()[0], ("forward", "latency"))
    parser.add_argument(
        "--models", metavar="DIR", default="onnx", help="folder of batch-N.onnx (%(default)s)"
    )
    options = parser.parse_args()
    import numpy
    import onnxruntime
    if options.version:
        print("ONNX Runtime", onnxruntime.__version__)
        return
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    random = numpy.random.default_rng(1)

    def forward(n):
        model = os.path.join(options.models, "batch-%d.onnx" % n)
        session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
        x = random.random((n, 3, 224, 224), dtype=numpy.float32)
        return lambda: session.run(None, {"x": x})

    peer.measure(options, "ONNX Runtime", onnxruntime.__version__, forward=forward)


if __name__ == "__main__":
    main()
