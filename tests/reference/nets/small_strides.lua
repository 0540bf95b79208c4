local encoder = sequential "encoder" {
  conv2d { filters = 5, kernel = 3, stride = 3, activation = "softplus" },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 4, kernel = 4, stride = 3, activation = "leaky_relu" },
  conv2d { filters = 1, kernel = 3, activation = "sigmoid" },
}
return autoencoder "net" {
  input = { 9, 12, 1 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
