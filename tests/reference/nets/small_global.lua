local encoder = sequential "encoder" {
  conv2d { filters = 5, kernel = 3, activation = "relu" },
  max_pool2d { size = 2, stride = { 1, 2 }, padding = 1 },
  conv2d { filters = 4, kernel = 2, activation = "tanh" },
  global_avg_pool2d {  },
  dense { units = 6, activation = "tanh" },
}
local decoder = sequential "decoder" {
  dense { units = 30, activation = "elu" },
  reshape { shape = { 6, 5, 1 } },
  conv2d { filters = 4, kernel = 3, activation = "tanh" },
  global_max_pool2d {  },
  dense { units = 30 },
  reshape { shape = { 6, 5, 1 } },
}
return autoencoder "net" {
  input = { 6, 5, 1 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mae", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
