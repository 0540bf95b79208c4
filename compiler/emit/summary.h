/* summary.h - a graph as the user knows it. */
#ifndef CAEC_SUMMARY_H
#define CAEC_SUMMARY_H

#include "../base/text.h"
#include "../ir/graph.h"

/* The Keras table of layers. */
void emit_summary(Text *out, const Graph *graph);

/* Which layers the stage trains: "encoder.conv1 to encoder.pool1, decoder.conv3 to decoder.up3", or
   "all layers". */
const char *emit_stage_title(const Graph *graph, const Stage *stage);

#endif
