return autoencoder "n" { input = { 6, 6, 3 },
 encoder = sequential "e" { conv2d { name = "a", filters = 3, kernel = 3, stride = 1 }, conv2d { filters = 3, kernel = 1 }, add { with = "e.a" }, max_pool2d { size = 2, name = "p" } },
 decoder = sequential "d" { max_unpool2d { pool = "e.p" }, concat { with = { "e.a" } }, conv2d { filters = 3, kernel = 3, padding = "same" } } }
