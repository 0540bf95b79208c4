/* edit_distance.h - how unlike two words are. */
#ifndef CAEC_EDIT_DISTANCE_H
#define CAEC_EDIT_DISTANCE_H

/* Letters to insert, to leave out or to change until one is the other (Levenshtein 1966, "Binary
   codes capable of correcting deletions, insertions and reversals"). */
int edit_distance(const char *a, const char *b);

#endif
