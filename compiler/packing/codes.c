#include "codes.h"

enum { ROW_BITS = 16 };

CodeLayout code_layout(int size)
{
    const int bits = size == 2 ? 2 : size <= 4 ? 4 : 8;
    return (CodeLayout){ .bits = bits, .across = ROW_BITS / bits, .down = 2 };
}

size_t code_count(const Node *codes)
{
    const int *dim = codes->shape.dim;
    const CodeLayout l = code_layout(node_number(codes, "size"));
    return (size_t)((dim[0] + l.down - 1) / l.down) * (size_t)((dim[1] + l.across - 1) / l.across)
           * (size_t)dim[2];
}
