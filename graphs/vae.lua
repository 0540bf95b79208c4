-- 64x64x3 -> conv 32x32x32 -> conv 16x16x64 -> conv 8x8x128 -> dense 2 x 64 -> sample 64 (latent)
--         -> dense 8x8x128 -> deconv 16x16x64 -> deconv 32x32x32 -> deconv 64x64x3
--
-- A variational autoencoder (Kingma and Welling 2014). The encoder gives each latent number a mean
-- and the logarithm of a variance, and training decodes what it draws from them; the loss holds
-- them to the standard normal distribution. So numbers drawn from that one decode to pictures that
-- nobody took: vae-infer sample 16 -o OUT.png.
--
-- kl_weight: 1 beside "mse" is for pictures whose every value is uncertain by sqrt(1 / 2), of a
-- range of 1; those of an uncertainty s want 2 s^2. 0.01: they are uncertain by 0.07.

local encoder = sequential "encoder" {
  conv2d { filters = 32, kernel = 4, stride = 2, activation = "relu" },
  conv2d { filters = 64, kernel = 4, stride = 2, activation = "relu" },
  conv2d { filters = 128, kernel = 4, stride = 2, activation = "relu" },
  flatten {},
  dense { units = 2 * 64 },
  gaussian_sample { kl_weight = 0.01, warmup = 4 },
}

local decoder = sequential "decoder" {
  dense { units = 8 * 8 * 128, activation = "relu" },
  reshape { shape = { 8, 8, 128 } },
  conv2d_transpose { filters = 64, kernel = 4, stride = 2, activation = "relu" },
  conv2d_transpose { filters = 32, kernel = 4, stride = 2, activation = "relu" },
  conv2d_transpose { filters = 3, kernel = 4, stride = 2, activation = "sigmoid" },
}

return autoencoder "vae" {
  input = { 64, 64, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 32, epochs = 40 },
}
