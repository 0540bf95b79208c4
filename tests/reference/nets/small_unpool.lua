local encoder = sequential "encoder" {
  conv2d { filters = 6, kernel = 3, activation = "tanh" },
  max_pool2d { size = 2 },
  conv2d { filters = 5, kernel = 3, activation = "elu" },
  max_pool2d { size = 2 },
  conv2d { filters = 4, kernel = 3, activation = "tanh" },
}
local decoder = sequential "decoder" {
  conv2d { filters = 5, kernel = 3, activation = "tanh" },
  max_unpool2d { pool = "encoder.pool2" },
  conv2d { filters = 6, kernel = 3, activation = "softplus" },
  max_unpool2d { pool = "encoder.pool1" },
  conv2d { filters = 3, kernel = 3 },
}
return autoencoder "net" {
  input = { 8, 12, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mae", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
