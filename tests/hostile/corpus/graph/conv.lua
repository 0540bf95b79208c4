-- conv and pool
return autoencoder "net" {
  input = { 8, 8, 3 },
  encoder = sequential "encoder" { conv2d { filters = 4, kernel = 3, activation = "relu" }, max_pool2d { size = 2 } },
  decoder = sequential "decoder" { upsample2d { size = 2 }, conv2d { filters = 3, kernel = 3 } },
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, schedule = cosine { warmup = 1 }, batch = 4, epochs = 3 },
}
