local encoder = sequential "encoder" {
  conv2d { filters = 5, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
}
local decoder = sequential "decoder" {
  conv2d { filters = 6, kernel = 3, activation = "tanh" },
  upsample2d { size = 2 },
  conv2d { filters = 4, kernel = 3, activation = "sigmoid" },
}
return autoencoder "net" {
  input = { 8, 12, 4 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
