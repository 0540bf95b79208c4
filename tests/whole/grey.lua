-- 20x36x1 -> conv 20x36x4 -> pool 10x18x4 -> flat 720 -> dense 40 -> dense 9 (latent)
--         -> dense 64 -> dense 360 -> 10x18x2 -> up 20x36x2 -> conv 20x36x1
--
-- Grey pictures that are not square, and dense layers between convolutions.

local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
  flatten {},
  dense { units = 40, activation = "tanh" },
  dense { units = 9 },
}

local decoder = sequential "decoder" {
  dense { units = 64, activation = "elu" },
  dense { units = 360, activation = "leaky_relu" },
  reshape { shape = { 10, 18, 2 } },
  upsample2d { size = 2 },
  conv2d { filters = 1, kernel = 3, activation = "sigmoid" },
}

return autoencoder "grey" {
  input = { 20, 36, 1 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
