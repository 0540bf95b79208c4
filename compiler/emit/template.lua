-- template.lua: C with holes.
--
-- A line whose first column is % is Lua; ${...} in any other line is a hole. One template line
-- becomes one line of a Lua chunk that is named after the template, so an error names the
-- template's own file and line. Five lines are special:
--   %+ TEXT            the line before goes on: TEXT comes after it and a space
--   %header            the includes that every emitted file starts with
--   %include FILE      from here on the fragments of another template can be called
--   %fragment NAME (a, b?)
--                      up to the next such line or the end of the file: a function of these
--                      parameters, `?`: may be left out. It is called with their names,
--                      NAME { a = 1, b = 2 }, puts its text where it is called, and may return a
--                      value. A file of fragments has no text outside of them.
--   %kernel (a, b?) -> (c, d?)
--                      the signature of the emitted function: inputs, then outputs; `?`: only
--                      where the step has such an argument in that role. The same list makes the
--                      call, so the two cannot disagree.
--                      `by N` after it: the work falls into N units (rows, strips) that threads
--                      may share; the function gets `first` and `last` and does those from first
--                      to last - 1.
--                      `of row` after it: it computes a row of a stream and must know which.
--                      `of n` after it: it computes a microbatch of `n` images at once, whose
--                      values lie one image after another.
-- scale(NAME) stands after a value of an argument that may be the image: pixels become reals.
--
-- A name that is not local is looked up among the functions below, then in the holes that C handed
-- over; an unknown name is an error, and so is an assignment to a name that is not local: what a
-- fragment needs besides the holes it is given as arguments, what it finds out it returns.
local embedded = ...        -- embedded(name): text and path of a file that caec carries

local LIMIT = 100           -- columns

local helpers = { format = string.format, ipairs = ipairs, pairs = pairs, math = math,
    string = string, table = table, type = type }
local unpack = table.unpack or unpack

-- Accumulators: a0 b0 c0 d0 for the vectors of the first pixel, a1 b1 ... for the next.
function helpers.lane(vector, pixel) return string.char(97 + vector) .. pixel end
-- Height, width and channels; a flat shape is one row of single values.
function helpers.image_shape(shape)
  if #shape == 1 then return 1, shape[1], 1 end
  return shape[1], shape[2], shape[3]
end
function helpers.plural(n) return n == 1 and "" or "s" end
function helpers.ceil_div(a, b) return math.floor((a + b - 1) / b) end
function helpers.ceil_to(a, b) return math.floor((a + b - 1) / b) * b end
-- " + 3", and so on; nothing where that would change nothing.
local function operation(operator, neutral)
  return function(n) return n == neutral and "" or string.format(" %s %d", operator, n) end
end
helpers.plus, helpers.minus = operation("+", 0), operation("-", 0)
helpers.times, helpers.over = operation("*", 1), operation("/", 1)

function helpers.list(n, f, separator)
  local parts = {}
  for i = 0, n - 1 do parts[i + 1] = f(i) end
  return table.concat(parts, separator or ", ")
end

