-- 224x224x3 -> conv/2 112x112x32 -> conv/2 56x56x64 -> conv/2 28x28x128 (latent) -> deconv
-- 56x56x128 -> deconv 112x112x16 -> deconv 224x224x3
--
-- No pools and no upsampling: convolutions of stride 2 shrink the image, transposed ones enlarge
-- it. A quarter of cae.lua's multiply-adds in the encoder.

local encoder = sequential "encoder" {
  conv2d { filters = 32, kernel = 3, stride = 2, activation = "relu" },
  conv2d { filters = 64, kernel = 3, stride = 2, activation = "relu" },
  conv2d { filters = 128, kernel = 3, stride = 2, activation = "relu" },
}

local decoder = sequential "decoder" {
  conv2d_transpose { filters = 128, kernel = 3, activation = "relu" },
  conv2d_transpose { filters = 16, kernel = 3, activation = "relu" },
  conv2d_transpose { filters = 3, kernel = 3, activation = "relu" },
}

return autoencoder "cae_strided" {
  input = { 224, 224, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 64, epochs = 40 },
}
