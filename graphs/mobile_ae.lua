-- 96x96x3 -> conv 48x48x16 -> separable 24x24x32 -> separable 12x12x64 -> separable 12x12x32
-- (latent)
--           -> separable 12x12x96 -> up 24x24x96 -> separable 24x24x64 -> up 48x48x64 -> separable
--               48x48x32 -> up 96x96x32 -> conv 96x96x3
--
-- A small network for phones and microcontrollers, built as MobileNets are (Howard et al. 2017
-- and 2019): each channel is convolved by itself, then 1x1 mixes the channels, for less than a
-- tenth of the weights of ordinary convolutions. Depthwise kernels start small, so a group_norm
-- follows each pair but the one that makes the latent.

local encoder = sequential "encoder" {
  conv2d { filters = 16, kernel = 3, stride = 2, activation = "hard_swish" },
  separable_conv2d { filters = 32, kernel = 3, stride = 2, use_bias = false },
  group_norm { groups = 8 },
  hard_swish {},
  separable_conv2d { filters = 64, kernel = 5, stride = 2, use_bias = false },
  group_norm { groups = 8 },
  hard_swish {},
  separable_conv2d { filters = 32, kernel = 3 },
}

local decoder = sequential "decoder" {
  separable_conv2d { filters = 96, kernel = 3, use_bias = false },
  group_norm { groups = 8 },
  hard_swish {},
  upsample2d { size = 2 },
  separable_conv2d { filters = 64, kernel = 5, use_bias = false },
  group_norm { groups = 8 },
  hard_swish {},
  upsample2d { size = 2 },
  separable_conv2d { filters = 32, kernel = 5, use_bias = false },
  group_norm { groups = 8 },
  hard_swish {},
  upsample2d { size = 2 },
  conv2d { filters = 3, kernel = 3, activation = "sigmoid" },
}

return autoencoder "mobile_ae" {
  input = { 96, 96, 3 },
  encoder = encoder,
  decoder = decoder,
  training = {
    loss = "mse",
    optimizer = adam { lr = 3e-3 },
    schedule = cosine { warmup = 1 },
    batch = 8,
    epochs = 40,
  },
}
