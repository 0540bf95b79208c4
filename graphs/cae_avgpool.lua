-- 224x224x3 -> conv 224x224x32 -> mean 112x112x32 -> conv 112x112x64 -> mean 56x56x64 -> conv
-- 56x56x128 -> mean 28x28x128 (latent)
--           -> conv 28x28x128 -> up 56x56x128 -> conv 56x56x16 -> up 112x112x16 -> conv 112x112x3
--               -> up 224x224x3
--
-- cae.lua with average pooling: every pixel of a window counts, not the largest alone.

local encoder = sequential "encoder" {
  conv2d { filters = 32, kernel = 3, activation = "relu" },
  avg_pool2d { size = 2 },
  conv2d { filters = 64, kernel = 3, activation = "relu" },
  avg_pool2d { size = 2 },
  conv2d { filters = 128, kernel = 3, activation = "relu" },
  avg_pool2d { size = 2 },
}

local decoder = sequential "decoder" {
  conv2d { filters = 128, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
  conv2d { filters = 16, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
  conv2d { filters = 3, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
}

return autoencoder "cae_avgpool" {
  input = { 224, 224, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 64, epochs = 40 },
}
