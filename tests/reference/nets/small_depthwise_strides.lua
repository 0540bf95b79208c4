local encoder = sequential "encoder" {
  separable_conv2d { filters = 9, kernel = 3, stride = 2, activation = "sigmoid" },
  depthwise_conv2d { kernel = 4, stride = 3, dilation = { 2, 1 }, depth_multiplier = 2, activation = "softplus" },
}
local decoder = sequential "decoder" {
  upsample2d { size = 6 },
  depthwise_conv2d { kernel = { 1, 3 }, stride = { 1, 1 }, padding = { 0, 1 } },
  separable_conv2d { filters = 2, kernel = { 3, 1 }, padding = 1, stride = { 1, 1 }, activation = "tanh" },
  depthwise_conv2d { kernel = { 1, 3 }, padding = "valid" },
}
return autoencoder "net" {
  input = { 12, 12, 2 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mae", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
