local encoder = sequential "encoder" {
  conv2d { filters = 4, kernel = 3, stride = 2, activation = "tanh" },
}
local decoder = sequential "decoder" {
  conv2d { filters = 2, kernel = 3, activation = "sigmoid" },
  upsample2d { size = 2 },
}
return autoencoder "net" {
  input = { 6, 10, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "bce", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
