#!/usr/bin/env python3
"""Reference numbers for the compiled networks, computed by PyTorch in float64.

    apt-get install -y python3-torch python3-numpy      (Debian's packages)
    /usr/bin/python3 oracle.py cae  OUT.safetensors [--size 224] [--batch 2] [--steps 3] [--seed 1]
                              [--images DIR]
    /usr/bin/python3 oracle.py net  OUT.safetensors OUT.lua 'SPEC' [--batch 2] [--steps 3]
                              [--seed 1], any chain; see NETS below
    /usr/bin/python3 oracle.py op   OUT.safetensors 'SPEC'      one operator; see OPS below
    /usr/bin/python3 oracle.py show FILE.safetensors

Every tensor is little-endian float32 (rounded once from float64) in a safetensors file.
Layouts are the ones Keras uses: images and activations NHWC, convolution kernels HWIO
(height, width, in, out), transposed convolution kernels HWOI, dense kernels IO.

`cae` holds the article's network:
    input                           [B, S, S, 3]      multiples of 1/255 in [0, 1]
    step0/<param>                   initial parameters (Glorot uniform kernels, zero biases)
    latent, output                  forward results with the step-0 parameters
    loss                            [steps + 1]       mean squared error before each update, last
    grad/<param>                    gradient of the mean squared error at step 0
    step<k>/<param>                 parameters after k Adam updates, k = 1..steps
<param> is encoder.conv1.kernel, encoder.conv1.bias, ... decoder.conv3.bias.
Adam is Keras's: a = lr * sqrt(1 - b2^t) / (1 - b1^t); w -= a * m / (sqrt(v) + eps),
lr 1e-3, b1 0.9, b2 0.999, eps 1e-7.
Max pooling sends the gradient to the first maximum in row-major order; ReLU'(0) = 0.
"""

import argparse, json, math, os, struct, sys
import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def save(path, tensors):
    header, blob, at = {}, [], 0
    for name, t in tensors.items():
        a = np.ascontiguousarray(np.asarray(t, dtype=np.float32))
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
        blob.append(a.tobytes())
    h = json.dumps(header).encode()
    h += b" " * (-len(h) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(h)) + h + b"".join(blob))


def load(path):
    with open(path, "rb") as f:
        (n,) = struct.unpack("<Q", f.read(8))
        h = json.loads(f.read(n))
        data = f.read()
    return {
        k: np.frombuffer(data[v["data_offsets"][0] : v["data_offsets"][1]], np.float32).reshape(
            v["shape"]
        )
        for k, v in h.items()
        if k != "__metadata__"
    }


nchw = lambda t: t.permute(0, 3, 1, 2)
nhwc = lambda t: t.permute(0, 2, 3, 1)


def pair(v):
    """A number for both sides, or [height, width]."""
    return (v, v) if isinstance(v, int) else tuple(v)


def sides(v):
    """Zeros in numbers: one for all, [height, width] or all four sides; None of a name."""
    if isinstance(v, str):
        return None
    v = (v,) * 4 if isinstance(v, int) else tuple(v)
    return v * 2 if len(v) == 2 else v


def window(l, axis):
    """How far a window reaches along an axis."""
    return (pair(l["kernel"])[axis] - 1) * pair(l.get("dilation", 1))[axis] + 1


