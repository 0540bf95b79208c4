/* forms.h - the forms of weights that kernels read. */
#ifndef CAEC_FORMS_H
#define CAEC_FORMS_H

#include "kernel.h"

/* The parameter as it is, filled up with zeros to a multiple of `lanes` reals. */
Form form_plain(const Node *parameter, int lanes);

/* A kernel HWIO as [block of output channels][row][column][input channel][channel in block], blocks `block` wide, the last one cut to a multiple of
   `lanes`, missing channels zero. Rotated: the kernel turned by 180 degrees with inputs and outputs exchanged, as the gradient by the
   input wants it. */
Form form_blocks(const Node *parameter, int block, int lanes, bool rotated);

#endif
