/* The weights, packed for the kernels. */
#include "cae_kernels.h"

/* encoder.conv1.kernel, transformed */
void prepare_encoder_conv1_kernel_columns(const float *restrict parameter, float *restrict packing)
{
    for (int block = 0; block < 32; block += 8)
        for (int j = 0; j < 9; j++, packing += 48)
            for (int o = 0; o < 8; o++) {
                const float *g = parameter + j * 32 + block + o;
                const float g0 = g[0], g1 = g[288], g2 = g[576];
                const float even = g0 + 0.390625f * g2, odd = 0.625f * g1, far_even = g0 + 2.25f
                    * g2, far_odd = 1.5f * g1;
                packing[o] = g0 * 1.13777778f;
                packing[8 + o] = (even + odd) * -0.688403361f;
                packing[16 + o] = (even - odd) * -0.688403361f;
                packing[24 + o] = (far_even + far_odd) * 0.119514472f;
                packing[32 + o] = (far_even - far_odd) * 0.119514472f;
                packing[40 + o] = g2;
            }
}

/* encoder.conv1.bias, as it is */
void prepare_encoder_conv1_bias(const float *restrict parameter, float *restrict packing)
{
    for (int i = 0; i < 32; i++)
        packing[i] = parameter[i];
}

/* One line of G g: three taps to six points. */
static inline void prepare_encoder_conv2_kernel_winograd_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_encoder_conv2_kernel_winograd_column(const float *parameter, int row, int c,
    float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + row * 64 + c + l;
            lane[0][l] = from[0];
            lane[1][l] = from[2048];
            lane[2][l] = from[4096];
            lane[3][l] = from[6144];
            lane[4][l] = from[8192];
            lane[5][l] = from[10240];
            lane[6][l] = from[12288];
            lane[7][l] = from[14336];
            lane[8][l] = from[16384];
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_encoder_conv2_kernel_winograd_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_encoder_conv2_kernel_winograd_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 2048, t[q]);
    }
}

/* encoder.conv2.kernel, transformed */
void prepare_encoder_conv2_kernel_winograd(const float *restrict parameter, float *restrict packing)
{
    for (int block = 0; block < 64; block += 16) {
        const int width = 16;
        for (int row = 0; row < 32; row++)
            for (int c = 0; c < width; c += 8)
                prepare_encoder_conv2_kernel_winograd_column(parameter, row, block + c, packing
                    + block * 32 + row * width + c);
    }
}

/* encoder.conv2.bias, as it is */
void prepare_encoder_conv2_bias(const float *restrict parameter, float *restrict packing)
{
    for (int i = 0; i < 64; i++)
        packing[i] = parameter[i];
}

/* One line of G g: three taps to six points. */
static inline void prepare_encoder_conv3_kernel_winograd_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_encoder_conv3_kernel_winograd_column(const float *parameter, int row, int c,
    float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + row * 128 + c + l;
            lane[0][l] = from[0];
            lane[1][l] = from[8192];
            lane[2][l] = from[16384];
            lane[3][l] = from[24576];
            lane[4][l] = from[32768];
            lane[5][l] = from[40960];
            lane[6][l] = from[49152];
            lane[7][l] = from[57344];
            lane[8][l] = from[65536];
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_encoder_conv3_kernel_winograd_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_encoder_conv3_kernel_winograd_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 8192, t[q]);
    }
}

/* encoder.conv3.kernel, transformed */
void prepare_encoder_conv3_kernel_winograd(const float *restrict parameter, float *restrict packing)
{
    for (int block = 0; block < 128; block += 16) {
        const int width = 16;
        for (int row = 0; row < 64; row++)
            for (int c = 0; c < width; c += 8)
                prepare_encoder_conv3_kernel_winograd_column(parameter, row, block + c, packing
                    + block * 64 + row * width + c);
    }
}

/* encoder.conv3.bias, as it is */
void prepare_encoder_conv3_bias(const float *restrict parameter, float *restrict packing)
{
    for (int i = 0; i < 128; i++)
        packing[i] = parameter[i];
}

/* One line of G g: three taps to six points. */
static inline void prepare_decoder_conv1_kernel_winograd_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_decoder_conv1_kernel_winograd_column(const float *parameter, int row, int c,
    float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + row * 128 + c + l;
            lane[0][l] = from[0];
            lane[1][l] = from[16384];
            lane[2][l] = from[32768];
            lane[3][l] = from[49152];
            lane[4][l] = from[65536];
            lane[5][l] = from[81920];
            lane[6][l] = from[98304];
            lane[7][l] = from[114688];
            lane[8][l] = from[131072];
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_decoder_conv1_kernel_winograd_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_decoder_conv1_kernel_winograd_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 16384, t[q]);
    }
}

