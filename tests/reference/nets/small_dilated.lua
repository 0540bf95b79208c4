local encoder = sequential "encoder" {
  conv2d { filters = 5, kernel = 3, dilation = { 2, 3 }, activation = "tanh" },
  conv2d { filters = 6, kernel = 3, stride = 2, dilation = 3, activation = "tanh" },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 4, kernel = 3, dilation = 3, activation = "tanh" },
  conv2d { filters = 2, kernel = { 3, 2 }, dilation = 2, padding = 2 },
  conv2d { filters = 2, kernel = { 1, 3 }, padding = "valid" },
}
return autoencoder "net" {
  input = { 8, 10, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
