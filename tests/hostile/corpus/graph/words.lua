local function block(n) return { conv2d { filters = n, kernel = 3, use_bias = false }, group_norm { groups = 1 }, leaky_relu { slope = 0.1 }, dropout { rate = 0.2 } } end
return autoencoder("n")({ input = { 8, 8, 3 }, encoder = sequential "e" { gaussian_noise { stddev = 0.1 }, block(4), avg_pool2d {} },
  decoder = sequential "d" { conv2d_transpose { filters = 3, kernel = 2 }, elu {} }, training = { loss = "mae", optimizer = adamw { weight_decay = 0.01 } } })