/* decoder.conv1.kernel, transformed */
void prepare_decoder_conv1_kernel_winograd(const float *restrict parameter, float *restrict packing)
{
    for (int block = 0; block < 128; block += 16) {
        const int width = 16;
        for (int row = 0; row < 128; row++)
            for (int c = 0; c < width; c += 8)
                prepare_decoder_conv1_kernel_winograd_column(parameter, row, block + c, packing
                    + block * 128 + row * width + c);
    }
}

/* decoder.conv1.bias, as it is */
void prepare_decoder_conv1_bias(const float *restrict parameter, float *restrict packing)
{
    for (int i = 0; i < 128; i++)
        packing[i] = parameter[i];
}

/* One line of G g: three taps to six points. */
static inline void prepare_decoder_conv2_kernel_winograd_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_decoder_conv2_kernel_winograd_column(const float *parameter, int row, int c,
    float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + row * 16 + (c + l) % 16;
        const int phase = (c + l) / 16;
        switch (phase) {
        case 0:
            lane[0][l] = from[0];
            lane[1][l] = from[2048] + from[4096];
            lane[3][l] = from[6144] + from[12288];
            lane[4][l] = from[8192] + from[10240] + from[14336] + from[16384];
            break;
        case 1:
            lane[1][l] = from[0] + from[2048];
            lane[2][l] = from[4096];
            lane[4][l] = from[6144] + from[8192] + from[12288] + from[14336];
            lane[5][l] = from[10240] + from[16384];
            break;
        case 2:
            lane[3][l] = from[0] + from[6144];
            lane[4][l] = from[2048] + from[4096] + from[8192] + from[10240];
            lane[6][l] = from[12288];
            lane[7][l] = from[14336] + from[16384];
            break;
        case 3:
            lane[4][l] = from[0] + from[2048] + from[6144] + from[8192];
            lane[5][l] = from[4096] + from[10240];
            lane[7][l] = from[12288] + from[14336];
            lane[8][l] = from[16384];
            break;
        }
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_decoder_conv2_kernel_winograd_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_decoder_conv2_kernel_winograd_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 8192, t[q]);
    }
}

/* decoder.conv2.kernel, transformed */
void prepare_decoder_conv2_kernel_winograd(const float *restrict parameter, float *restrict packing)
{
    for (int block = 0; block < 64; block += 16) {
        const int width = 16;
        for (int row = 0; row < 128; row++)
            for (int c = 0; c < width; c += 8)
                prepare_decoder_conv2_kernel_winograd_column(parameter, row, block + c, packing
                    + block * 128 + row * width + c);
    }
}

/* decoder.conv2.bias, as it is */
void prepare_decoder_conv2_bias(const float *restrict parameter, float *restrict packing)
{
    for (int i = 0; i < 16; i++)
        packing[i] = parameter[i];
}

/* One line of G g: three taps to six points. */
static inline void prepare_decoder_conv3_kernel_winograd_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_decoder_conv3_kernel_winograd_column(const float *parameter, int row, int c,
    float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8 && c + l < 12; l++) {
        const float *from = parameter + row * 3 + (c + l) % 3;
        const int phase = (c + l) / 3;
        switch (phase) {
        case 0:
            lane[0][l] = from[0];
            lane[1][l] = from[48] + from[96];
            lane[3][l] = from[144] + from[288];
            lane[4][l] = from[192] + from[240] + from[336] + from[384];
            break;
        case 1:
            lane[1][l] = from[0] + from[48];
            lane[2][l] = from[96];
            lane[4][l] = from[144] + from[192] + from[288] + from[336];
            lane[5][l] = from[240] + from[384];
            break;
        case 2:
            lane[3][l] = from[0] + from[144];
            lane[4][l] = from[48] + from[96] + from[192] + from[240];
            lane[6][l] = from[288];
            lane[7][l] = from[336] + from[384];
            break;
        case 3:
            lane[4][l] = from[0] + from[48] + from[144] + from[192];
            lane[5][l] = from[96] + from[240];
            lane[7][l] = from[288] + from[336];
            lane[8][l] = from[384];
            break;
        }
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_decoder_conv3_kernel_winograd_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_decoder_conv3_kernel_winograd_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 256, t[q]);
    }
}

