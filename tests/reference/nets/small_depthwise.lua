local encoder = sequential "encoder" {
  depthwise_conv2d { kernel = 3, depth_multiplier = 3, activation = "tanh" },
  max_pool2d { size = 3 },
  depthwise_conv2d { kernel = { 2, 5 }, padding = { 1, 4, 0, 4 }, dilation = { 1, 2 }, activation = "elu" },
}
local decoder = sequential "decoder" {
  upsample2d { size = 3 },
  separable_conv2d { filters = 8, kernel = 5, activation = "relu" },
  separable_conv2d { filters = 3, kernel = 3, depth_multiplier = 2, dilation = 2 },
}
return autoencoder "net" {
  input = { 9, 12, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
