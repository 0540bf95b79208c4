#!/usr/bin/env python3
"""The network of graphs/cae.lua in PyTorch: training, reconstruction, latency. Prints one JSON
object (see peer.py).

The layout is channels_last, which suits oneDNN's convolutions on CPUs; --compile goes through
torch.compile, once for each shape. --export DIR writes DIR/batch-N.onnx for N = 1, 16 and --batch,
which peer_onnxruntime.py reads, and stops.
"""
import os
import sys

sys.dont_write_bytecode = True
import peer


def network(nn):
    def conv(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]

    encoder = (
        conv(3, 32)
        + [nn.MaxPool2d(2)]
        + conv(32, 64)
        + [nn.MaxPool2d(2)]
        + conv(64, 128)
        + [nn.MaxPool2d(2)]
    )
    decoder = (
        conv(128, 128)
        + [nn.Upsample(scale_factor=2)]
        + conv(128, 16)
        + [nn.Upsample(scale_factor=2)]
        + conv(16, 3)
        + [nn.Upsample(scale_factor=2)]
    )
    return nn.Sequential(*encoder, *decoder)


def export(torch, folder, batch):
    """The exporter that traces: it needs no further package, and the network has no branches that a
    trace could miss."""
    os.makedirs(folder, exist_ok=True)
    model = network(torch.nn).eval()
    newer = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 5)
    for n in sorted({1, peer.FORWARD_BATCH, batch}):
        torch.onnx.export(
            model,
            torch.rand(n, 3, 224, 224),
            os.path.join(folder, "batch-%d.onnx" % n),
            input_names=["x"],
            output_names=["y"],
            **({"dynamo": False} if newer else {})
        )


def main():
    parser = peer.parser(__doc__.splitlines()[0])
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    parser.add_argument("--export", metavar="DIR", help="write the network as ONNX files and stop")
    options = parser.parse_args()
    import torch
    if options.version:
        print("PyTorch", torch.__version__.split("+")[0])
        return
    if options.export:
        export(torch, options.export, options.batch)
        return
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = network(torch.nn).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    # Left alone, a second batch size would be compiled for any size, which is slower.
    run = torch.compile(model, dynamic=False) if options.compile else model

    def pictures(n):
        return torch.rand(n, 3, 224, 224).contiguous(memory_format=torch.channels_last)

    training = pictures(options.batch) if "train" in options.tasks else None

    def train():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(run(training), training).backward()
        optimizer.step()

    def forward(n):
        x = pictures(n)

        def reconstruct():
            with torch.inference_mode():
                run(x)
        return reconstruct

    peer.measure(
        options,
        "PyTorch",
        torch.__version__,
        sum(p.numel() for p in model.parameters()),
        train,
        forward,
    )


if __name__ == "__main__":
    main()