/* decoder.conv3.kernel, transformed */
void prepare_decoder_conv3_kernel_winograd(const float *restrict parameter, float *restrict packing)
{
    for (int block = 0; block < 16; block += 16) {
        const int width = 16;
        for (int row = 0; row < 16; row++)
            for (int c = 0; c < width; c += 8)
                prepare_decoder_conv3_kernel_winograd_column(parameter, row, block + c, packing
                    + block * 16 + row * width + c);
    }
}

/* decoder.conv3.bias, as it is */
void prepare_decoder_conv3_bias(const float *restrict parameter, float *restrict packing)
{
    for (int i = 0; i < 3; i++)
        packing[i] = parameter[i];
    for (int i = 3; i < 8; i++)
        packing[i] = 0;
}

/* One line of G g: three taps to six points. */
static inline void prepare_decoder_conv3_kernel_winograd_turned_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_decoder_conv3_kernel_winograd_turned_column(const float *parameter, int row,
    int c, float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + (c + l) * 3 + row % 3;
        const int phase = row / 3;
        switch (phase) {
        case 0:
            lane[0][l] = from[0];
            lane[1][l] = from[48] + from[96];
            lane[3][l] = from[144] + from[288];
            lane[4][l] = from[192] + from[240] + from[336] + from[384];
            break;
        case 1:
            lane[1][l] = from[0] + from[48];
            lane[2][l] = from[96];
            lane[4][l] = from[144] + from[192] + from[288] + from[336];
            lane[5][l] = from[240] + from[384];
            break;
        case 2:
            lane[3][l] = from[0] + from[144];
            lane[4][l] = from[48] + from[96] + from[192] + from[240];
            lane[6][l] = from[288];
            lane[7][l] = from[336] + from[384];
            break;
        case 3:
            lane[4][l] = from[0] + from[48] + from[144] + from[192];
            lane[5][l] = from[96] + from[240];
            lane[7][l] = from[288] + from[336];
            lane[8][l] = from[384];
            break;
        }
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_decoder_conv3_kernel_winograd_turned_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_decoder_conv3_kernel_winograd_turned_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 192, t[q]);
    }
}

/* decoder.conv3.kernel, transformed, turned, for dX */
void prepare_decoder_conv3_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing)
{
    for (int block = 0; block < 16; block += 16) {
        const int width = 16;
        for (int row = 0; row < 12; row++)
            for (int c = 0; c < width; c += 8)
                prepare_decoder_conv3_kernel_winograd_turned_column(parameter, row, block + c,
                    packing + block * 12 + row * width + c);
    }
}

/* One line of G g: three taps to six points. */
static inline void prepare_decoder_conv2_kernel_winograd_turned_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_decoder_conv2_kernel_winograd_turned_column(const float *parameter, int row,
    int c, float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + (c + l) * 16 + row % 16;
        const int phase = row / 16;
        switch (phase) {
        case 0:
            lane[0][l] = from[0];
            lane[1][l] = from[2048] + from[4096];
            lane[3][l] = from[6144] + from[12288];
            lane[4][l] = from[8192] + from[10240] + from[14336] + from[16384];
            break;
        case 1:
            lane[1][l] = from[0] + from[2048];
            lane[2][l] = from[4096];
            lane[4][l] = from[6144] + from[8192] + from[12288] + from[14336];
            lane[5][l] = from[10240] + from[16384];
            break;
        case 2:
            lane[3][l] = from[0] + from[6144];
            lane[4][l] = from[2048] + from[4096] + from[8192] + from[10240];
            lane[6][l] = from[12288];
            lane[7][l] = from[14336] + from[16384];
            break;
        case 3:
            lane[4][l] = from[0] + from[2048] + from[6144] + from[8192];
            lane[5][l] = from[4096] + from[10240];
            lane[7][l] = from[12288] + from[14336];
            lane[8][l] = from[16384];
            break;
        }
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_decoder_conv2_kernel_winograd_turned_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_decoder_conv2_kernel_winograd_turned_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 8192, t[q]);
    }
}

/* decoder.conv2.kernel, transformed, turned, for dX */
void prepare_decoder_conv2_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing)
{
    for (int block = 0; block < 128; block += 16) {
        const int width = 16;
        for (int row = 0; row < 64; row++)
            for (int c = 0; c < width; c += 8)
                prepare_decoder_conv2_kernel_winograd_turned_column(parameter, row, block + c,
                    packing + block * 64 + row * width + c);
    }
}

