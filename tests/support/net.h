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
    DEPTHWISE,
    SEPARABLE,
    POOL,
    AVG,
    UP,
    ACT,
    NORM,
    LAYER_NORM,
    INSTANCE_NORM,
    BATCH_NORM,
    PRELU,
    FLATTEN,
    DENSE,
    RESHAPE,
    FROM,
    UNPOOL,
    NOISE,
    DROP,   /* nothing to the naive side */
    SAMPLE, /* gaussian_sample: the means, and a term of the loss */
    GLOBAL_MAX,
    GLOBAL_AVG,
    PAD,
    CROP,
    D2S,
    S2D,
    RESCALE,
#define JOIN(kind, word, short_name) kind,
#include "joins.def"
#undef JOIN
} LayerKind;

/* One layer; members that its kind lacks are 0. An attribute that is 0 is left out of the graph
   file, so that caec's default holds. */
typedef struct NetLayer {
    LayerKind kind;
    int filters, kernel, stride; /* CONV, DECONV, SEPARABLE, DEPTHWISE (no filters) */
    int kernel_w,
        stride_w; /* of these, POOL, AVG: along the width, where it is another than `kernel` and
                                    `stride`, which are then those along the height */
    int dilation, dilation_w; /* likewise */
    int multiplier;           /* DEPTHWISE, SEPARABLE: filters a channel */
    bool padded;              /* of all of these: padding is given in numbers: */
    int pad[4];               /* of these, POOL, AVG, PAD, CROP: top, left, bottom, right */
    bool enlarged;            /* DECONV: output_padding is given: */
    int more[2];              /* height, width */
    int units;                /* DENSE */
    int shape[3];             /* RESHAPE */
    bool valid, no_bias;      /* no_bias: DENSE too */
    const char *tied;         /* DENSE, DECONV: the layer whose kernel it has, "encoder.dense1" */
    bool plain; /* CONV, DECONV: by conv_plain wherever nothing else is asked for, since the layer
                   only stands around what is tested: compiled in a quarter of the time */
    const char *activation; /* CONV, DECONV, DENSE: the attribute; ACT: the layer's word */
    double slope;           /* ACT "leaky_relu" */
    bool flat_slope;        /* slope = 0 */
    bool approximate;       /* ACT "gelu" */
    int size;               /* POOL, AVG, UP, D2S, S2D */
    int size_w;             /* POOL, AVG, UP: of columns, where it is another; 0: size */
    bool same;              /* POOL, AVG: padding = "same" */
    int groups;             /* NORM, CONV, DECONV */
    bool bilinear;          /* UP */
    double scale, offset;   /* RESCALE */
    bool by_channel;        /* then: of channel c, net_rescale() says */
    double eps;             /* of every norm; 0: left out */
    double momentum;        /* BATCH_NORM; 0: left out; below 0: momentum = 0 */
    int over;               /* BATCH_NORM: images of a group; 0: a whole batch */
    double rate;            /* NOISE: standard deviation; DROP: share */
    double kl_weight;       /* SAMPLE */
    bool rests;             /* trainable = false */
    const char *name;       /* NULL: by its kind and number */
    const char *with; /* of what joins (joins.def): "encoder.conv1" or several names with a blank
                         between; FROM, UNPOOL: one */
} NetLayer;

enum { MAX_NET = 48 };

typedef struct Net {
    int height, width, channels;
    NetLayer encoder[MAX_NET], decoder[MAX_NET]; /* ended by END */
    double scale;                                /* of the drawn weights; 0 stands for 1 */
    const char *loss;     /* NULL stands for "mse"; or as the graph file has it,
                                                     "{ mse = 0.8, mae = 0.2 }" */
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

/* The windows of a pool that reads a value of that size; whether some of them share a pixel, so
   that what they find cannot be put back. */
Window net_pool_window(const NetLayer *pool, NetSize in);
bool net_overlaps(const NetPlace *pool);

/* Cuts the next name off a list such as NetLayer.with; false at its end. */
bool net_next_name(const char **list, char name[64]);

/* What a DEPTHWISE or SEPARABLE layer makes of a value of that size; a side under 1 where its
   windows do not fit. */
NetSize net_depthwise_size(NetSize in, const NetLayer *layer);

/* Appends to the decoder what brings the shape back to the input's: upsampling and one convolution
   with linear activation, `plain`. Fails the test where no such pair exists. */
void net_close(Net *net);

/* The constants of a channel by a layer that rescales. */
void net_rescale(const NetLayer *layer, int channel, double *scale, double *offset);

char *net_graph(const Net *net); /* the graph file, its model called "net"; to be freed */

/* "--kernel encoder.conv1=KERNEL --kernel ..." for every convolution, transposed ones too, or for
   every dense layer where the kernel is called dense_...; conv_plain for those that are `plain`. To
   be freed. */
char *net_force(const Net *net, const char *kernel);

/* The options, and after them "--kernel decoder.conv1=conv_plain ..." for every layer that is
   `plain` and not named in them; to be freed. */
char *net_options(const Net *net, const char *options);

/* A convolution, each of the pools on its value, and all that they find together through a dense
   layer as the latent; of small images of one channel. */
Net net_of_pools(const NetLayer *pools, size_t count, int height, int width, int filters);

/* Fails the test where the model's shapes or parameters are not those of the net. */
void net_check(const Net *net, const Model *model);

/* What an update leaves of a BATCH_NORM's statistics. */
double net_momentum(const NetLayer *layer);

/* One a parameter: of statistics that training moves what an update leaves of them, -1 of all else;
   to be freed. */
double *net_momenta(const Net *net);

/* Numbers drawn from a seed: weights in [-1, 1) scaled to the fan-in, biases in [-0.5, 0.5), gammas
   and variances in [0.5, 1.5); images of any bytes. */
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

enum { NET_GROUP = 16 };

/* Training of a group of n images, at most NET_GROUP, of which each BATCH_NORM takes its
   statistics: the losses, and into seen[parameters] what the group has seen of each statistic, all
   else left alone. Layers that draw hand on what they get. */
void net_train_group(const Net *net, const double *parameters, uint8_t *const *images, int n,
                     double *losses, double *seen);
/* as net_has_ties(), in any of them */
bool net_group_has_ties(const Net *net, const double *parameters, uint8_t *const *images, int n,
                        double margin);

void net_values_free(NetValues *values);

#endif
