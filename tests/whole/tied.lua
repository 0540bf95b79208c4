-- 16x16x3 -> conv 8x8x6 -> dense 20 (latent) -> dense 8x8x6 -> deconv 16x16x3
--
-- The decoder has the kernels of the encoder.

local encoder = sequential "encoder" {
  conv2d { filters = 6, kernel = 3, stride = 2, activation = "tanh" },
  flatten {},
  dropout { rate = 0.1 },
  dense { units = 20, activation = "elu" },
}

local decoder = sequential "decoder" {
  dense { units = 384, activation = "tanh", tied = "encoder.dense1" },
  reshape { shape = { 8, 8, 6 } },
  conv2d_transpose { filters = 3, kernel = 3, activation = "sigmoid", tied = "encoder.conv1" },
}

return autoencoder "tied" {
  input = { 16, 16, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-2 }, batch = 10, epochs = 2 },
}
