local encoder = sequential "encoder" {
  conv2d { filters = 9, kernel = 3 },
  batch_norm { momentum = 0.9, eps = 0.01 },
  relu {  },
  max_pool2d { size = 2 },
  conv2d { filters = 5, kernel = 3, activation = "tanh" },
  batch_norm {  },
}
local decoder = sequential "decoder" {
  conv2d { filters = 6, kernel = 3 },
  batch_norm { momentum = 0.5 },
  avg_pool2d { size = { 2, 3 } },
  upsample2d { size = { 6, 11 } },
  conv2d { filters = 4, kernel = { 4, 1 }, padding = "valid" },
  batch_norm { eps = 0.1 },
  elu {  },
  conv2d { filters = 3, kernel = 3 },
}
return autoencoder "net" {
  input = { 9, 11, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
