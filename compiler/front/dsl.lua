-- dsl.lua: the words of the graph language, and the sandbox that a graph file runs in.
--
-- load.c calls this chunk with the marked text of the graph file (source.h), its name, and the
-- words; the results are the table that `autoencoder` made and `word_of`. A word makes a plain
-- table: { word =, at = its token, line =, args = { ... } }; load.c checks all that is in it.
local text, file, layer_words, loss_words, optimizer_words, schedule_words = ...

local getinfo, strmeta = debug.getinfo, getmetatable("")
local lua_type, lua_error, lua_tostring, raw_tonumber = type, error, tostring, tonumber
local sub, find, format, rep = string.sub, string.find, string.format, string.rep
local sort = table.sort

local TEXT_LIMIT = 100000       -- longest string that string.rep and table.concat may make
-- longest list that table.sort, table.insert and table.remove may work on
local LIST_LIMIT = 10000
local word_of = {}              -- function -> the word it stands for
local env = {}

-- The line of the graph file that is being run.
local function line_now()
  for level = 3, 30 do
    local info = getinfo(level, "Sl")
    if not info then return nil end
    if info.source == "@" .. file then return info.currentline end
  end
end

-- Errors that name a place travel as tables; load.c prints them.
local function refuse(message, name, line)
  lua_error({ message = message, name = name, line = line or line_now() }, 0)
end

local function line_of_caller()
  local info = getinfo(3, "l")
  return info and info.currentline or 0
end

-- A word that was called as `word { ... }` or `word "name" { ... }`. `at` is nil where it was
-- called through another name.
local function make(word, wants_name, at, line, first)
  if not wants_name then
    return { word = word, at = at, line = line, args = first }
  end
  return function(args)
    return { word = word, at = at, line = line, name = first, args = args }
  end
end

local function define(word, wants_name)
  local function call(first)
    return make(word, wants_name, nil, line_of_caller(), first)
  end
  word_of[call] = { word = word, wants_name = wants_name }
  env[word] = call
end

for _, word in ipairs(layer_words) do define(word, false) end
for _, word in ipairs(loss_words) do define(word, false) end
for _, word in ipairs(optimizer_words) do define(word, false) end
for _, word in ipairs(schedule_words) do define(word, false) end
define("sequential", true)
define("autoencoder", true)

function env.__at(at, value)
  local known = word_of[value]
  if not known then return value end
  return function(first)
    return make(known.word, known.wants_name, at, nil, first)
  end
end

-- Lua's own libraries, as far as they are bounded and give the same result on every machine. Left
-- out: pattern matching (cannot be interrupted), random numbers, everything that reads files, time,
-- addresses or the order of a hash.
local function plain(value, where)
  local t = lua_type(value)
  if t == "table" or t == "function" then
    refuse(where .. ": a " .. t .. " cannot be shown as text")
  end
  return value
end

env.type, env.select, env.tonumber, env.ipairs = lua_type, select, raw_tonumber, ipairs
env.assert = function(ok, message, ...)
  if not ok then lua_error(message == nil and "assertion failed!" or plain(message, "assert"),
      2) end
  return ok, message, ...
end
env.error = function(message) lua_error(plain(message, "error"), 2) end
env.tostring = function(value)      -- whole numbers without a point, whatever Lua says
  plain(value, "tostring")
  if lua_type(value) == "number" and value == math.floor(value) and math.abs(value) < 2 ^ 53 then
      return format("%d", value) end
  return lua_tostring(value)
end
env.unpack = unpack or table.unpack

local function want_table(t, where)
  if lua_type(t) ~= "table" then refuse(where .. ": wants a table, not a " .. lua_type(t)) end
end

function env.pairs(t)               -- in a fixed order: numbers, then names, each sorted
  want_table(t, "pairs")
  local numbers, names = {}, {}
  for k in next, t do
    if lua_type(k) == "number" then numbers[#numbers + 1] = k
    elseif lua_type(k) == "string" then names[#names + 1] = k
    else refuse("pairs: keys must be numbers or names") end
  end
  sort(numbers)
  sort(names)
  for i = 1, #names do numbers[#numbers + 1] = names[i] end
  local i = 0
  return function()
    i = i + 1
    if numbers[i] ~= nil then return numbers[i], t[numbers[i]] end
  end
end

env.math = {}                   -- what both Luas have
for _, name in ipairs { "abs", "ceil", "floor", "max", "min", "sqrt", "exp", "log", "sin", "cos",
    "tan", "asin", "acos", "atan", "fmod", "modf",
                        "deg", "rad", "pi", "huge" } do
  env.math[name] = math[name]
end

env.string = { byte = string.byte, char = string.char, len = string.len, lower = string.lower,
    reverse = string.reverse,
               sub = string.sub, upper = string.upper }
function env.string.rep(s, n, separator)
  s, separator = lua_tostring(plain(s, "string.rep")),
      lua_tostring(plain(separator or "", "string.rep"))
  n = raw_tonumber(n) or refuse("string.rep: how many times?")
  if n > TEXT_LIMIT or (n > 0 and (#s + #separator) * n > TEXT_LIMIT) then
    refuse(format("string.rep: more than %d characters", TEXT_LIMIT))
  end
  return rep(s, n, separator)
end
function env.string.format(pattern, ...)
  for i = 1, select("#", ...) do plain((select(i, ...)), "string.format") end
  pattern = lua_tostring(plain(pattern, "string.format"))
  if #pattern > LIST_LIMIT then refuse(format("string.format: more than %d characters", LIST_LIMIT))
      end
  if find(pattern, "%%[-+ #0-9.]*p") then refuse("string.format: no addresses") end
  return format(pattern, ...)
end
strmeta.__index = env.string        -- ("x"):rep(...) reaches the same functions
strmeta.__metatable = false

env.table = { unpack = env.unpack }
-- these take time with the length of the list, uninterrupted
for _, name in ipairs { "sort", "insert", "remove" } do
  local f = table[name]
  env.table[name] = function(t, ...)
    want_table(t, "table." .. name)
    if #t > LIST_LIMIT then refuse(format("table.%s: more than %d values", name, LIST_LIMIT)) end
    -- and sorting with that of the strings it compares
    local size = 0
    for i = 1, name == "sort" and #t or 0 do
      if lua_type(t[i]) == "string" then size = size + #t[i] end
    end
    if size > TEXT_LIMIT then refuse(format("table.sort: more than %d characters", TEXT_LIMIT)) end
    local place = name == "insert" and select("#", ...) > 1 and raw_tonumber((...))
    if place and not (place >= 1 and place <= #t + 1) then
        refuse("table.insert: a place outside the list") end
    return f(t, ...)
  end
end
function env.table.concat(t, separator, from, to)
  local size = 0
  want_table(t, "table.concat")
  separator = separator or ""
  for i = from or 1, to or #t do
    size = size + #lua_tostring(plain(t[i], "table.concat")) + #separator
    if size > TEXT_LIMIT then refuse(format("table.concat: more than %d characters", TEXT_LIMIT))
        end
  end
  return table.concat(t, separator, from, to)
end

setmetatable(env, {
  __index = function(_, name)
    local info = getinfo(2, "l")
    refuse("unknown word '" .. lua_tostring(name) .. "'", lua_tostring(name), info and
        info.currentline)
  end,
  __metatable = false,
})

local chunk, message = load(text, "@" .. file, "t", env)
if not chunk then lua_error(message, 0) end
local model = chunk()
if word_of[model] or lua_type(model) == "function" then
  refuse("the file returns an unfinished `autoencoder`; "
    .. "it ends with: return autoencoder \"name\" { ... }")
end
return model, word_of
