-- 224x224x3 -> conv 224x224x32 -> pool 112x112x32 -> conv 112x112x64 -> pool 56x56x64 -> conv
-- 56x56x128 -> pool 28x28x128 (latent)
--           -> conv 28x28x128 -> up 56x56x128 -> conv 56x56x16 -> up 112x112x16 -> conv 112x112x3
--               -> up 224x224x3
--
-- The convolutional autoencoder that squeezes pictures of dogs into an eighth of their sides and
-- draws them again.

local encoder = sequential "encoder" {
  conv2d { filters = 32, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
  conv2d { filters = 64, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
  conv2d { filters = 128, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
}

local decoder = sequential "decoder" {
  conv2d { filters = 128, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
  conv2d { filters = 16, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
  conv2d { filters = 3, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
}

return autoencoder "cae" {
  input = { 224, 224, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 64, epochs = 40 },
}
