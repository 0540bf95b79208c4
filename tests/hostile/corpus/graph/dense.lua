local e = sequential "e" { flatten {}, dense { units = 6, activation = "tanh" } }
local d = sequential "d" { dense { units = 12, activation = "sigmoid" }, reshape { shape = { 2, 2, 3 } } }
return autoencoder "net" { input = { 2, 2, 3 }, encoder = e, decoder = d, training = { loss = "bce", optimizer = sgd { momentum = 0.9 } } }
