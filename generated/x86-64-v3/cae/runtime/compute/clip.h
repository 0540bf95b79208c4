/* clip.h - bounds on the gradient before an update. g is the mean gradient of the batch; at most one of the three is set (Keras's names without
 * and with the underscore):
 *
 *     clip_norm           each parameter's g is scaled down to a Euclidean norm of at most this          (clipnorm)
 *     global_clip_norm    all of them together likewise                                                  (global_clipnorm; PyTorch's clip_grad_norm_)
 *     clip_value          each number of g is brought into -clip_value .. clip_value                     (clipvalue) */
#ifndef CAEC_CLIP_H
#define CAEC_CLIP_H

#include "model.h"

/* Of gradient[model->parameter_reals], which holds g / scale; the bounds are those of g. */
void clip_gradient(const Model *model, const ModelTraining *training, real *gradient, double scale);

#endif
