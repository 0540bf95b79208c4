local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, padding = "valid", activation = "tanh" },
  conv2d { filters = 3, kernel = 3, stride = 2, activation = "relu" },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 4, kernel = 6, activation = "relu" },
  softplus {  },
  upsample2d { size = 2 },
  conv2d { filters = 3, kernel = 7, padding = "valid" },
  conv2d { filters = 2, kernel = 2, padding = "valid" },
}
return autoencoder "net" {
  input = { 9, 9, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
