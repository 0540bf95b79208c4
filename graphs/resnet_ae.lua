-- 64x64x3 -> conv 64x64x16 -> block 32x32x32 -> block 16x16x64 -> block 8x8x128 -> conv 8x8x16
--            (latent)
--         -> conv 8x8x128 -> block 16x16x64 -> block 32x32x32 -> block 64x64x16 -> conv 64x64x3
--
-- Residual blocks with batch normalization (He, Zhang, Ren and Sun 2016, "Deep residual learning
-- for image recognition"): what two convolutions make of a block's input is added to that input,
-- which a 1x1 convolution has brought to the same shape, so that gradients reach the first layer by
-- a short way. A momentum of 0.9 lets the moving statistics follow within a few dozen updates.

local function conv(filters, kernel, stride)
  return conv2d { filters = filters, kernel = kernel, stride = stride, use_bias = false }
end

local function norm(name) return batch_norm { momentum = 0.9, name = name } end

-- `name` is the block and what comes out of it, `input` the full name of what goes in.
local function down(input, name, filters)
  return {
    conv(filters, 3, 2), norm(), relu {}, conv(filters, 3), norm(name .. "_main"),
    from { layer = input }, conv(filters, 1, 2), norm(),
    add { with = "encoder." .. name .. "_main" }, relu { name = name },
  }
end

local function up(input, name, filters)
  return {
    upsample2d {}, conv(filters, 3), norm(), relu {}, conv(filters, 3), norm(name .. "_main"),
    from { layer = input }, conv(filters, 1), norm(), upsample2d {},
    add { with = "decoder." .. name .. "_main" }, relu { name = name },
  }
end

local encoder = sequential "encoder" {
  conv(16, 3), norm(), relu { name = "stem" },
  down("encoder.stem", "half", 32),
  down("encoder.half", "quarter", 64),
  down("encoder.quarter", "eighth", 128),
  conv2d { filters = 16, kernel = 1 },
}

local decoder = sequential "decoder" {
  conv(128, 3), norm(), relu { name = "stem" },
  up("decoder.stem", "quarter", 64),
  up("decoder.quarter", "half", 32),
  up("decoder.half", "whole", 16),
  conv2d { filters = 3, kernel = 3, activation = "sigmoid" },
}

return autoencoder "resnet_ae" {
  input = { 64, 64, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 32, epochs = 40 },
}
