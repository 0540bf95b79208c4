/* wrong.h - what a user may write by mistake or out of curiosity: texts for mutate.c, each illegal
   where its comment says. */
#ifndef TEST_WRONG_H
#define TEST_WRONG_H

/* In the place of a number. (Of a number without a small upper bound, see wrong_argument.) */
static const char *const wrong_numbers[] = {
    "true",   "\"3\"",     "{}",      "{ 3 }",    "conv2d", "function() end",
    "0 / 0",  "1 / 0",     "-1 / 0",  "1e300",    "-1",     "-1e-9",
    "2 ^ 53", "math.huge", "relu {}", "({}).x.y", "1e9",    "0x7fffffff + 1",
};

/* Of a reshape. */
static const char *const wrong_shapes[] = {
    "{ 1, 2 }",          "{ 0, 1, 1 }",
    "{ 1, 1, 1, 1 }",    "3",
    "\"1x1x1\"",         "{ 1.5, 1, 1 }",
    "{ 1, 1, -1 }",      "{ 1, 1, 0 / 0 }",
    "{ 1048577, 1, 1 }", "{ h = 1, w = 1, c = 1 }",
    "{ 1, 1, \"1\" }",   "{ {}, {}, {} }",
    "{ 1, nil, 1 }",
};

/* Of an activation. */
static const char *const wrong_choices[] = {
    "\"Relu\"",     "\"\"",        "1",
    "true",         "{}",          "relu",
    "\"relu \"",    "\"relu\\0\"", "\"gelu_tanh\"",
    "{ \"relu\" }", "0 / 0",       "string.rep(\"x\", 90000)",
};

/* Of a padding. */
static const char *const wrong_paddings[] = {
    "\"Same\"",     "\"\"",
    "true",         "{}",
    "\"valid \"",   "\"same\\0\"",
    "{ \"same\" }", "{ 1, 1, 1 }",
    "{ 0.5, 0 }",   "-1",
    "0 / 0",        "{ 0, x = 1 }",
    "1e9",          "string.rep(\"x\", 90000)",
};

/* Of use_bias. */
static const char *const wrong_booleans[] = {
    "1", "0", "\"true\"", "{}", "conv2d", "0 / 0",
};

/* In the place of names of layers. */
static const char *const wrong_references[] = {
    "1",
    "true",
    "\"\"",
    "{}",
    "{ 1 }",
    "\"nobody\"",
    "\"encoder.nobody1\"",
    "\"encoder\"",
    "\"encoder.\"",
    "conv2d",
    "{ \"input\", 2 }",
    "{ \"input\", x = \"input\" }",
    "{ \"input\", [1.5] = \"input\" }",
    "\"input \"",
    "{ { \"input\" } }",
    "\"encoder.conv1\\0\"",
    "{ x = \"input\" }",
    "string.rep(\"encoder\", 300)",
};

/* In the place of a name. */
static const char *const wrong_names[] = {
    "1",
    "true",
    "\"\"",
    "\"a b\"",
    "\"1a\"",
    "\"int\"",
    "(\"x\"):rep(41)",
    "\"\\195\\169\"",
    "\"a\\0b\"",
    "{}",
    "\"a.b\"",
    "\"a-b\"",
    "\"a\\nb\"",
    "\"%s%n\"",
};

/* Right after the brace of a layer. */
static const char *const unknown_arguments[] = {
    " colour = 1,",        " Filters = 3,",  " 16,",          " [1] = 2,",    " [\"\"] = 1,",
    " [\"kernel \"] = 3,", " [conv2d] = 1,", " strides = 2,", " [true] = 1,", " word = \"conv2d\",",
    " args = {},",         " at = 3,",       " [2.5] = 1,",   " [{}] = {},",
};

/* In the place of the word of a layer. */
static const char *const unknown_words[] = {
    "conv3d", "Conv2D", "maxpool",       "lambda",     "CONV2D",     "dense_",
    "l",      "os",     "spectral_norm", "math.floor", "string.len",
};

