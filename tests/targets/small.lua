-- What graphs/cae.lua has not: smooth activations, a dense layer, a norm, transposed convolution.
-- Plain descent, so that a step shows the gradient.
return autoencoder "net" {
  input = { 16, 16, 3 },
  encoder = sequential "encoder" {
    conv2d { filters = 8, kernel = 3, activation = "elu" },
    max_pool2d { size = 2 },
    conv2d { filters = 8, kernel = 5, stride = 2 },
    group_norm { groups = 2 },
    tanh {},
    flatten {},
    dense { units = 24, activation = "softplus" },
  },
  decoder = sequential "decoder" {
    dense { units = 64, activation = "leaky_relu" },
    reshape { shape = { 4, 4, 4 } },
    conv2d_transpose { filters = 6, kernel = 3, activation = "tanh" },
    upsample2d { size = 2 },
    conv2d { filters = 3, kernel = 3, activation = "sigmoid" },
  },
  training = { loss = "bce", optimizer = sgd { lr = 0.5, momentum = 0.9 } },
}
