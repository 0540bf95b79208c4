local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, activation = "tanh", trainable = false },
  max_pool2d { size = 2 },
  conv2d { filters = 6, kernel = 3, activation = "tanh" },
  layer_norm { trainable = false },
}
local decoder = sequential "decoder" {
  conv2d { filters = 6, kernel = 3, activation = "elu", trainable = false },
  upsample2d { size = 2 },
  prelu {  },
  conv2d { filters = 3, kernel = 3 },
}
return autoencoder "net" {
  input = { 8, 8, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
