local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, activation = "relu" },
  max_pool2d { size = 2 },
  flatten {  },
  dense { units = 7, activation = "softplus" },
}
local decoder = sequential "decoder" {
  dense { units = 24 },
  leaky_relu {  },
  reshape { shape = { 2, 3, 4 } },
  conv2d_transpose { filters = 5, kernel = 3, activation = "tanh" },
  upsample2d { size = 2 },
  conv2d { filters = 3, kernel = 3 },
}
return autoencoder "net" {
  input = { 8, 12, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
