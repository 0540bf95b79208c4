local encoder = sequential "encoder" {
  flatten {  },
  dense { units = 20 },
  batch_norm { momentum = 0.9 },
  relu {  },
  dense { units = 5, activation = "tanh" },
}
local decoder = sequential "decoder" {
  dense { units = 48 },
  batch_norm { eps = 0.05 },
  sigmoid {  },
  reshape { shape = { 4, 6, 2 } },
}
return autoencoder "net" {
  input = { 4, 6, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