-- A list of words broken into lines of at most LIMIT columns; all but the first are indented by
-- `indent`.
function helpers.wrap(first, words, last, indent)
  local lines, line = {}, first
  for i, word in ipairs(words) do
    local piece = word .. (i < #words and ", " or last)
    if #line + #piece > LIMIT + 1 and line ~= first then
      lines[#lines + 1] = (line:gsub("%s+$", ""))
      line = string.rep(" ", indent)
    end
    line = line .. piece
  end
  if #words == 0 then line = line .. last end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- A line that is too long, broken at a space: comments anywhere, code after a comma or before an
-- operator, strings and the rest not at all.
local function fit(line)
  if #line <= LIMIT or line:find('"') then return line end
  local indent = line:match("^ *")
  local star = line:match("^ %* +")           -- a line within a comment of several
  if star and #star > 3 then star = star .. "    " end
  local comment = star or line:match("^ */%*") ~= nil
  local at
  for i = LIMIT + 1, #indent + 20, -1 do
    local behind = line:sub(1, i - 1)
    if line:sub(i, i) == " " and (comment or behind:find(",$") or line:find("^ [=?:&|+*-]+ ", i))
        and behind:find("%S") then
      at = i
      break
    end
  end
  if not at then return line end
  local rest = (star or indent .. (comment and "   " or "    ")) .. line:sub(at + 1)
  if star then return line:sub(1, at - 1) .. "\n" .. fit(rest) end
  if comment then return line:sub(1, at - 1) .. "\n" .. fit("/*" .. rest):sub(3) end
  return line:sub(1, at - 1) .. "\n" .. fit(rest)
end

-- A constant of type real, or of the type given.
local function number(holes, x, given)
  local real = given or holes.real
  local text = string.format(real == "float" and "%.9g" or "%.17g", x)
  if not text:find("[.e]") then text = text .. ".0" end
  return real == "float" and text .. "f" or text
end

-- "c ? a : b", or "c ? a : d ? b : e", as c, a and the rest; nil where the text is no choice.
local function split_choice(text)
  local masked = text:gsub("%b()", function(inner) return string.rep("_", #inner) end)
  local question, colon = masked:find(" ? ", 1, true), masked:find(" : ", 1, true)
  if not question then return nil end
  return text:sub(1, question - 1), text:sub(question + 3, colon - 1), text:sub(colon + 3)
end

-- "n ? a : b" where n is a number of the activation's, as `approximate`: what it chooses.
local function settled(holes, text)
  local condition, yes, no = split_choice(text)
  local x = condition and holes.act_numbers[condition]
  if not x then return text end
  return x ~= 0 and yes or no
end

-- An expression of elementwise.def with its variables put in; float code calls the float functions.
local function expression(holes, text, values)
  if holes.real == "float" then text = text:gsub("(%a%w*)%(", "%1f(") end
  text = text:gsub("%f[%w_.]%d+%.%d+", function(constant) return number(holes, constant) end)
  return (text:gsub("%f[%w_](%a[%w_]*)%f[^%w_]", function(word) return values[word] end))
end

-- The same on vectors, where the expression calls no function: "c > 0 ? a : b" becomes
-- pick(above(c, zero), a, b). nil otherwise.
local function vector_expression(holes, text, values)
  if text:find("%a%w*%(") then return nil end
  local function put(part)
    local condition, yes, no = split_choice(part)
    if not condition then
      local whole = part:match("^%((.*)%)$")
      if whole and split_choice(whole) then return put(whole) end
      part = expression(holes, part, values)
      return part == "0" and "(vec){0}" or part:find("^-?[%d.]+f?$") and "(vec){0} + " .. part or
          part
    end
    local left, right = condition:match("^(.-) > (.-)$")
    if yes == left and no == right then return string.format("larger(%s, %s)", put(left),
        put(right)) end
    return string.format("pick(above(%s, %s), %s, %s)", put(left), put(right), put(yes), put(no))
  end
  return put(text)
end

local function parse_list(text)
  local items = {}
  for name, optional in text:gmatch("([%w_]+)(%??)") do
    items[#items + 1] = { name = name, optional = optional == "?" }
  end
  return items
end

-- The arguments of a %kernel line that the step has, in order.
local function bind(holes, line)
  local inputs, outputs = line:match("^%s*(%b())%s*%->%s*(%b())")
  if not inputs then error("%kernel wants (inputs) -> (outputs)", 0) end
  local bound = {}
  for role, text in pairs({ ["in"] = inputs, out = outputs }) do
    for i, item in ipairs(parse_list(text)) do
      local argument = holes.args[item.name]
      if argument and argument.role == role then
        bound[#bound + 1] = { name = item.name, type = argument.type, scalar = argument.scalar,
            order = (role == "in" and 0 or 1000) + i }
      elseif not item.optional then
        error("%kernel: the step has no argument '" .. item.name .. "'", 0)
      end
    end
  end
  table.sort(bound, function(a, b) return a.order < b.order end)
  if line:match("%) by ") then
    bound[#bound + 1] = { name = "first", scalar = "int first" }
    bound[#bound + 1] = { name = "last", scalar = "int last" }
  end
  if line:match("%) of row%s*$") then bound[#bound + 1] = { name = "row", scalar = "int row" } end
  if line:match("%) of n%s*$") then bound[#bound + 1] = { name = "n", scalar = "int n" } end
  return bound
end

local function signature(holes, bound)
  local words = {}
  for i, argument in ipairs(bound) do
    words[i] = argument.scalar or argument.type .. "restrict " .. argument.name
  end
  local first = "void " .. holes.name .. "("
  return helpers.wrap(first, words, ")", #first)
end

-- Lines that go on are one; the empty lines that take their place keep the numbers of the lines.
local function join(text)
  local lines, first = {}, nil
  for line in (text:gsub("\n$", "") .. "\n"):gmatch("(.-)\n") do
    local more = line:match("^%%%+%s*(.*)$")
    if more then
      lines[first] = lines[first] .. " " .. more
      line = "%"
    else
      first = #lines + 1
    end
    lines[#lines + 1] = line
  end
  return lines
end

-- "a, b" of the fragments that a text declares; nil: of none.
local function declared(text)
  local names = {}
  for name in ("\n" .. text):gmatch("\n%%fragment%s+([%w_]+)") do names[#names + 1] = name end
  return #names > 0 and table.concat(names, ", ") or nil
end

-- The Lua that begins a fragment, out of "read_x (columns, left?)"; nil: that is not written so.
local function fragment(line)
  local name, parameters = line:match("^([%w_]+)%s*(%b())%s*$")
  if not name then return nil end
  local names = parameters:gsub("[?()]", "")
  local receive = string.format("_arguments(%q, %q, _given)", name, parameters)
  if names:find("%S") then receive = "local " .. names .. " = " .. receive end
  return string.format("local function %s(_given) %s", name, receive)
end

-- The Lua that puts a line of text, its holes filled.
local function output(line)
  local parts, at = {}, 1
  while true do
    local from, to = line:find("$%b{}", at)
    if not from then break end
    parts[#parts + 1] = string.format("%q", line:sub(at, from - 1))
    parts[#parts + 1] = "(" .. line:sub(from + 2, to - 1) .. ")"
    at = to + 1
  end
  parts[#parts + 1] = string.format("%q", line:sub(at))
  return "_o(" .. table.concat(parts, ",") .. ")"
end

-- A template as a chunk of Lua.
local function translate(text, path)
  local out, names, within, number = {}, declared(text), false, 0
  local function want(value, message)
    return value or error(path .. ":" .. number .. ": " .. message, 0)
  end
  for _, line in ipairs(join(text)) do
    number = number + 1
    local special, rest = line:match("^%%(%a+)%s*(.*)$")
    if special == "fragment" then
      local begin = want(fragment(rest), "%fragment wants NAME (parameters)")
      out[#out + 1] = (within and "end " or "") .. begin
      within = true
    elseif special == "include" then
      local other = want(declared((embedded(rest))), rest .. " has no fragments")
      out[#out + 1] = string.format("local %s = _include(%q)", other, rest)
    elseif line:sub(1, 1) ~= "%" then
      want(not names or within, "text outside of the file's fragments")
      out[#out + 1] = output(line)
    elseif special == "kernel" or special == "header" then
      local units = rest:match("%) by (.*)$")
      out[#out + 1] = string.format("_%s(%q%s)", special, rest, units and ", " .. units or "")
    else
      out[#out + 1] = line:sub(2)
    end
  end
  if within then out[#out + 1] = "end return " .. names end
  return "local _o = _o " .. table.concat(out, "\n")
end

-- Leaves out the `* 1`, `/ 1`, `+ 0` and `% 1` that holes with such values bring. They stand in
-- whole-number arithmetic, where that changes nothing; comments and strings stay as they are.
local function tidy(line)
  if line:find('^%s*/?%* ') or line:find('^%s*/%*') or line:find('"', 1, true) or
      not line:find("%f[%w_.][01]%f[^%w_.]") then return line end
  line = line:gsub("([^%w_])%b() %% 1%f[^%w_.]", "%10"):gsub("[%w_]+ %% 1%f[^%w_.]", "0")
  line = line:gsub("%f[%w_.]0 [*/] %d+%f[^%w_.]", "0")
  line = line:gsub(" [*/] 1%f[^%w_.]", ""):gsub("%f[%w_.]1 %* ", "")
  line = line:gsub(" [+-] 0%f[^%w_.](.?.?)", function(rest)
    return not rest:find("^ [*/%%]") and rest or nil
  end)
  return (line:gsub("([%(%[=] ?)0 %+ ", "%1"))
end

local translated = {}       -- of each template that was run: its Lua and its path

local function run(name, env)
  if not translated[name] then
    local text, path = embedded(name)
    translated[name] = { lua = translate(text, path), path = path }
  end
  local chunk, message = load(translated[name].lua, "@" .. translated[name].path, "t", env)
  if not chunk then error(message, 0) end
  return chunk()
end

-- The values of a fragment's parameters "(a, b?)", in their order, out of the table it was given;
-- errors are its caller's.
local function arguments(name, parameters, given)
  if type(given) ~= "table" then
    error("fragment " .. name .. " is called with named arguments: " .. name .. " { ... }", 3)
  end
  local values, count, known = {}, 0, {}
  for _, item in ipairs(parse_list(parameters)) do
    count, known[item.name] = count + 1, true
    values[count] = given[item.name]
    if values[count] == nil and not item.optional then
      error("fragment " .. name .. " wants '" .. item.name .. "'", 3)
    end
  end
  for key in pairs(given) do
    if not known[key] then
      error("fragment " .. name .. " has no parameter '" .. tostring(key) .. "'", 3)
    end
  end
  return unpack(values, 1, count)
end

-- Expands the template `name` with `holes`; returns the text, and of its %kernel line the
-- prototype, the names of the arguments in order, and the number of units.
local function expand(name, holes)
  local out, bound, units = {}, nil, nil
  local is_code = name:find("%.[ch]%.in$") ~= nil
  local env, known, included = {}, {}, {}
  function known._o(...)
    local parts = {}
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      if type(value) == "number" then
        if value ~= math.floor(value) then error("a hole gave the fraction " .. value, 2) end
        value = string.format("%d", value)
      elseif type(value) ~= "string" then
        error("a hole gave a " .. type(value), 2)
      end
      parts[i] = value
    end
    local line = table.concat(parts)
    if is_code then line = line:gsub("[^\n]+", function(one) return fit(tidy(one)) end) end
    out[#out + 1] = line .. "\n"
  end
  function known._include(file)
    included[file] = included[file] or { run(file, env) }
    return unpack(included[file])
  end
  known._arguments = arguments
  function known._header() known._o('#include "' .. holes.model .. '_kernels.h"\n') end
  function known._kernel(line, count)
    bound, units = bind(holes, line), count
    for _, comment in ipairs(holes.comment) do known._o(comment) end
    known._o(signature(holes, bound))
  end
  function known.has(argument) return holes.args[argument] ~= nil end
  -- a vector of a packing of weights, and one of its numbers
  function known.weights(at) return (holes.half and "load_half(" or "load(") .. at .. ")" end
  function known.weight_at(place) return holes.half and "from_half(" .. place .. ")" or place end
  function known.scale(argument) return holes.args[argument].scale end
  function known.number(x, given) return number(holes, x, given) end
  -- an expression's variables: the given ones and the activation's numbers
  local function with_numbers(values)
    for name, x in pairs(holes.act_numbers) do values[name] = number(holes, x) end
    return values
  end
  function known.activation(x)
    return expression(holes, settled(holes, holes.act_value), with_numbers({ x = x }))
  end
  -- `value` is the activation's input or its value, as its gradient reads one or the other
  function known.derivative(value, d)
    return expression(holes, settled(holes, holes.act_derivative),
        with_numbers({ x = value, y = value, d = d }))
  end
  function known.vector_activation(x)
    return vector_expression(holes, settled(holes, holes.act_value), with_numbers({ x = x }))
  end
  function known.vector_derivative(value, d)
    return vector_expression(holes, settled(holes, holes.act_derivative),
        with_numbers({ x = value, y = value, d = d }))
  end
  setmetatable(env, {
    __index = function(_, key)
      local value = known[key]
      if value == nil then value = holes[key] end
      if value == nil then value = helpers[key] end
      if value == nil then error("unknown hole '" .. tostring(key) .. "'", 2) end
      return value
    end,
    __newindex = function(_, key)
      error("assignment to '" .. tostring(key) .. "', which is not local", 2)
    end })
  run(name, env)
  local text = table.concat(out)
  if not bound then return text end
  local names = {}
  for i, argument in ipairs(bound) do names[i] = argument.name end
  return text, signature(holes, bound) .. ";", names, units
end

return expand
