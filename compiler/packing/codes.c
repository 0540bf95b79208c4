#include "codes.h"

enum { ROW_BITS = 16 };

CodeLayout code_layout(const Node *codes)
{
    const int places = node_number(codes, "size_h") * node_number(codes, "size_w");
    const int bits = places > 16 ? 8 : places > 4 || places == 1 ? 4 : 2;
    return (CodeLayout){ .bits = bits, .across = ROW_BITS / bits, .down = 2 };
}

size_t code_count(const Node *codes)
{
    const int *dim = codes->shape.dim;
    const CodeLayout l = code_layout(codes);
    return (size_t)((dim[0] + l.down - 1) / l.down) * (size_t)((dim[1] + l.across - 1) / l.across)
           * (size_t)dim[2];
}
