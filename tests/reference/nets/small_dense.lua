local encoder = sequential "encoder" {
  flatten {  },
  dense { units = 20, activation = "relu" },
  dense { units = 5, activation = "tanh" },
}
local decoder = sequential "decoder" {
  dense { units = 16, activation = "elu" },
  dense { units = 48, activation = "sigmoid" },
  reshape { shape = { 4, 6, 2 } },
}
return autoencoder "net" {
  input = { 4, 6, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
