/* stream.h - inference by rows: image to output through one chain of steps, each of which writes
 * its rows to the ring of the next. */
#ifndef CAEC_STREAM_H
#define CAEC_STREAM_H

#include "plan.h"

/* The program `stream`: its steps, its rings and their memory. Ends the program with a message at
   the layer that cannot work by rows. */
void plan_stream(Plan *plan);

#endif
