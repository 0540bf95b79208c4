/* table.h - a place for each of many names, found without a look at all of them. */
#ifndef CAEC_TABLE_H
#define CAEC_TABLE_H

#include <stddef.h>

typedef struct TableRow {
    const char *name; /* NULL: free */
    int place;
} TableRow;

/* All zero: empty. Its memory is the arena's; names are not copied. */
typedef struct Table {
    TableRow *rows;
    size_t room, count;
} Table;

/* The place of the name; -1: there is none. */
int table_find(const Table *table, const char *name);

/* Adds a name that is not there yet. */
void table_add(Table *table, const char *name, int place);

/* Adds the name, or where it is there already the first of name_2, name_3, ... that is not, and
   returns what it added. */
const char *table_add_another(Table *table, const char *name, int place);

#endif
