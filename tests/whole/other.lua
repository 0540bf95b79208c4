-- 16x16x3 -> conv 16x16x4 -> pool 8x8x4 (latent) -> conv 8x8x3 -> up 16x16x3
--
-- A network whose weights do not fit any other.

local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
}

local decoder = sequential "decoder" {
  conv2d { filters = 3, kernel = 3 },
  upsample2d { size = 2 },
}

return autoencoder "other" {
  input = { 16, 16, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 16, epochs = 1 },
}