/* In a list of layers. */
static const char *const no_layers[] = {
    "conv2d",
    "relu",
    "5",
    "\"conv2d\"",
    "true",
    "function() end",
    "{ 5 }",
    "{ {}, { relu } }",
    "0 / 0",
    "x = 5",
    "x = relu {}",
    "[1.5] = relu {}",
    "[90] = relu {}",
    "[-1] = relu {}",
    "{ x = relu {} }",
};

/* Refused wherever they stand: after pixels, an image of at most 86x86 or a flat value. */
static const char *const impossible_layers[] = {
    "avg_pool2d { size = 64 },",
    "conv2d { filters = 1, kernel = 99, padding = \"valid\" },",
    "reshape { shape = { 17, 19, 23 } },",
    "flatten {}, conv2d { filters = 1, kernel = 1 },",
    "flatten {}, max_pool2d {},",
    "flatten {}, upsample2d {},",
    "flatten {}, group_norm { groups = 1 },",
    "flatten {}, instance_norm {},",
    "layer_norm { groups = 1 },",
    "flatten {}, conv2d_transpose { filters = 1, kernel = 1 },",
    "conv2d { filters = 2, kernel = 1 }, dense { units = 2 },",
    "upsample2d { size = 64 }, upsample2d { size = 64 }, upsample2d { size = 64 },",
    "conv2d_transpose { filters = 65536, kernel = 255, stride = 255 },",
    "conv2d { filters = 65536, kernel = 255 },",
    "conv2d { filters = 5, kernel = 1, groups = 3 },",
    "conv2d { filters = 2, kernel = { 2, 99 }, dilation = 99, padding = 0 },",
    "conv2d_transpose { filters = 2, kernel = 2, padding = 255 },",
    "conv2d_transpose { filters = 2, kernel = 3, output_padding = 2 },",
    "conv2d { filters = 7, kernel = 1 }, group_norm { groups = 5 },",
    "batch_norm { over = 0 },",
    "crop2d { padding = 43 },",
    "crop2d { padding = { 0, 86, 0, 0 } },",
    "zero_pad2d { padding = { 1, 2, 3 } },",
    "conv2d { filters = 7, kernel = 1 }, depth_to_space { size = 2 },",
    "space_to_depth { size = 64 }, space_to_depth { size = 64 },",
    "conv2d { filters = 7, kernel = 1 }, rescale { scale = { 1, 2 } },",
    "rescale { scale = 0 / 0 },",
    "upsample2d { size = { 2, 2, 2 } },",
    "linear { name = \"twin\" }, linear { name = \"twin\" },",
    "linear { name = \"twin\" }, linear { name = \"Twin\" },",
    "conv2d(nil),",
    "conv2d \"x\",",
    "conv2d(5),",
    "conv2d { filters = 2, kernel = 1 }, max_unpool2d { pool = \"input\" },",
    "sequential \"inner\" { relu {} },",
    "adam {},",
    "sequential \"inner\",",
    "dropout { rate = 1 },",
    "conv2d { filters = 3, kernel = 3 } { filters = 3 },",
    "{{{{{{{{{ conv2d { filters = 1, kernel = 1 } }}}}}}}}},",
};

/* After the last layer, which gives the shape of the input. */
static const char *const wrong_outputs[] = {
    "conv2d { filters = 99, kernel = 1 }",
    "flatten {}",
    "upsample2d {}",
    "conv2d_transpose { filters = 1, kernel = 3 }",
    "concat { with = \"input\" }",
};

