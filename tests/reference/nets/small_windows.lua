local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, activation = "tanh" },
  max_pool2d { size = 3, stride = 2, padding = "same" },
  avg_pool2d { size = { 2, 3 }, stride = 1, padding = { 1, 1, 0, 1 } },
  max_pool2d { size = { 2, 1 } },
  conv2d { filters = 3, kernel = 2, activation = "elu" },
}
local decoder = sequential "decoder" {
  flatten {  },
  dense { units = 84 },
  reshape { shape = { 7, 6, 2 } },
}
return autoencoder "net" {
  input = { 7, 6, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
