-- 1x1024x3 -> conv/2 1x512x32 -> conv/2 1x256x48 -> conv/2 1x128x64 -> conv 1x128x64 -> conv/2
-- 1x64x64 -> conv 1x64x8 (latent)
--          -> conv 1x64x64 -> deconv 1x128x64 -> conv 1x128x64 -> deconv 1x256x48 -> deconv
--              1x512x32 -> deconv 1x1024x3
--
-- Signals instead of pictures: 1024 samples of three sensors are an image of one row, so kernels
-- and strides are { 1, k }. The latent has 512 numbers for 3072 values: enough for what the
-- sensors of one machine usually show together, too few for anything else. So the signals with
-- the largest errors in signal_ae-infer score are the unusual ones: anomalies. Without --train
-- the trainer makes signals up; `signal_ae-train pictures --anomalies` spoils each.

local encoder = sequential "encoder" {
  conv2d { filters = 32, kernel = { 1, 7 }, stride = { 1, 2 }, activation = "relu" },
  conv2d { filters = 48, kernel = { 1, 5 }, stride = { 1, 2 }, activation = "relu" },
  conv2d { filters = 64, kernel = { 1, 5 }, stride = { 1, 2 }, activation = "relu" },
  conv2d { filters = 64, kernel = { 1, 3 }, activation = "relu" },
  conv2d { filters = 64, kernel = { 1, 5 }, stride = { 1, 2 }, activation = "relu" },
  conv2d { filters = 8, kernel = { 1, 3 } },
}

local decoder = sequential "decoder" {
  conv2d { filters = 64, kernel = { 1, 3 }, activation = "relu" },
  conv2d_transpose { filters = 64, kernel = { 1, 4 }, stride = { 1, 2 }, activation = "relu" },
  conv2d { filters = 64, kernel = { 1, 3 }, activation = "relu" },
  conv2d_transpose { filters = 48, kernel = { 1, 4 }, stride = { 1, 2 }, activation = "relu" },
  conv2d_transpose { filters = 32, kernel = { 1, 4 }, stride = { 1, 2 }, activation = "relu" },
  conv2d_transpose { filters = 3, kernel = { 1, 4 }, stride = { 1, 2 } },
}

return autoencoder "signal_ae" {
  input = { 1, 1024, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, schedule = cosine { warmup = 1 },
      batch = 32, epochs = 40 },
}
