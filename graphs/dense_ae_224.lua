-- 224x224x3 -> flat 150528 -> dense 128 -> dense 64 (latent)
--           -> dense 128 -> dense 150528 -> 224x224x3
--
-- The fully connected autoencoder on whole photographs: 39 million weights, 150 times those of the
-- convolutional one, nearly all of them in the first and the last layer. Its latent is tiny, 64
-- numbers, and what it draws is what pictures of the training set have in common.

local height, width, channels = 224, 224, 3

local encoder = sequential "encoder" {
  flatten {},
  dense { units = 128, activation = "relu" },
  dense { units = 64 },
}

local decoder = sequential "decoder" {
  dense { units = 128, activation = "relu" },
  dense { units = height * width * channels, activation = "sigmoid" },
  reshape { shape = { height, width, channels } },
}

return autoencoder "dense_ae_224" {
  input = { height, width, channels },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 2e-4 }, batch = 64, epochs = 40 },
}
