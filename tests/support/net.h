/* net.h - a network described once, for both sides of a comparison: its graph file for caec, and
   its values by the naive operators. */
#ifndef TEST_NET_H
#define TEST_NET_H

#include "model.h"
#include "naive.h"

#include <stdbool.h>

typedef enum LayerKind {
    END,
    CONV,
    DECONV,
    POOL,
    AVG,
    UP,
    ACT,
    NORM,
    FLATTEN,
    DENSE,
    RESHAPE,
    FROM,
    UNPOOL,
    NOISE,
    DROP, /* nothing to the naive side */
#define JOIN(kind, word, short_name) kind,
#include "joins.def"
#undef JOIN
} LayerKind;

/* One layer; members that its kind lacks are 0. An attribute that is 0 is left out of the graph
   file, so that caec's default holds. */
typedef struct NetLayer {
    LayerKind kind;
    int filters, kernel, stride; /* CONV, DECONV */
    int kernel_w, stride_w;      /* of these: along the width, where it is another than `kernel` and
                                    `stride`, which are then those along the height */
    int dilation, dilation_w;    /* likewise */
    bool padded;                 /* padding is given in numbers: */
    int pad[4];                  /* top, left, bottom, right */
    bool enlarged;               /* DECONV: output_padding is given: */
    int more[2];                 /* height, width */
    int units;                   /* DENSE */
    int shape[3];                /* RESHAPE */
    bool valid, no_bias;         /* no_bias: DENSE too */
    const char *activation;      /* CONV, DECONV, DENSE: the attribute; ACT: the layer's word */
    double slope;                /* ACT "leaky_relu" */
    bool flat_slope;             /* slope = 0 */
    bool approximate;            /* ACT "gelu" */
    int size;                    /* POOL, AVG, UP */
    int groups;                  /* NORM, CONV, DECONV */
    double eps;
    double rate;      /* NOISE: standard deviation; DROP: share */
    const char *name; /* NULL: by its kind and number */
    const char *with; /* of what joins (joins.def): "encoder.conv1" or several names with a blank
                         between; FROM, UNPOOL: one */
} NetLayer;

enum { MAX_NET = 48 };

typedef struct Net {
    int height, width, channels;
    NetLayer encoder[MAX_NET], decoder[MAX_NET]; /* ended by END */
    double scale;                                /* of the drawn weights; 0 stands for 1 */
    const char *loss;                            /* NULL stands for "mse" */
    const char *training; /* more of the training table, after the loss; NULL stands for "optimizer
                             = adam {}" */
    bool wordy;           /* the graph file names defaults too */
} Net;

/* Of a flat value: one pixel of so many channels. */
typedef struct NetSize {
    int height, width, channels;
    bool flat;
} NetSize;

/* A layer with its full name, and what goes in and comes out. */
typedef struct NetPlace {
    const NetLayer *layer;
    char name[64];
    int part, number; /* among those of its kind in its part */
    NetSize in, out;
} NetPlace;

enum { NET_PLACES = 2 * MAX_NET };

/* Of a convolution, transposed or not, whose input has that size: how its windows lie; how far they
   reach along an axis. */
NaiveConv net_conv(const NetLayer *layer, NetSize size);
int net_window(const NaiveConv *conv, int axis);

/* All layers in order; returns their number. */
int net_places(const Net *net, NetPlace places[NET_PLACES]);

extern const char *const net_parts[2]; /* "encoder", "decoder" */

/* Cuts the next name off a list such as NetLayer.with; false at its end. */
bool net_next_name(const char **list, char name[64]);

/* Appends to the decoder what brings the shape back to the input's: upsampling and one convolution
   with linear activation. Fails the test where no such pair exists. */
void net_close(Net *net);

char *net_graph(const Net *net); /* the graph file, its model called "net"; to be freed */

/* "--kernel encoder.conv1=KERNEL --kernel ..." for every convolution, transposed ones too, or for
   every dense layer where the kernel is called dense_...; to be freed. */
char *net_force(const Net *net, const char *kernel);

/* Fails the test where the model's shapes or parameters are not those of the net. */
void net_check(const Net *net, const Model *model);

/* Numbers drawn from a seed: weights in [-1, 1) scaled to the fan-in, biases in [-0.5, 0.5), gammas
   in [0.5, 1.5); images of any bytes. */
double *net_parameters(const Net *net, unsigned seed, int *count);
uint8_t *net_image(const Net *net, unsigned seed);

typedef struct NetValues {
    Image latent, output;
    double loss;
} NetValues;

NetValues net_forward(const Net *net, const double *parameters, const uint8_t *image);
/* of a decoder that reads the latent alone */
Image net_decode(const Net *net, const double *parameters, const Image *latent);
/* Whether a max-pool whose places are kept for a max_unpool2d meets, in a window of this image, two
   values within `margin` of each other that are not both 0: rounding then decides which counts as
   the largest. */
bool net_has_ties(const Net *net, const double *parameters, const uint8_t *image, double margin);

void net_values_free(NetValues *values);

#endif
