local encoder = sequential "encoder" {
  avg_pool2d { size = 3 },
  tanh {  },
  reshape { shape = { 3, 2, 2 } },
  conv2d { filters = 3, kernel = 2, activation = "elu" },
}
local decoder = sequential "decoder" {
  flatten {  },
  dense { units = 12, activation = "tanh" },
  reshape { shape = { 2, 3, 2 } },
  upsample2d { size = 3 },
  conv2d { filters = 2, kernel = 3 },
}
return autoencoder "net" {
  input = { 6, 9, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