/* In the place of the line of the input. */
static const char *const wrong_inputs[] = {
    "  input = { 8, 8 },",
    "  input = { 8, 8, 3, 1 },",
    "  input = { 0, 8, 3 },",
    "  input = { 8, -8, 3 },",
    "  input = { 8, 8, 2.5 },",
    "  input = 8,",
    "  input = \"8x8x3\",",
    "  input = {},",
    "  input = nil,",
    "  input = { 1048577, 1, 1 },",
    "  input = { 1048576, 1048576, 4 },",
    "  input = { 8, 8, 0 / 0 },",
    "  input = { 1 / 0, 8, 3 },",
    "  input = { height = 8, width = 8, channels = 3 },",
    "  input = conv2d,",
    "  input = { 8, 8, \"3\" },",
    "  inputs = { 8, 8, 3 },",
    "  input = { 8, { 8 }, 3 },",
    "  input = { 20000, 20000, 1 },",
    "  input = { [1] = 8, [2] = 8, [4] = 3 },",
    "  [1] = 5,",
    "",
};

/* In the braces of the training table. */
static const char *const wrong_trainings[] = {
    "loss = \"MSE\"",
    "loss = 1",
    "loss = mse",
    "loss = {}",
    "optimizer = \"adam\"",
    "optimizer = adam",
    "optimizer = adam { lr = -1 }",
    "optimizer = adam { rate = 1 }",
    "optimizer = adam { beta1 = 1 }",
    "optimizer = sgd { momentum = 1 }",
    "optimizer = sgd { beta1 = 0.5 }",
    "optimizer = conv2d { filters = 1, kernel = 1 }",
    "optimizer = cosine {}",
    "optimizer = adam(1)",
    "optimizer = { lr = 1 }",
    "optimizer = adam { lr = 0 / 0 }",
    "optimizer = adam { 1 }",
    "batch = 0",
    "batch = 1.5",
    "batch = \"64\"",
    "batch = 2 ^ 40",
    "batch = {}",
    "epochs = 0",
    "epochs = -1",
    "epochs = 1 / 0",
    "clip_norm = -1",
    "clip_norm = 1, clip_value = 1",
    "global_clip_norm = 2, clip_norm = 1",
    "clip_value = \"1\"",
    "mirror = 1",
    "mirror = \"yes\"",
    "schedule = \"cosine\"",
    "schedule = cosine",
    "schedule = adam {}",
    "schedule = cosine { warmup = 40 }",
    "schedule = cosine { min_lr = 1 }",
    "schedule = cosine { epochs = 0 }",
    "schedule = step { every = 0 }",
    "schedule = step { factor = 2 }",
    "schedule = reduce_on_plateau { factor = 1 }",
    "schedule = constant { every = 1 }",
    "schedule = reduce_on_plateau { cooldown = 0.5 }",
    "early_stopping = {}",
    "early_stopping = 5",
    "early_stopping = { patience = 0 }",
    "early_stopping = { patience = 1, patients = 2 }",
    "early_stopping = { min_delta = 1 }",
    "loss = \"mse\", colour = 1",
    "1, 2",
    "[1] = \"mse\"",
    "loss = \"mse\\0\"",
    "optimizer = sgd { lr = 1e4 }",
    "epochs = 1, schedule = cosine { warmup = 1 }",
};

/* In the place of the first line. */
static const char *const wrong_heads[] = {
    "return autoencoder \"\" {",
    "return autoencoder \"1net\" {",
    "return autoencoder \"a b\" {",
    "return autoencoder \"int\" {",
    "return autoencoder \"loss\" {",
    "return autoencoder \"model\" {",
    "return autoencoder(5) {",
    "return autoencoder {",
    "return autoencoder \"net\" \"net\" {",
    "return {",
    "return",
    "autoencoder \"net\" {",
    "local net = autoencoder \"net\" {",
    "return sequential \"net\" {",
    "return adam {",
    "return 5, autoencoder \"net\" {",
    "return conv2d {",
    "return autoencoder \"n\\0et\" {",
    "return autoencoder \"\\195\\164\" {",
    "return autoencoder(nil) {",
    "return autoencoder \"net\" \"x\" .. {",
    "return autoencoder(string.rep(\"n\", 41)) {",
    "return autoencoder \"train\" {",
    "return autoencoder \"net\" { colour = 1,",
    "return Autoencoder \"net\" {",
    "return autoencoder { {",
    "return autoencoder \"net\" { encoder = 1,",
    "return autoencoder \"net\" { name = \"x\",",
};

