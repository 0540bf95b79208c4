local t, s = {}, ("x"):rep(3) for i = 1, 4 do t[#t + 1] = i * 2 end
table.sort(t, function(a, b) return a > b end) for k, v in pairs({ b = 1, a = 2 }) do t[k] = v end
local x = table.concat(t, ",") .. string.format("%d %s %5.2f", 3, s, math.pi) .. tostring(1e3) assert(#x > 2, "no")
goto done if s == [[x]] then error("never") end ::done::
return autoencoder "n" { input = { 4, 4, math.max(1, 3) }, encoder = sequential "e" { conv2d { filters = t[1], kernel = 3 } }, decoder = sequential "d" { conv2d { filters = 3, kernel = 3 } } }
