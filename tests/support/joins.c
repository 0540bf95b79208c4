#include "joins.h"

#include "cases.h"

static bool concat_size(NetSize a, NetSize b, NetSize *y)
{
    *y = a;
    y->channels += b.channels;
    return a.height == b.height && a.width == b.width && a.flat == b.flat;
}

/* At every place the channels of a, then of b. */
static Image concat_value(const Image *a, const Image *b)
{
    Image y = image_new(a->height, a->width, a->channels + b->channels);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->width, b->width);
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int k = 0; k < y.channels; k++)
                *image_at(&y, r, c, k) = k < a->channels ? *image_at(a, r, c, k)
                                                         : *image_at(b, r, c, k - a->channels);
    return y;
}

static bool add_size(NetSize a, NetSize b, NetSize *y)
{
    *y = a;
    return a.height == b.height && a.width == b.width && a.channels == b.channels
           && a.flat == b.flat;
}

static Image add_value(const Image *a, const Image *b)
{
    Image y = image_new(a->height, a->width, a->channels);
    int count = a->height * a->width * a->channels;
    assert_int_equal(count, b->height * b->width * b->channels);
    for (int i = 0; i < count; i++)
        y.data[i] = a->data[i] + b->data[i];
    return y;
}

/* Of two sides, of which one may be 1; 0: they do not meet. */
static int spread(int a, int b)
{
    return a == b || b == 1 ? a : a == 1 ? b : 0;
}

static bool multiply_size(NetSize a, NetSize b, NetSize *y)
{
    *y = (NetSize){ spread(a.height, b.height), spread(a.width, b.width),
                    spread(a.channels, b.channels), a.flat && b.flat };
    return y->height && y->width && y->channels;
}

/* What is there once only counts everywhere. */
static double value_at(const Image *x, int row, int column, int channel)
{
    return *image_at(x, x->height > 1 ? row : 0, x->width > 1 ? column : 0,
                     x->channels > 1 ? channel : 0);
}

static Image multiply_value(const Image *a, const Image *b)
{
    Image y = image_new(spread(a->height, b->height), spread(a->width, b->width),
                        spread(a->channels, b->channels));
    for (int r = 0; r < y.height; r++)
        for (int c = 0; c < y.width; c++)
            for (int k = 0; k < y.channels; k++)
                *image_at(&y, r, c, k) = value_at(a, r, c, k) * value_at(b, r, c, k);
    return y;
}

#define JOIN(kind, word, short_name) { kind, #word, short_name, word##_size, word##_value },
static const Join joins[] = {
#include "joins.def"
};
#undef JOIN

const Join *join_at(int i)
{
    return i < (int)(sizeof joins / sizeof joins[0]) ? &joins[i] : NULL;
}

const Join *join_of(LayerKind kind)
{
    for (int i = 0; join_at(i); i++)
        if (joins[i].kind == kind)
            return &joins[i];
    return NULL;
}