/* One line of G g: three taps to six points. */
static inline void prepare_decoder_conv1_kernel_winograd_turned_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_decoder_conv1_kernel_winograd_turned_column(const float *parameter, int row,
    int c, float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + (c + l) * 128 + row;
            lane[0][l] = from[0];
            lane[1][l] = from[16384];
            lane[2][l] = from[32768];
            lane[3][l] = from[49152];
            lane[4][l] = from[65536];
            lane[5][l] = from[81920];
            lane[6][l] = from[98304];
            lane[7][l] = from[114688];
            lane[8][l] = from[131072];
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_decoder_conv1_kernel_winograd_turned_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_decoder_conv1_kernel_winograd_turned_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 16384, t[q]);
    }
}

/* decoder.conv1.kernel, transformed, turned, for dX */
void prepare_decoder_conv1_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing)
{
    for (int block = 0; block < 128; block += 16) {
        const int width = 16;
        for (int row = 0; row < 128; row++)
            for (int c = 0; c < width; c += 8)
                prepare_decoder_conv1_kernel_winograd_turned_column(parameter, row, block + c,
                    packing + block * 128 + row * width + c);
    }
}

/* One line of G g: three taps to six points. */
static inline void prepare_encoder_conv3_kernel_winograd_turned_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_encoder_conv3_kernel_winograd_turned_column(const float *parameter, int row,
    int c, float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + (c + l) * 128 + row;
            lane[0][l] = from[0];
            lane[1][l] = from[8192];
            lane[2][l] = from[16384];
            lane[3][l] = from[24576];
            lane[4][l] = from[32768];
            lane[5][l] = from[40960];
            lane[6][l] = from[49152];
            lane[7][l] = from[57344];
            lane[8][l] = from[65536];
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_encoder_conv3_kernel_winograd_turned_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_encoder_conv3_kernel_winograd_turned_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 8192, t[q]);
    }
}

/* encoder.conv3.kernel, transformed, turned, for dX */
void prepare_encoder_conv3_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing)
{
    for (int block = 0; block < 64; block += 16) {
        const int width = 16;
        for (int row = 0; row < 128; row++)
            for (int c = 0; c < width; c += 8)
                prepare_encoder_conv3_kernel_winograd_turned_column(parameter, row, block + c,
                    packing + block * 128 + row * width + c);
    }
}

/* One line of G g: three taps to six points. */
static inline void prepare_encoder_conv2_kernel_winograd_turned_g(vec g0, vec g1, vec g2, vec *u)
{
    const vec even = g0 + 0.390625f * g2, far_even = g0 + 2.25f * g2;
    u[0] = g0 * 1.13777778f;
    u[1] = (even + 0.625f * g1) * -0.688403361f;
    u[2] = (even - 0.625f * g1) * -0.688403361f;
    u[3] = (far_even + 1.5f * g1) * 0.119514472f;
    u[4] = (far_even - 1.5f * g1) * 0.119514472f;
    u[5] = g2;
}

/* The taps of one row and 8 columns, from column c on, to the 36 points of to. */
static void prepare_encoder_conv2_kernel_winograd_turned_column(const float *parameter, int row,
    int c, float *to)
{
    float lane[9][8] = {{0}};
    vec g[9], u[6][3], t[6];
    for (int l = 0; l < 8; l++) {
        const float *from = parameter + (c + l) * 64 + row;
            lane[0][l] = from[0];
            lane[1][l] = from[2048];
            lane[2][l] = from[4096];
            lane[3][l] = from[6144];
            lane[4][l] = from[8192];
            lane[5][l] = from[10240];
            lane[6][l] = from[12288];
            lane[7][l] = from[14336];
            lane[8][l] = from[16384];
    }
    for (int i = 0; i < 9; i++)
        g[i] = load(lane[i]);
    for (int j = 0; j < 3; j++) {
        prepare_encoder_conv2_kernel_winograd_turned_g(g[j], g[3 + j], g[6 + j], t);
        for (int p = 0; p < 6; p++)
            u[p][j] = t[p];
    }
    for (int p = 0; p < 6; p++) {
        prepare_encoder_conv2_kernel_winograd_turned_g(u[p][0], u[p][1], u[p][2], t);
        for (int q = 0; q < 6; q++)
            store(to + (p * 6 + q) * 2048, t[q]);
    }
}

/* encoder.conv2.kernel, transformed, turned, for dX */
void prepare_encoder_conv2_kernel_winograd_turned(const float *restrict parameter,
                                                  float *restrict packing)
{
    for (int block = 0; block < 32; block += 16) {
        const int width = 16;
        for (int row = 0; row < 64; row++)
            for (int c = 0; c < width; c += 8)
                prepare_encoder_conv2_kernel_winograd_turned_column(parameter, row, block + c,
                    packing + block * 64 + row * width + c);
    }
}
