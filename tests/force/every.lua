-- 48x48x3 -> conv 24x24x8 -> avg_pool 12x12x12 -> 12x12x16 -> pool 6x6x16 (latent)
--         -> 6x6x16 -> unpool 12x12x16, beside it 12x12x12 -> 12x12x16 -> deconv 24x24x12 -> up
--             48x48x12 -> conv 48x48x3
--
-- Every operator but dense layers, whose products are OpenBLAS's.

local encoder = sequential "encoder" {
  gaussian_noise { stddev = 0.1 },
  conv2d { filters = 8, kernel = 5, stride = 2, activation = "softplus" },
  group_norm { groups = 2 },
  leaky_relu {},
  conv2d { filters = 12, kernel = 3, activation = "elu" },
  avg_pool2d { size = 2 },
  dropout { rate = 0.2 },
  conv2d { filters = 16, kernel = 1, activation = "tanh" },
  max_pool2d { size = 2 },
}

local decoder = sequential "decoder" {
  conv2d { filters = 16, kernel = 3 },
  add { with = "encoder.pool2" },
  max_unpool2d { pool = "encoder.pool2" },
  concat { with = "encoder.pool1" },
  conv2d { filters = 16, kernel = 3, activation = "relu" },
  conv2d_transpose { filters = 12, kernel = 3, activation = "sigmoid" },
  upsample2d { size = 2 },
  conv2d { filters = 3, kernel = 3, activation = "sigmoid" },
}

return autoencoder "every" {
  input = { 48, 48, 3 },
  encoder = encoder,
  decoder = decoder,
  training = {
    loss = "bce",
    optimizer = adamw { lr = 1e-3, weight_decay = 1e-2 },
    schedule = cosine { warmup = 0.5 },
    global_clip_norm = 1,
    batch = 8,
    epochs = 1,
    mirror = true,
  },
}
