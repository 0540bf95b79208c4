#include "option_values.h"

#include <string.h>

bool options_want_half(const Options *o)
{
    return o->weights_type && strcmp(o->weights_type, "f16") == 0;
}
