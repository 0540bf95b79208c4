local encoder = sequential "encoder" {
  conv2d { filters = 8, kernel = 3, groups = 2, activation = "tanh" },
  max_pool2d { size = 2 },
  conv2d { filters = 9, kernel = { 4, 3 }, stride = 2, activation = "elu" },
  conv2d { filters = 5, kernel = { 1, 2 }, dilation = { 1, 2 }, activation = "tanh" },
}
local decoder = sequential "decoder" {
  conv2d_transpose { filters = 9, kernel = { 1, 2 }, stride = 1, dilation = { 1, 2 }, activation = "elu", tied = "encoder.conv3" },
  conv2d_transpose { filters = 8, kernel = { 4, 3 }, activation = "tanh", tied = "encoder.conv2" },
  upsample2d { size = 2 },
  conv2d_transpose { filters = 4, kernel = 3, stride = 1, groups = 2, tied = "encoder.conv1" },
}
return autoencoder "net" {
  input = { 8, 12, 4 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
