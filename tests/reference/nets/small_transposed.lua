local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, stride = { 3, 2 }, activation = "tanh" },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 4, kernel = { 2, 3 }, stride = { 1, 2 }, padding = "valid", activation = "tanh" },
  conv2d_transpose { filters = 3, kernel = { 3, 2 }, stride = { 2, 1 }, padding = { 1, 1, 0, 1 }, output_padding = { 1, 0 }, activation = "elu" },
  conv2d_transpose { filters = 2, kernel = { 3, 2 }, stride = { 1, 1 }, output_padding = { 0, 1 } },
  conv2d { filters = 2, kernel = { 2, 2 }, padding = "valid" },
}
return autoencoder "net" {
  input = { 10, 11, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
