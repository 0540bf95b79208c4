/* clip.h - bounds on the gradient before an update. g is the mean gradient of the batch; at most
 * one of the three is set (Keras's names without and with the underscore):
 *     clip_norm           clipnorm: scales each parameter's g down to at most this Euclidean norm
 *     global_clip_norm    global_clipnorm, PyTorch's clip_grad_norm_: all of them together likewise
 *     clip_value          clipvalue: brings each number of g into -clip_value .. clip_value */
#ifndef CAEC_CLIP_H
#define CAEC_CLIP_H

#include "model.h"

/* Of gradient[model->parameter_reals], which holds g / scale; the bounds are those of g. */
void clip_gradient(const Model *model, const ModelTraining *training, real *gradient, double scale);

#endif
