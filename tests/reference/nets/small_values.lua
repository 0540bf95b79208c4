local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 4, stride = 2, activation = "elu" },
  tanh {  },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 3, kernel = 5, activation = "sigmoid" },
  conv2d { filters = 2, kernel = 1, activation = "sigmoid" },
  upsample2d { size = 2 },
  avg_pool2d { size = 2 },
}
return autoencoder "net" {
  input = { 8, 6, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