def conv(x, k, b, l):
    """x NHWC, k HWIO; `same` pads as TensorFlow does (the odd pixel goes after)."""
    x, w = nchw(x).contiguous(), k.permute(3, 2, 0, 1).contiguous()
    stride, padding = pair(l.get("stride", 1)), l.get("padding", "same")
    zeros = sides(padding) or (0, 0, 0, 0)
    if padding == "same":

        def amount(axis):
            n, s = x.shape[2 + axis], stride[axis]
            total = max((-(-n // s) - 1) * s + window(l, axis) - n, 0)
            return total // 2, total - total // 2

        (t, bo), (le, r) = amount(0), amount(1)
        zeros = (t, le, bo, r)
    t, le, bo, r = zeros
    return nhwc(
        F.conv2d(
            F.pad(x, (le, r, t, bo)),
            w,
            b,
            stride=stride,
            dilation=pair(l.get("dilation", 1)),
            groups=l.get("groups", 1),
        )
    )


def depthwise(x, k, stride=1, pad="same", dilation=1):
    """x NHWC, k [h, w, channels, multiplier]; output channel c * multiplier + q, as in Keras;
    `pad`: "same", "valid" or numbers."""
    (sh, sw), (dh, dw), (kh, kw, c, m) = pair(stride), pair(dilation), k.shape

    def amount(n, kk, s, d):
        total = max((-(-n // s) - 1) * s + (kk - 1) * d + 1 - n, 0)
        return total // 2, total - total // 2

    (t, bo), (l, r) = (0, 0), (0, 0)
    if pad == "same":
        (t, bo), (l, r) = amount(x.shape[1], kh, sh, dh), amount(x.shape[2], kw, sw, dw)
    elif pad != "valid":
        p = pair(pad)
        t, l, bo, r = p if len(p) == 4 else (p[0], p[1], p[0], p[1])
    w = k.permute(2, 3, 0, 1).reshape(c * m, 1, kh, kw).contiguous()
    return nhwc(
        F.conv2d(
            F.pad(nchw(x).contiguous(), (l, r, t, bo)),
            w,
            stride=(sh, sw),
            dilation=(dh, dw),
            groups=c,
        )
    )


def pool_zeros(x, l):
    """Top, left, bottom, right of what is padded around x NHWC."""
    size, padding = pair(l.get("size", 2)), l.get("padding", "valid")
    stride = pair(l.get("stride", size))
    if padding != "same":
        return sides(padding) or (0, 0, 0, 0)

    def amount(axis):
        n, s = x.shape[1 + axis], stride[axis]
        total = max((-(-n // s) - 1) * s + size[axis] - n, 0)
        return total // 2, total - total // 2

    (t, bo), (le, r) = amount(0), amount(1)
    return t, le, bo, r


def pool(x, l, kind):
    """x NHWC; padding never wins a maximum and does not count in a mean."""
    size, (t, le, bo, r) = pair(l.get("size", 2)), pool_zeros(x, l)
    stride = pair(l.get("stride", size))
    padded = lambda v, fill: F.pad(nchw(v), (le, r, t, bo), value=fill)
    if kind == "max":
        return nhwc(F.max_pool2d(padded(x, -math.inf), size, stride))
    mean = lambda v: F.avg_pool2d(padded(v, 0.0), size, stride)
    return nhwc(mean(x) / mean(torch.ones_like(x)))


def four(v):
    """A number, [height, width] or [top, left, bottom, right]."""
    v = pair(v)
    return v if len(v) == 4 else v + v


def upsample(x, s, interpolation="nearest"):
    h, w = pair(s)
    if interpolation == "nearest":
        return x.repeat_interleave(h, 1).repeat_interleave(w, 2)
    return nhwc(F.interpolate(nchw(x), scale_factor=(h, w), mode="bilinear", align_corners=False))


def depth_to_space(x, s):
    """TensorFlow's order of channels; PyTorch's pixel_shuffle has the block's place last."""
    n, h, w, c = x.shape
    blocks = x.reshape(n, h, w, s, s, c // s // s).permute(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h * s, w * s, c // s // s)


def space_to_depth(x, s):
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h // s, w // s, s * s * c)


def zero_pad(x, padding):
    t, l, b, r = four(padding)
    return F.pad(x, (0, 0, l, r, t, b))


def crop(x, padding):
    t, l, b, r = four(padding)
    return x[:, t : x.shape[1] - b, l : x.shape[2] - r]


LAYERS = [
    ("encoder.conv1", 3, 32),
    ("encoder.conv2", 32, 64),
    ("encoder.conv3", 64, 128),
    ("decoder.conv1", 128, 128),
    ("decoder.conv2", 128, 16),
    ("decoder.conv3", 16, 3),
]


def cae_forward(p, x, seen=None, terms=None):
    for n in ("encoder.conv1", "encoder.conv2", "encoder.conv3"):
        x = pool(torch.relu(conv(x, p[n + ".kernel"], p[n + ".bias"], {"kernel": 3})), {}, "max")
    z = x
    for n in ("decoder.conv1", "decoder.conv2", "decoder.conv3"):
        x = upsample(torch.relu(conv(x, p[n + ".kernel"], p[n + ".bias"], {"kernel": 3})), 2)
    return z, x


def noise(rng, shape):
    return torch.tensor((rng.integers(0, 256, shape) / 255.0).astype(np.float32).astype(np.float64))


def images(args, rng):
    if args.images:
        from PIL import Image

        names = sorted(
            os.path.join(d, f)
            for d, _, fs in os.walk(args.images)
            for f in fs
            if f.lower().endswith(("jpg", "jpeg", "png"))
        )
        pick = [names[i] for i in rng.permutation(len(names))[: args.batch]]
        a = [
            np.asarray(Image.open(f).convert("RGB").resize((args.size, args.size))) / 255.0
            for f in pick
        ]
        return torch.tensor(np.stack(a).astype(np.float32).astype(np.float64))
    return noise(rng, (args.batch, args.size, args.size, 3))


def run_cae(args):
    rng = np.random.default_rng(args.seed)
    p = {}
    for n, ci, co in LAYERS:
        lim = math.sqrt(6.0 / (9 * ci + 9 * co))
        p[n + ".kernel"] = torch.tensor(
            rng.uniform(-lim, lim, (3, 3, ci, co)).astype(np.float32).astype(np.float64)
        )
        p[n + ".bias"] = torch.zeros(co)
    x = images(args, rng)
    save(
        args.out, train_reference(cae_forward, p, x, lambda y, a: ((y - a) ** 2).mean(), args.steps)
    )


# NETS: SPEC is JSON, a chain of layers in two parts, e.g.
#   {"name": "tiny", "input": [16, 12, 3],
#    "encoder": [{"op": "conv2d", "filters": 8, "kernel": 3, "activation": "relu"}, {"op":
#    "max_pool2d", "size": 2}],
#    "decoder": [{"op": "conv2d", "filters": 3, "kernel": 3}, {"op": "max_unpool2d", "pool":
#    "encoder.pool1"}],
#    "loss": "mse"}
# ops: conv2d {filters kernel stride padding dilation groups activation},
#      depthwise_conv2d {kernel stride padding dilation depth_multiplier activation},
#      separable_conv2d {filters, and those},
#      conv2d_transpose {filters kernel stride padding output_padding dilation groups activation}:
#      kernel, stride, dilation
#      and output_padding numbers or [height, width], padding a name, a number, [height, width] or
#      [top, left, bottom, right],
#      dense {units activation}, flatten {}, reshape {shape}, max_pool2d and avg_pool2d {size stride
#      padding},
#      global_max_pool2d {}, global_avg_pool2d {}, upsample2d {size interpolation},
#      zero_pad2d {padding}, crop2d {padding}, depth_to_space {size}, space_to_depth {size}, rescale
#      {scale offset},
#      max_unpool2d {pool}, layer_norm {eps}, instance_norm {eps}, batch_norm {momentum eps},
#      gaussian_sample {kl_weight} (nothing is drawn), prelu {}, and the activations by name. loss:
#      mse, mae, bce (on outputs in 0..1). batch:
#      another number of images than --batch.
# A layer with "trainable": false has no gradients and stays as it is. A dense or conv2d_transpose
# layer with "tied": "encoder.dense1" has no kernel, but the transpose of that layer's.
# Writes the same network as a graph file too, and a reference file like the one of `cae`.
# A layer is called by its kind and its place among those of its kind in its part: encoder.conv1,
# encoder.pool1,
# decoder.deconv1, decoder.dense2, decoder.up1.
SHORT = {
    "conv2d": "conv",
    "depthwise_conv2d": "dwconv",
    "separable_conv2d": "sepconv",
    "conv2d_transpose": "deconv",
    "dense": "dense",
    "max_pool2d": "pool",
    "avg_pool2d": "pool",
    "global_max_pool2d": "gpool",
    "global_avg_pool2d": "gpool",
    "zero_pad2d": "pad",
    "crop2d": "crop",
    "depth_to_space": "d2s",
    "space_to_depth": "s2d",
    "upsample2d": "up",
    "max_unpool2d": "unpool",
    "batch_norm": "bn",
    "gaussian_sample": "sample",
    "flatten": "flatten",
    "reshape": "reshape",
    "layer_norm": "ln",
    "instance_norm": "in",
}
ACT = {
    "relu": torch.relu,
    "leaky_relu": lambda t: F.leaky_relu(t, 0.2),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "elu": F.elu,
    "softmax": lambda t: torch.softmax(t, -1),
    "linear": lambda t: t,
}


def conv_transpose(x, k, b, l):
    """k HWOI. Names: Keras's sizes, its output_padding too; numbers: PyTorch's.
    Whatever comes after the last window gets the bias alone."""
    stride, dilation = pair(l.get("stride", 2)), pair(l.get("dilation", 1))
    padding, more = l.get("padding", "same"), l.get("output_padding")
    full = F.conv_transpose2d(
        nchw(x).contiguous(),
        k.permute(3, 2, 0, 1).contiguous(),
        None,
        stride=stride,
        dilation=dilation,
        groups=l.get("groups", 1),
    )

    def place(axis):
        n, s, kk = x.shape[1 + axis], stride[axis], window(l, axis)
        extra = None if more is None else pair(more)[axis]
        if padding == "same":
            size = n * s if extra is None else (n - 1) * s + kk % 2 + extra
            return max((n - 1) * s + kk - size, 0) // 2, size
        if padding == "valid":
            return 0, (n - 1) * s + (max(kk, s) if extra is None else kk + extra)
        zeros = sides(padding)
        return zeros[axis], (n - 1) * s + kk - zeros[axis] - zeros[axis + 2] + (extra or 0)

    (top, h), (left, w) = place(0), place(1)
    full = F.pad(full, (0, max(0, w + left - full.shape[3]), 0, max(0, h + top - full.shape[2])))
    return nhwc(full[:, :, top : top + h, left : left + w]) + b


def named_layers(spec):
    for part in ("encoder", "decoder"):
        count = {}
        for l in spec[part]:
            short = SHORT.get(l["op"], l["op"])
            count[short] = count.get(short, 0) + 1
            yield "%s.%s%d" % (part, short, count[short]), l


def batch_norm(name, l, p, x, init, seen):
    """Over all images; the biased variance, in `seen` too, from which moving averages are made."""
    if init is not None:
        f32 = lambda a: torch.tensor(a.astype(np.float32).astype(np.float64))
        p[name + ".gamma"] = f32(init.uniform(0.5, 1.5, x.shape[-1]))
        p[name + ".beta"] = f32(init.uniform(-0.5, 0.5, x.shape[-1]))
        p[name + ".moving_mean"] = torch.zeros(x.shape[-1])
        p[name + ".moving_variance"] = torch.ones(x.shape[-1])
    over = tuple(range(x.dim() - 1))
    mean, variance = x.mean(over), x.var(over, unbiased=False)
    if seen is not None:
        for kind, now in (("mean", mean), ("variance", variance)):
            seen[name + ".moving_" + kind] = (l.get("momentum", 0.99), now.detach())
    scale = p[name + ".gamma"] / torch.sqrt(variance + l.get("eps", 1e-3))
    return (x - mean) * scale + p[name + ".beta"]


def divergence(mean, log_variance):
    """From the standard normal distribution, of all images together."""
    given = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    normal = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(given, normal).sum()


def net_forward(spec, p, x, init=None, seen=None, terms=None):
    """Runs the chain; with `init`, draws each layer's parameters as it goes. `seen`: gets, of each
    statistic, its momentum and what the batch has. `terms`: what layers add to the loss."""
    pixels = x.numel()
    switches, z = {}, x
    for name, l in named_layers(spec):
        if name.startswith("decoder") and z is not None and "latent" not in switches:
            switches["latent"] = x
        op = l["op"]
        k, b = name + ".kernel", name + ".bias"
        if init is not None and op in ("conv2d", "conv2d_transpose", "dense"):
            kk, g = pair(l.get("kernel", 1)), l.get("groups", 1)
            shape = {
                "conv2d": lambda: (*kk, x.shape[3] // g, l["filters"]),
                "conv2d_transpose": lambda: (*kk, l["filters"] // g, x.shape[3]),
                "dense": lambda: (x.shape[1], l["units"]),
            }[op]()
            fan = kk[0] * kk[1] * (shape[-1] + shape[-2])
            lim = math.sqrt(6.0 / fan)
            f32 = lambda a: torch.tensor(a.astype(np.float32).astype(np.float64))
            if "tied" not in l:
                p[k] = f32(init.uniform(-lim, lim, shape))
            p[b] = f32(init.uniform(0, 0.1, l.get("filters", l.get("units"))))
        if init is not None and op in ("layer_norm", "instance_norm", "prelu"):
            f32 = lambda a: torch.tensor(a.astype(np.float32).astype(np.float64))
            start = {"gamma": 1, "beta": 0} if op != "prelu" else {"alpha": 0.25}
            for what, middle in start.items():
                p["%s.%s" % (name, what)] = f32(middle + init.uniform(-0.1, 0.1, x.shape[-1]))
        if op in ("depthwise_conv2d", "separable_conv2d"):
            dk, pk = (
                (k, None)
                if op == "depthwise_conv2d"
                else (name + ".depthwise_kernel", name + ".pointwise_kernel")
            )
            if init is not None:
                f32 = lambda a: torch.tensor(a.astype(np.float32).astype(np.float64))
                (kh, kw), c, m = pair(l["kernel"]), x.shape[3], l.get("depth_multiplier", 1)
                lim = math.sqrt(3.0 / (kh * kw))
                p[dk] = f32(init.uniform(-lim, lim, (kh, kw, c, m)))
                if pk:
                    lim = math.sqrt(6.0 / (c * m + l["filters"]))
                    p[pk] = f32(init.uniform(-lim, lim, (1, 1, c * m, l["filters"])))
                p[b] = f32(init.uniform(0, 0.1, l.get("filters", c * m)))
            x = depthwise(
                x, p[dk], l.get("stride", 1), l.get("padding", "same"), l.get("dilation", 1)
            )
            x = conv(x, p[pk], p[b], {"kernel": 1}) if pk else x + p[b]
        elif op == "conv2d":
            x = conv(x, p[k], p[b], l)
        elif op == "conv2d_transpose":
            x = conv_transpose(x, p[l["tied"] + ".kernel" if "tied" in l else k], p[b], l)
        elif op == "dense":
            x = x @ (p[l["tied"] + ".kernel"].T if "tied" in l else p[k]) + p[b]
        elif op == "flatten":
            x = x.reshape(x.shape[0], -1)
        elif op == "reshape":
            x = x.reshape(x.shape[0], *l["shape"])
        elif op == "max_pool2d":
            if not any(pool_zeros(x, l)):
                size = pair(l.get("size", 2))
                i = F.max_pool2d(nchw(x), size, pair(l.get("stride", size)), return_indices=True)[1]
                switches[name] = (i, x.shape)
            x = pool(x, l, "max")
        elif op == "avg_pool2d":
            x = pool(x, l, "avg")
        elif op == "global_max_pool2d":
            x = x.amax((1, 2))
        elif op == "global_avg_pool2d":
            x = x.mean((1, 2))
        elif op == "upsample2d":
            x = upsample(x, l.get("size", 2), l.get("interpolation", "nearest"))
        elif op == "zero_pad2d":
            x = zero_pad(x, l["padding"])
        elif op == "crop2d":
            x = crop(x, l["padding"])
        elif op == "depth_to_space":
            x = depth_to_space(x, l["size"])
        elif op == "space_to_depth":
            x = space_to_depth(x, l["size"])
        elif op == "batch_norm":
            x = batch_norm(name, l, p, x, init, seen)
        elif op == "gaussian_sample":
            mean, log_variance = x.chunk(2, -1)
            if terms is not None:
                terms.append(l.get("kl_weight", 1) * divergence(mean, log_variance) / pixels)
            x = mean
        elif op == "rescale":
            x = x * torch.as_tensor(l["scale"], dtype=torch.float64)
            x = x + torch.as_tensor(l.get("offset", 0), dtype=torch.float64)
        elif op == "max_unpool2d":
            i, (n, h, w, c) = switches[l["pool"]]
            flat = torch.zeros(n, c, h * w).scatter(2, i.flatten(2), nchw(x).flatten(2))
            x = nhwc(flat.reshape(n, c, h, w))
        elif op == "layer_norm":
            g, beta = p[name + ".gamma"], p[name + ".beta"]
            x = F.layer_norm(x, x.shape[-1:], g, beta, l.get("eps", 1e-3))
        elif op == "instance_norm":
            g, beta = p[name + ".gamma"], p[name + ".beta"]
            x = nhwc(F.instance_norm(nchw(x), weight=g, bias=beta, eps=l.get("eps", 1e-3)))
        elif op == "prelu":
            x = torch.relu(x) - p[name + ".alpha"] * torch.relu(-x)
        else:
            x = ACT[op](x)
        if "activation" in l:
            x = ACT[l["activation"]](x)
    return switches.get("latent", x), x


def lua_value(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, str):
        return '"%s"' % v
    if isinstance(v, list):
        return "{ " + ", ".join(lua_value(e) for e in v) + " }"
    return str(v)


def write_lua(spec, path):
    def part(name):
        rows = [
            "  %s { %s },"
            % (l["op"], ", ".join("%s = %s" % (k, lua_value(v)) for k, v in l.items() if k != "op"))
            for l in spec[name]
        ]
        return 'local %s = sequential "%s" {\n%s\n}\n' % (name, name, "\n".join(rows))

    with open(path, "w") as f:
        f.write(
            '%s%sreturn autoencoder "%s" {\n  input = %s,\n'
            "  encoder = encoder,\n  decoder = decoder,\n"
            '  training = { loss = "%s", optimizer = adam { lr = 1e-3 },'
            " batch = 8, epochs = 1 },\n}\n"
            % (
                part("encoder"),
                part("decoder"),
                spec.get("name", "net"),
                lua_value(spec["input"]),
                spec.get("loss", "mse"),
            )
        )


LOSS = {
    "mse": lambda y, x: ((y - x) ** 2).mean(),
    "mae": lambda y, x: (y - x).abs().mean(),
    "bce": lambda y, x: F.binary_cross_entropy(y, x),
}


def train_reference(forward, p, x, loss_of, steps, rests=()):
    """The tensors of a reference file: forward, losses, step-0 gradients, and the parameters after
    each Adam update; those of the layers in `rests` stay as they are."""
    out = {"input": x.numpy()}
    out.update({"step0/" + k: v.numpy() for k, v in p.items()})
    m = {k: torch.zeros_like(v) for k, v in p.items()}
    v2 = {k: torch.zeros_like(v) for k, v in p.items()}
    losses = []
    for t in range(1, steps + 2):
        q = {k: v.clone().requires_grad_(True) for k, v in p.items()}
        seen, terms = {}, []
        z, y = forward(q, x, seen, terms)
        loss = loss_of(y, x) + sum(terms)
        losses.append(loss.item())
        if t == 1:
            out["latent"], out["output"] = z.detach().numpy(), y.detach().numpy()
        if t == steps + 1:
            break
        loss.backward()
        a = 1e-3 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for k, (momentum, now) in seen.items():
            p[k] = momentum * p[k] + (1 - momentum) * now
            out["step%d/%s" % (t, k)] = p[k].numpy()
        for k in p:
            if k.rsplit(".", 1)[0] in rests:
                out["step%d/%s" % (t, k)] = p[k].numpy()
                continue
            g = q[k].grad
            if k in seen:
                continue
            if t == 1:
                out["grad/" + k] = g.numpy()
            m[k] = 0.9 * m[k] + 0.1 * g
            v2[k] = 0.999 * v2[k] + 0.001 * g * g
            p[k] = p[k] - a * m[k] / (v2[k].sqrt() + 1e-7)
            out["step%d/%s" % (t, k)] = p[k].numpy()
    out["loss"] = np.array(losses)
    print("loss", losses)
    return out


def run_net(args):
    spec = json.loads(args.spec)
    rng = np.random.default_rng(args.seed)
    x = noise(rng, (spec.get("batch", args.batch), *spec["input"]))
    p = {}
    with torch.no_grad():
        net_forward(spec, p, x, init=rng)
    rests = [name for name, l in named_layers(spec) if not l.get("trainable", True)]
    loss_of = LOSS[spec.get("loss", "mse")]
    save(
        args.out,
        train_reference(
            lambda q, a, seen, terms: net_forward(spec, q, a, seen=seen, terms=terms),
            p,
            x,
            loss_of,
            args.steps,
            rests,
        ),
    )
    write_lua(spec, args.lua)


# OPS: SPEC is JSON, e.g.
#   {"op": "conv2d", "in": [2, 17, 13, 5], "filters": 7, "kernel": 3, "stride": 2, "padding":
#   "same"}
#   {"op": "conv2d_transpose", "in": [2, 7, 9, 6], "filters": 4, "kernel": 3, "stride": 2}   output
#   = input * stride ("same")
#   {"op": "max_pool2d" | "avg_pool2d", "in": [...], "size": 2}
#   {"op": "max_unpool2d", "in": [...], "size": 2}   max-pools, then puts each maximum back at its
#   place, zeros elsewhere
#   {"op": "upsample2d", "in": [...], "size": 2}
#   {"op": "dense", "in": [B, N], "units": 11}
#   {"op": "relu" | "leaky_relu" | "sigmoid" | "tanh" | "softplus" | "elu", "in": [...]}
# The file holds: input, kernel, bias (where the operator has them), output, dy (the gradient that
# arrives),
# dx, and dkernel, dbias.
def run_op(args):
    s = json.loads(args.spec)
    rng = np.random.default_rng(args.seed)
    r = lambda *sh: torch.tensor(
        rng.uniform(-1, 1, sh).astype(np.float32).astype(np.float64), requires_grad=True
    )
    x = r(*s["in"])
    k = b = None
    op = s["op"]
    if op == "conv2d":
        k, b = r(*pair(s["kernel"]), s["in"][3] // s.get("groups", 1), s["filters"]), r(
            s["filters"]
        )
        y = conv(x, k, b, s)
    elif op == "conv2d_transpose":
        k, b = r(*pair(s["kernel"]), s["filters"] // s.get("groups", 1), s["in"][3]), r(
            s["filters"]
        )  # HWOI
        y = conv_transpose(x, k, b, s)
    elif op in ("max_pool2d", "avg_pool2d"):
        y = pool(x, s, op[:3])
    elif op == "max_unpool2d":
        v, i = F.max_pool2d(nchw(x), s.get("size", 2), return_indices=True)
        y = nhwc(F.max_unpool2d(v, i, s.get("size", 2), output_size=nchw(x).shape))
    elif op == "upsample2d":
        y = upsample(x, s.get("size", 2))
    elif op == "dense":
        k, b = r(s["in"][1], s["units"]), r(s["units"])
        y = x @ k + b
    else:
        y = ACT[op](x)
    dy = torch.tensor(rng.uniform(-1, 1, tuple(y.shape)).astype(np.float32).astype(np.float64))
    y.backward(dy)
    out = {
        "input": x.detach().numpy(),
        "output": y.detach().numpy(),
        "dy": dy.numpy(),
        "dx": x.grad.numpy(),
    }
    if k is not None:
        out.update(
            kernel=k.detach().numpy(),
            bias=b.detach().numpy(),
            dkernel=k.grad.numpy(),
            dbias=b.grad.numpy(),
        )
    save(args.out, out)
    print({n: list(t.shape) for n, t in out.items()})


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sub = ap.add_subparsers(dest="what", required=True)
    c = sub.add_parser("cae")
    c.add_argument("out")
    for n, d in (("size", 224), ("batch", 2), ("steps", 3), ("seed", 1)):
        c.add_argument("--" + n, type=int, default=d)
    c.add_argument("--images")
    n = sub.add_parser("net")
    n.add_argument("out")
    n.add_argument("lua")
    n.add_argument("spec")
    for name, d in (("batch", 2), ("steps", 3), ("seed", 1)):
        n.add_argument("--" + name, type=int, default=d)
    o = sub.add_parser("op")
    o.add_argument("out")
    o.add_argument("spec")
    o.add_argument("--seed", type=int, default=1)
    w = sub.add_parser("show")
    w.add_argument("file")
    args = ap.parse_args()
    if args.what == "show":
        for n, t in load(args.file).items():
            print(
                "%-32s %-20s mean % .6g  max|.| %.6g"
                % (n, list(t.shape), t.mean(), np.abs(t).max())
            )
    else:
        {"cae": run_cae, "net": run_net, "op": run_op}[args.what](args)


if __name__ == "__main__":
    main()
