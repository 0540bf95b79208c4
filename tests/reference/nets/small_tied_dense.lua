local encoder = sequential "encoder" {
  flatten {  },
  dense { units = 20, activation = "tanh" },
  dense { units = 5, activation = "elu" },
}
local decoder = sequential "decoder" {
  dense { units = 20, activation = "softplus", tied = "encoder.dense2" },
  dense { units = 48, tied = "encoder.dense1" },
  tanh {  },
  dense { units = 20, activation = "tanh" },
  dense { units = 48, activation = "sigmoid", tied = "encoder.dense1" },
  reshape { shape = { 4, 6, 2 } },
}
return autoencoder "net" {
  input = { 4, 6, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
