-- 224x224x3 -> conv 224x224x16 -> pool 112x112x16 -> conv 112x112x32 -> pool 56x56x32 -> conv
-- 56x56x64 -> pool 28x28x64
--           -> conv 28x28x64 -> conv 28x28x64 and the pooled 28x28x64 added (latent)
--           -> up 56x56x64, beside it 16 channels of the encoder's 56x56x64 -> conv 56x56x32
--           -> up 112x112x32, beside it 4 channels of the encoder's 112x112x32 -> conv 112x112x16
--               -> up 224x224x16 -> conv 224x224x3
--
-- A small U-Net (Ronneberger, Fischer and Brox 2015) as autoencoder. Full skips would copy the
-- image past the latent and leave nothing to learn, so each skip is squeezed by a 1x1 convolution
-- and there is none at full size: the coarse picture must come through the latent, and the skips
-- bring back the edges that pooling lost. What a reader sees: reconstructions sharper than those of
-- cae.lua with fewer weights, but a latent that alone is no picture: unet_ae-infer refuses `decode`
-- and `interpolate`.

local function conv(filters, kernel) return conv2d { filters = filters, kernel = kernel or 3,
    activation = "relu" } end

-- One step up: the way from below goes on under `name`, a thin branch from the encoder's layer
-- joins it.
local function join(name, layer, thin, filters)
  return { upsample2d { size = 2, name = name }, from { layer = layer }, conv(thin, 1),
      concat { with = "decoder." .. name }, conv(filters) }
end

local encoder = sequential "encoder" {
  conv(16), max_pool2d { size = 2 },
  conv(32), max_pool2d { size = 2 },
  conv(64), max_pool2d { size = 2 },
  conv(64), conv(64), add { with = "encoder.pool3" },
}

local decoder = sequential "decoder" {
  join("coarse", "encoder.conv3", 16, 32),
  join("fine", "encoder.conv2", 4, 16),
  upsample2d { size = 2 },
  conv2d { filters = 3, kernel = 3 },
}

return autoencoder "unet_ae" {
  input = { 224, 224, 3 },
  encoder = encoder,
  decoder = decoder,
  training = { loss = "mse", optimizer = adam { lr = 1e-3 }, batch = 64, epochs = 40 },
}
