-- 16x20x3 -> conv 16x20x16 -> norm -> pool 8x10x16 -> conv 8x10x32 -> norm -> sample 8x10x16
--            (latent)
--         -> up 16x20x16 -> conv 16x20x16 -> norm -> conv 16x20x3
--
-- Statistics over five images at a time; a divergence that warms up. Channels are whole vectors:
-- kernels load a last part of one together with what comes after it in the group's memory, another
-- image's values, and leave that out, which ThreadSanitizer cannot know.

local encoder = sequential "encoder" {
  conv2d { filters = 16, kernel = 3, use_bias = false },
  batch_norm { over = 5, momentum = 0.8 },
  relu {},
  max_pool2d { size = 2 },
  conv2d { filters = 32, kernel = 3 },
  batch_norm { over = 5, momentum = 0.8 },
  gaussian_sample { kl_weight = 0.1, warmup = 2 },
}

local decoder = sequential "decoder" {
  upsample2d { size = 2 },
  conv2d { filters = 16, kernel = 3, activation = "tanh" },
  batch_norm { over = 5, momentum = 0.8 },
  conv2d { filters = 3, kernel = 3, activation = "sigmoid" },
}

return autoencoder "normed" {
  input = { 16, 20, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-2 }, batch = 10, epochs = 2 },
}
