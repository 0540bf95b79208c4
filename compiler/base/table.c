#include "table.h"

#include "arena.h"

#include <stdint.h>
#include <string.h>

/* FNV-1a */
static size_t hash(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
}

/* Where the name stands, or would; the room is a power of two, and never full. */
static TableRow *row_of(const Table *table, const char *name)
{
    size_t at = hash(name) & (table->room - 1);
    while (table->rows[at].name && strcmp(table->rows[at].name, name) != 0)
        at = (at + 1) & (table->room - 1);
    return &table->rows[at];
}

int table_find(const Table *table, const char *name)
{
    const TableRow *row = table->room ? row_of(table, name) : NULL;
    return row && row->name ? row->place : -1;
}

static void grow(Table *table)
{
    const Table old = *table;
    table->room = old.room ? 2 * old.room : 64;
    table->rows = ARENA_ARRAY(TableRow, table->room);
    for (size_t i = 0; i < old.room; i++)
        if (old.rows[i].name)
            *row_of(table, old.rows[i].name) = old.rows[i];
}

void table_add(Table *table, const char *name, int place)
{
    if (2 * table->count >= table->room)
        grow(table);
    *row_of(table, name) = (TableRow){ name, place };
    table->count++;
}

const char *table_add_another(Table *table, const char *name, int place)
{
    const char *free_name = name;
    for (int n = 2; table_find(table, free_name) >= 0; n++)
        free_name = arena_format("%s_%d", name, n);
    table_add(table, free_name, place);
    return free_name;
}
