local encoder = sequential "encoder" {
  zero_pad2d { padding = { 1, 0, 0, 2 } },
  rescale { scale = { 2, 0.5, -1.25 }, offset = { -1, 0.25, 0.5 } },
  conv2d { filters = 4, kernel = 3, activation = "tanh" },
  space_to_depth { size = 2 },
  conv2d { filters = 5, kernel = 3, activation = "elu" },
  crop2d { padding = { 1, 2, 1, 0 } },
}
local decoder = sequential "decoder" {
  upsample2d { size = { 3, 2 }, interpolation = "bilinear" },
  conv2d { filters = 12, kernel = 3, activation = "tanh" },
  depth_to_space { size = 2 },
  rescale { scale = 0.75 },
  upsample2d { size = { 1, 2 } },
  conv2d { filters = 3, kernel = 2 },
  upsample2d { size = 2, interpolation = "bilinear" },
  crop2d { padding = { 8, 30, 9, 24 } },
}
return autoencoder "net" {
  input = { 7, 10, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 8, epochs = 1 },
}
