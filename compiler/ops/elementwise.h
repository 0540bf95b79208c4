/* elementwise.h - the words of elementwise.def's rows. */
#ifndef CAEC_ELEMENTWISE_H
#define CAEC_ELEMENTWISE_H

/* a layer's number */
enum { NONE, SLOPE, APPROXIMATE };

/* what its gradient reads */
enum { FROM_Y, FROM_X };

/* properties */
enum { MONOTONE = 1, ZERO_BELOW = 2, FLAT_ABOVE = 4, UNIT_RANGE = 8, ALL_PROPERTIES = 15 };

#endif
