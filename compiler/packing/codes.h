/* codes.h - how the codes of a max-pool lie: which place of its window won. */
#ifndef CAEC_CODES_H
#define CAEC_CODES_H

#include "../ir/graph.h"

/* An integer as wide as a real holds, of one channel, the codes of `across` neighbouring windows in
   each of `down` rows of windows, so that a vector of channels is a vector of codes, and a shift
   brings a window's to the bottom: windows of up to four pixels need two bits, up to 16 four,
   others eight, and a row has 16 of the integer's. */
typedef struct CodeLayout {
    int bits, across, down;
} CodeLayout;

CodeLayout code_layout(const Node *codes);

/* Integers that hold a value of codes. */
size_t code_count(const Node *codes);

#endif
