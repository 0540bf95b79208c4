local encoder = sequential "encoder" {
  conv2d { filters = 5, kernel = 3 },
  layer_norm {  },
  prelu {  },
  conv2d { filters = 9, kernel = 3, stride = 2 },
  instance_norm { eps = 0.01 },
  softmax {  },
}
local decoder = sequential "decoder" {
  flatten {  },
  layer_norm {  },
  prelu {  },
  dense { units = 48, activation = "softmax" },
  reshape { shape = { 4, 6, 2 } },
  conv2d { filters = 2, kernel = 3 },
}
return autoencoder "net" {
  input = { 4, 6, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
