/* check.h - what a legal graph is. */
#ifndef CAEC_CHECK_H
#define CAEC_CHECK_H

#include "graph.h"

/* Names of layers and nodes become names of C and of files, where . is _ and which some systems do
   not tell apart by case: whether two are then the same. */
bool names_clash(const char *a, const char *b);

/* Ends the program with an internal error, naming the pass, where the graph breaks a rule: inputs
   stand before their users; every shape is what its operator derives; a gradient has its
   parameter's shape; names are unique; each fusion's nodes are in the graph. */
void check_graph(const Graph *graph, const char *pass);

#endif
