#include "edit_distance.h"

#include "../base/arena.h"

#include <string.h>

static int least(int a, int b, int c)
{
    int m = a < b ? a : b;
    return m < c ? m : c;
}

int edit_distance(const char *a, const char *b)
{
    size_t n = strlen(b);
    int *row = ARENA_ARRAY(int, n + 1);
    for (size_t k = 0; k <= n; k++)
        row[k] = (int)k;
    for (size_t i = 0; a[i]; i++) {
        int corner = row[0];
        row[0] = (int)i + 1;
        for (size_t k = 1; k <= n; k++) {
            int up = row[k];
            row[k] = least(up + 1, row[k - 1] + 1, corner + (a[i] != b[k - 1]));
            corner = up;
        }
    }
    return row[n];
}
