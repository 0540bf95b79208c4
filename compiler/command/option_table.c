#include "option_table.h"

const struct argp_option option_table[] = {
    { NULL, 'o', "DIR", 0,
      "write DIR/<name>/: C sources, CMakeLists.txt, README.md and the runtime", 1 },
    { "target", KEY_TARGET, "NAME", 0, "native (default), or one of --list targets", 1 },
    { "real", KEY_REAL, "TYPE", 0, "float (default) or double: the type of all arithmetic", 1 },
    { "kernel", KEY_KERNEL, "LAYER[.DIRECTION]=NAME", 0,
      "use this kernel for a conv or dense layer; DIRECTION is forward, dx or dw", 1 },
    { "emit", KEY_EMIT, "WHAT", 0,
      "program (default): a trainer and an inference program; or library: C that stands alone, "
      "without runtime, malloc and hosted headers",
      1 },
    { "no-training", KEY_NO_TRAINING, NULL, 0, "a library for inference alone", 1 },
    { "stream", KEY_STREAM, NULL, 0,
      "a library whose inference takes the image row by row and returns rows of the output, in "
      "little memory",
      1 },
    { "weights", KEY_WEIGHTS, "FILE", 0,
      "a library that contains the trained weights of FILE, a .safetensors, packed for its kernels",
      1 },
    { "weights-as", KEY_WEIGHTS_AS, "WHAT", 0,
      "incbin (default): a binary file that the assembler includes; or c: numbers in C", 1 },
    { "weights-type", KEY_WEIGHTS_TYPE, "TYPE", 0,
      "f32 (default), or f16: in half the bytes, for inference alone", 1 },
    { "optimize", KEY_OPTIMIZE, "WHAT", 0,
      "speed (default), or size: a library with little machine code", 1 },
    { "memory-limit", KEY_MEMORY_LIMIT, "BYTES", 0,
      "the most memory that training may take, pictures apart; K, M or G may follow the number. "
      "Slower kernels are chosen and values are computed again as far as that needs",
      1 },
    { "tune", KEY_TUNE, "FILE", 0,
      "time the kernels on this machine with the C compiler $CC and keep the result in FILE", 1 },
    { "tuned", KEY_TUNED, "FILE", 0, "choose kernels by the times in FILE", 1 },
    { "no-runtime", KEY_NO_RUNTIME, NULL, 0, "leave the runtime's sources out of DIR/<name>", 1 },
    { "force", KEY_FORCE, NULL, 0,
      "replace files in DIR/<name> that caec did not write, or that were changed since", 1 },
    { "summary", KEY_SUMMARY, NULL, 0, "print the table of layers", 2 },
    { "memory", KEY_MEMORY, NULL, 0, "print the memory map", 2 },
    { "dot", KEY_DOT, NULL, 0, "print the graph for Graphviz", 2 },
    { "dump", KEY_DUMP, "PASS", 0, "print the graph after PASS (of --list passes)", 2 },
    { "stop-after", KEY_STOP, "PASS", 0, "stop after PASS and write nothing", 2 },
    { "list", KEY_LIST, "WHAT", 0, "list passes, ops, kernels or targets", 2 },
    { "expand", KEY_EXPAND, "KERNEL", 0,
      "print one kernel for NAME=NUMBER...: H, W, CI, CO, K, STRIDE, UP, SAME, POOL, DILATION, "
      "GROUPS of a convolution, KW, STRIDEW along its width, CI, CO of a dense layer, "
      "DIRECTION (0 forward, 1 dX, 2 dW)",
      2 },
    { 0 }
};

const char option_doc[] =
    "Compiles a Lua description of a convolutional autoencoder to C: forward, backward and update, "
    "with a trainer and an inference program."
    "\vExamples:\n  caec graphs/cae.lua -o generated/\n  caec graphs/cae.lua --summary\n  caec "
    "graphs/cae.lua --dump plan --target x86-64-v3\n"
    "  caec graphs/cae.lua -o lib/ --emit library --no-training --optimize size\n"
    "  caec --expand conv_direct CI=3 CO=32 K=3 POOL=2\n\n"
    "--kernel may be given several times, for one layer each. Of any other option that is given "
    "twice the last counts, and a warning says so.\n";

const char *option_name(int key)
{
    int i = 0;
    while (option_table[i].key != key)
        i++;
    return option_table[i].name;
}
