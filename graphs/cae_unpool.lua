-- 224x224x3 -> conv 224x224x32 -> pool 112x112x32 -> conv 112x112x64 -> pool 56x56x64 -> conv
-- 56x56x128 -> pool 28x28x128 (latent)
--           -> conv 28x28x128 -> unpool 56x56x128 -> conv 56x56x64 -> unpool 112x112x64 -> conv
--               112x112x32 -> unpool 224x224x32 -> conv 224x224x3
--
-- cae.lua with another way to grow: each value goes back to the place where the encoder's pool
-- found its maximum, zeros around it, and a convolution fills them in. Edges keep their place to
-- the pixel, which upsampling cannot do; the price is that the latent alone no longer makes a
-- picture, since the places stay behind in the encoder: cae_unpool-infer refuses `decode` and
-- `interpolate`.

local filters = { 32, 64, 128 }
local encoder, decoder = {}, {}

for i = 1, 3 do
  encoder[i] = { conv2d { filters = filters[i], kernel = 3, activation = "relu" },
      max_pool2d { size = 2 } }
  decoder[i] = { conv2d { filters = filters[4 - i], kernel = 3, activation = "relu" },
      max_unpool2d { pool = "encoder.pool" .. 4 - i } }
end
decoder[4] = conv2d { filters = 3, kernel = 3 }

return autoencoder "cae_unpool" {
  input = { 224, 224, 3 },
  encoder = sequential "encoder" (encoder),
  decoder = sequential "decoder" (decoder),
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 64, epochs = 40 },
}
