local encoder = sequential "encoder" {
  conv2d { filters = 6, kernel = 3, groups = 2, activation = "tanh" },
  max_pool2d { size = 2 },
  conv2d { filters = 9, kernel = { 3, 2 }, groups = 3, dilation = { 1, 2 }, activation = "tanh" },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 6, kernel = 3, groups = 3, activation = "tanh" },
  conv2d { filters = 4, kernel = 3, groups = 2 },
}
return autoencoder "net" {
  input = { 8, 6, 4 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
