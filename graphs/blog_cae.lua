-- 28x28x1 -> conv 28x28x16 -> pool 14x14x16 -> conv 14x14x8 -> pool 7x7x8 -> conv 7x7x8 -> pool
-- 4x4x8 (latent)
--         -> conv 4x4x8 -> up 8x8x8 -> conv 8x8x8 -> up 16x16x8 -> conv 14x14x16 -> up 28x28x16
--             -> conv 28x28x1
--
-- The convolutional autoencoder of the Keras blog (Chollet 2016, "Building Autoencoders in
-- Keras"), for pictures of the size of MNIST's digits. 7 is odd, so the last pool pads to give
-- 4, not 3. Upsampling then makes 16 of it instead of 14, and the one convolution without
-- padding brings it back to 14.

local encoder = sequential "encoder" {
  conv2d { filters = 16, kernel = 3, activation = "relu" },
  max_pool2d { size = 2, padding = "same" },
  conv2d { filters = 8, kernel = 3, activation = "relu" },
  max_pool2d { size = 2, padding = "same" },
  conv2d { filters = 8, kernel = 3, activation = "relu" },
  max_pool2d { size = 2, padding = "same" },
}

local decoder = sequential "decoder" {
  conv2d { filters = 8, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
  conv2d { filters = 8, kernel = 3, activation = "relu" },
  upsample2d { size = 2 },
  conv2d { filters = 16, kernel = 3, padding = "valid", activation = "relu" },
  upsample2d { size = 2 },
  conv2d { filters = 1, kernel = 3, activation = "sigmoid" },
}

return autoencoder "blog_cae" {
  input = { 28, 28, 1 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 128, epochs = 50 },
}
