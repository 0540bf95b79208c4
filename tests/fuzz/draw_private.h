/* draw_private.h - what the files of draw.h share: the drawer's state, and what it can append. */
#ifndef TEST_DRAW_PRIVATE_H
#define TEST_DRAW_PRIVATE_H

#include "draw.h"
#include "joins.h"
#include "rng.h"

/* Bounds that keep a network small enough to be compiled and differentiated in a second. */
enum {
    MAX_SIDE = 20,
    MAX_CHANNELS = 40,
    MAX_VALUES = 2500,
    MAX_WEIGHTS = 30000,
    MAX_DEPTH = 2,
    ROOM = 16
};

typedef struct Drawer {
    Drawn *drawn;
    uint64_t state;
    int part;
    NetPlace places[NET_PLACES]; /* of what is there; refreshed by every layer */
    bool pixels[NET_PLACES];     /* a place's value is the image's own pixels */
    int count;
    int unpools; /* that wait for the size of their pool */
    bool normed; /* it has batch_norm, all over so many images (0: a batch): */
    int over;
} Drawer;

int below(Drawer *d, int n); /* 0 .. n - 1 */
bool chance(Drawer *d, int percent);
int between(Drawer *d, int low, int high); /* both included */
int least(int a, int b);
char *keep(Drawn *drawn, char *text); /* until the net is freed */

/* The value that the next layer reads. */
NetSize size_now(const Drawer *d);
bool pixels_now(const Drawer *d);
int values(NetSize size);
bool same_size(NetSize a, NetSize b);

const char *place_name(const Drawer *d, int at); /* of the image at -1 */
NetSize place_out(const Drawer *d, int at);

bool has_room(Drawer *d); /* in the part, for a few layers more */
void append(Drawer *d, NetLayer layer);

/* Attributes. */
const char *draw_activation(Drawer *d);
const char *attribute_activation(Drawer *d); /* NULL: left out */
int draw_kernel(Drawer *d);
const Join *draw_join(Drawer *d);
/* smaller where there would be too many weights */
int fitting_kernel(const Drawer *d, int kernel, int filters);

/* A layer drawn among all words but those that branch; nothing where it does not fit. */
void add_word(Drawer *d);
/* draw_convs.c; false: it does not fit */
bool add_conv(Drawer *d);
bool add_deconv(Drawer *d);
bool add_depthwise(Drawer *d);
void add_batch_norm(Drawer *d);
/* Likewise of those that name layers before; false: none fits. */
bool add_join(Drawer *d);
bool add_unpool(Drawer *d);
bool add_tied(Drawer *d);
void add_dense(Drawer *d, int units, const char *activation);
void convolve_to(Drawer *d, int channels, int stride, int kernel, bool valid);

/* Brings the value to the size. */
void reach(Drawer *d, NetSize to);

#endif
