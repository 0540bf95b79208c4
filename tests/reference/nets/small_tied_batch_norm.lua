local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3 },
  batch_norm { momentum = 0.9 },
  tanh {  },
  flatten {  },
  dense { units = 10 },
  batch_norm {  },
  elu {  },
}
local decoder = sequential "decoder" {
  dense { units = 96, tied = "encoder.dense1" },
  reshape { shape = { 4, 6, 4 } },
  batch_norm { momentum = 0.5 },
  tanh {  },
  conv2d_transpose { filters = 2, kernel = 3, stride = 1, activation = "sigmoid", tied = "encoder.conv1" },
}
return autoencoder "net" {
  input = { 4, 6, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
