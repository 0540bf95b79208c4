#!lua
--[==[ long
]==] return [=[
]]]=] .. "\z  \x41\65\u{20AC}" -- end