/* In the place of the line that opens a part, whose field is %s. */
static const char *const wrong_parts[] = {
    "%s = sequential \"\" {",
    "%s = sequential \"a b\" {",
    "%s = sequential \"int\" {",
    "%s = sequential {",
    "%s = {",
    "%s = autoencoder \"x\" {",
    "%s = adam {",
    "%s = sequential(5) {",
    "%s = sequential \"x\" { name = \"y\",",
    "%sr = sequential \"x\" {",
    "%s = nil, x = {",
    "%s = sequential \"x\" { [1.5] = 3,",
    "%s = sequential(\"x\") {} {",
    "%s = { sequential \"x\" {}, ",
    "%s = sequential \"x\\0y\" {",
};

/* In front of any line. */
static const char *const no_lua[] = {
    "@",  "$",  "`",    "!",        "?",  "\\",   "end",    "then", "= 5",  ")",
    "]]", "}",  "]",    "\xff\xfe", "\"", "'",    "[[",     "--[[", "\x01", "goto",
    "0x", "1e", "3..2", "::",       "~=", "\\u{", "return", "1abc",
};

/* In front of a graph. */
static const char *const bad_codes[] = {
    "while true do end",
    "local function f() return f() + 1 end f()",
    "local s = \"x\" while true do s = s .. s end",
    "error(\"no\")",
    "error({})",
    "error()",
    "error(nil)",
    "error(conv2d)",
    "os.exit(0)",
    "io.open(\"x\")",
    "require \"ffi\"",
    "local t = {} t.x.y = 1",
    "(\"x\"):rep(1e9)",
    "string.format(\"%d\", \"x\")",
    "print(1)",
    "goto nowhere",
    "load(\"x\")()",
    "setmetatable({}, {})",
    "getmetatable(\"\")",
    "debug.getinfo(1)",
    "math.random()",
    "assert(false)",
    "table.concat({ {} })",
    "for k in pairs(5) do end",
    "for i = 1, 1e12 do end",
    "coroutine.wrap(print)",
    "local t = {} while true do t[#t + 1] = t end",
    "dofile(\"x\")",
    "tostring({})",
    "string.dump(conv2d)",
    "(\"x\"):gsub(\".\", \"y\")",
    "_G.x = 1",
    "local x <const> = 1 x = 2",
    "return 5",
    "nil()",
    "local t = nil .. \"x\"",
    "assert(nil, {})",
    "repeat until false",
    "table.sort({ 3, 2, 1 }, function(a, b) return true < 1 end)",
    "string.rep(\"x\", 1e5, string.rep(\"y\", 1e5))",
    "unpack({}, 1, 1e8)",
    "select(0)",
    "local function f(...) return f(1, ...) end f()",
    "assert(autoencoder \"x\" {} .. \"\")",
    "pairs()",
    "rawset({}, 1, 2)",
    "pcall(error)",
    "table.unpack({}, 1, 1e7)",
    "local t = {} t[nil] = 1",
    "local t = {} t[0 / 0] = 1",
    "string.char(-1)",
    "(\"x\").y.z = 1",
    "collectgarbage()",
    "loadstring(\"x\")",
    "string.format(\"%p\", {})",
    "string.format(\"%\" .. string.rep(\"9\", 200) .. \"d\", 1)",
    "tonumber(\"1\", 99)",
    "table.insert({}, 5, 1, 2)",
    "table.concat({}, \"\", 1, 1e9)",
    "string.rep(\"x\", -1 / 0)()",
    "for i = 1, 10, 0 do end error(1)",
    "conv2d.x.y = 1",
};

/* In the place of the first bytes. */
static const char *const byte_codes[] = {
    "\x1bLua",
    "\x1bLJ\x02",
    "\x1bLuaT\x00\x19\x93",
    "\x1b",
};

#endif
