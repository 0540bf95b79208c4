-- 224x224x3 -> conv 224x224x32 -> pool 112x112x32 -> conv 112x112x64 -> pool 56x56x64 -> conv
-- 56x56x128 -> pool 28x28x128 (latent)
--           -> deconv 56x56x128 -> deconv 112x112x16 -> deconv 224x224x3
--
-- cae.lua with learned upsampling: transposed convolutions of stride 2 enlarge the image and
-- convolve it at once. As many weights and multiply-adds as cae.lua, but no pixel is merely
-- repeated.

local encoder = sequential "encoder" {
  conv2d { filters = 32, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
  conv2d { filters = 64, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
  conv2d { filters = 128, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
}

local decoder = sequential "decoder" {
  conv2d_transpose { filters = 128, kernel = 3, activation = "relu" },
  conv2d_transpose { filters = 16, kernel = 3, activation = "relu" },
  conv2d_transpose { filters = 3, kernel = 3, activation = "relu" },
}

return autoencoder "cae_deconv" {
  input = { 224, 224, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 64, epochs = 40 },
}
