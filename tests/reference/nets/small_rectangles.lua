local encoder = sequential "encoder" {
  conv2d { filters = 5, kernel = { 2, 5 }, activation = "tanh" },
  conv2d { filters = 4, kernel = { 4, 1 }, stride = { 1, 2 }, padding = { 2, 0, 1, 0 }, activation = "elu" },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 4, kernel = { 3, 4 }, stride = { 1, 2 }, activation = "tanh" },
  conv2d { filters = 3, kernel = { 1, 3 }, padding = { 0, 1 } },
}
return autoencoder "net" {
  input = { 9, 12, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
