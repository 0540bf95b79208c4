-- 224x224x3 -> conv 224x224x32 -> pool 112x112x32 -> conv 112x112x64 -> pool 56x56x64 -> conv
-- 56x56x128 -> pool 28x28x128 (latent)
--           -> conv 28x28x64 -> up 56x56x64 -> conv 56x56x32 -> up 112x112x32 -> conv 112x112x3 ->
--               up 224x224x3
--
-- Three autoencoders, stacked (Masci, Meier, Ciresan and Schmidhuber 2011, "Stacked convolutional
-- auto-encoders for hierarchical feature extraction"): the first learns to give back the image, the
-- second the latent of the first, the third that of the second; then all layers go on together.
--
--   stage 1: 224x224x3  -> conv1, pool1 112x112x32 -> conv3, up3 224x224x3
--   stage 2: 112x112x32 -> conv2, pool2 56x56x64   -> conv2, up2 112x112x32
--   stage 3: 56x56x64   -> conv3, pool3 28x28x128  -> conv1, up1 56x56x64
--
-- What a stage's decoder gives has the shape of what its encoder got. ELU as the activation: what
-- one stage hands on may be negative, and no channel of a decoder dies. The warm-up, of every
-- stage, keeps the first steps of a fresh Adam from undoing what the stages before have learnt.

local function conv(filters, activation) return conv2d { filters = filters, kernel = 3, activation
    = activation or "elu" } end

local encoder = sequential "encoder" {
  conv(32), max_pool2d { size = 2 },
  conv(64), max_pool2d { size = 2 },
  conv(128), max_pool2d { size = 2 },
}

local decoder = sequential "decoder" {
  conv(64), upsample2d { size = 2 },
  conv(32), upsample2d { size = 2 },
  conv(3, "linear"), upsample2d { size = 2 },
}

return autoencoder "stacked_cae" {
  input = { 224, 224, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, schedule = constant { warmup = 1 },
      batch = 64 },
  stages = {
    { encoder = "pool1", decoder = "conv3", epochs = 2 },
    { encoder = "pool2", decoder = "conv2", epochs = 3 },
    { encoder = "pool3", decoder = "conv1", epochs = 3 },
    { epochs = 32 },
  },
}
