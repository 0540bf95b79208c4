/* checker.h - what the check of a program knows while it follows its steps through their memory. */
#ifndef CAEC_CHECKER_H
#define CAEC_CHECKER_H

#include "plan.h"
#include "spans.h"

/* Tables of places hold the place + 1, or 0 for none. */
typedef struct Checker {
    const Plan *plan;
    const Program *program;
    int *tables;        /* where these lie: */
    int *latest;        /* of each node: its last buffer */
    int *before;        /* of each buffer: that of its node before it */
    int *scratch, *sum; /* of each step: its buffers */
    int *gradient;      /* of each node: the parameter whose gradient it is, here */
    int *made;          /* of each node that lies elsewhere: how many steps have made it */
    Spans held;         /* by buffers, as their place + 1 */
    int s;              /* the step under way; -1: none */
    bool later;         /* for images after the first of the microbatch */
    const char *fault;  /* the first that was found */
} Checker;

/* With its tables filled from the buffers, all of which are looked at; nobody holds any bytes yet.
   To be freed by checker_free. */
Checker checker_open(const Plan *plan, const Program *program);
void checker_free(Checker *checker);

const Step *checker_step(const Checker *checker);

/* Keeps what is wrong, with program and step, unless something was found before. */
void checker_find(Checker *checker, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives the bytes of a buffer to a holder, the place + 1 of a buffer or HELD_BY_NOBODY; and says
   whose they are. */
void checker_give(Checker *checker, const Buffer *buffer, int holder);
int checker_holder(const Checker *checker, const Buffer *buffer);

/* "encoder_conv1 (steps 2 to 7, bytes 0 to 8255)"; of a holder likewise. */
const char *checker_buffer(const Buffer *buffer);
const char *checker_holder_text(const Checker *checker, int holder);

#endif
