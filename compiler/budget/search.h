/* search.h - which savings keep training within a limit of memory, at the least cost.
 *
 * While a draft takes too much, every saving that can save something is tried, and the one that
 * saves most bytes for the least estimated time is kept. As soon as one more saving is enough, the
 * cheapest such ends the search.
 *
 * A round tries all savings and keeps one. That is work like the cube of the layers, so in large
 * networks a round keeps several, each as long as it still saves what it promised; and where even
 * one round is too much work, it tries a share of the savings, the next round another. How many
 * depends on the network alone. Networks of some 40 layers are searched saving by saving. */
#ifndef CAEC_SEARCH_H
#define CAEC_SEARCH_H

#include "candidates.h"
#include "draft.h"

enum { MAX_SAVINGS = DRAFT_SAVINGS - 1 };

typedef struct Search {
    Drafts *drafts;
    Settings settings;
    size_t goal; /* bytes; savings are sought until training takes no more */
    MemorySaving savings[MAX_SAVINGS + 1];
    int count;
    Draft now;                           /* with these savings */
    MemorySaving least[MAX_SAVINGS + 1]; /* those of the smallest draft that was tried ... */
    int least_count;
    size_t least_bytes;       /* ... and its bytes; 0: none was tried */
    Candidates *found;        /* what this round may save by */
    int round, round_start;   /* how many rounds there were; savings when the last one began */
    int round_first;          /* `round` when it began: a round may try several shares */
    double begin, round_work; /* drafts_work() when the search began; and from there on, when the
                                 last round did */
} Search;

/* A search whose goal is the plan's memory limit and that has saved nothing yet, as the plan. */
Search *search_open(const Plan *plain);

/* Saves, first by what costs no time, until training stays within the goal or nothing helps any
   more. */
void search_limit(Search *search);

/* After that, another search on its way down to the smallest draft that can be found, whatever the
   goal; it is the same up to where the last round to the limit began. */
Search *search_bottom(const Search *search);

/* Takes savings back that the limit does not need, the dearest first. */
void search_give_back(Search *search);

/* Sets what each saving saves and costs, given those before it. */
void search_account(Search *search);

#endif
