-- 28x28x1 -> flat 784 -> dense 128 -> dense 32 (latent)
--         -> dense 128 -> dense 784 -> 28x28x1
--
-- The fully connected autoencoder: every value of a layer depends on every value of the one before,
-- wherever it lies in the picture. It has no idea of neighbours, so it learns the pictures of its
-- training set rather than pictures; for small grey ones that is enough.

local encoder = sequential "encoder" {
  flatten {},
  dense { units = 128, activation = "relu" },
  dense { units = 32 },
}

local decoder = sequential "decoder" {
  dense { units = 128, activation = "relu" },
  dense { units = 784, activation = "sigmoid" },
  reshape { shape = { 28, 28, 1 } },
}

return autoencoder "dense_ae" {
  input = { 28, 28, 1 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 64, epochs = 100 },
}
