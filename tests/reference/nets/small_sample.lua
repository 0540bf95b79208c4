local encoder = sequential "encoder" {
  conv2d { filters = 8, kernel = 3, activation = "tanh" },
  gaussian_sample { kl_weight = 0.5 },
  conv2d { filters = 4, kernel = 3, stride = 2 },
  flatten {  },
  dense { units = 10 },
  gaussian_sample { kl_weight = 3, warmup = 2 },
}
local decoder = sequential "decoder" {
  dense { units = 48, activation = "elu" },
  gaussian_sample { kl_weight = 0 },
  dense { units = 96, activation = "sigmoid" },
  reshape { shape = { 6, 8, 2 } },
}
return autoencoder "net" {
  input = { 6, 8, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
