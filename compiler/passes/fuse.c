#include "passes.h"

#include "../base/arena.h"
#include "../ops/ops.h"

#include <string.h>

/* The only reader of a node on the way to the output, where it is the only one; beside a pool its
   by-product does not count. Where the loss, gradients or a stage of training read it too, the plan
   takes the reader into the fusion only in programs that do not need the value itself (training
   needs what inference does not). NULL: none, several, or the programs want the value. */
static Node *only_user(const Graph *graph, const Users *all, const Node *node)
{
    if (node == graph->latent || node == graph->output)
        return NULL;
    Node *users[2] = { 0 };
    int n = 0;
    for (int i = all->first[node->id]; i < all->first[node->id + 1]; i++) {
        Node *user = all->node[i];
        if (node_is_loss(user) || user->backward || user->stage != node->stage)
            continue;
        if (n == 2)
            return NULL;
        users[n++] = user;
    }
    if (n < 2)
        return users[0];
    return node_is_by_product(users[1], users[0])   ? users[0]
           : node_is_by_product(users[0], users[1]) ? users[1]
                                                    : NULL;
}

static Node *codes_of(const Users *all, const Node *pool)
{
    const int of = pool->input[0]->id;
    for (int i = all->first[of]; i < all->first[of + 1]; i++)
        if (node_is_by_product(all->node[i], pool))
            return all->node[i];
    return NULL;
}

/* A max-pool is computed before the activation, which must not change which value wins; where the
   network reads the places themselves, nor whether two are equal but where that is seen (see
   max_unpool2d). */
static bool may_follow(const Users *all, const Node *act, const Node *pool)
{
    if (!act || node_averages(pool))
        return true;
    const Node *codes = act->op->flat_above ? codes_of(all, pool) : NULL;
    for (int i = codes ? all->first[codes->id] : 0; codes && i < all->first[codes->id + 1]; i++)
        if (!all->node[i]->backward)
            return false;
    return act->op->monotone;
}

/* Bias, activation and pool after a core. */
static void follow(const Graph *graph, const Users *all, Fusion *fusion)
{
    Node *last = fusion->core, *next = only_user(graph, all, last);
    if (node_has_role(next, ROLE_BIAS)) {
        fusion->bias = last = next;
        next = only_user(graph, all, last);
    }
    if (node_has_role(next, ROLE_ACTIVATION)) {
        fusion->act = last = next;
        next = only_user(graph, all, last);
    }
    if (node_has_role(next, ROLE_POOL) && pool_is_plain(next)
        && may_follow(all, fusion->act, next)) {
        fusion->pool = next;
        fusion->codes = codes_of(all, next);
    }
}

static bool is_gradient_of(const Node *node, const Node *of)
{
    return node && of && node->op->gradient_of == of->op;
}

/* Whether the node is a gradient of that very node: others may read the same kernel. */
static bool belongs_to(const Node *node, const Node *of)
{
    return is_gradient_of(node, of) && node->stage == of->stage
           && strcmp(node->layer, of->layer) == 0;
}

/* dX of the core: it reads the core's kernel as the core does, as input 1. */
static Node *find_dx(const Users *all, const Node *core)
{
    const Node *kernel = core->input[1];
    for (int i = all->first[kernel->id]; i < all->first[kernel->id + 1]; i++) {
        Node *node = all->node[i];
        if (belongs_to(node, core) && node->op->direction == DIRECTION_DX
            && node->input[1] == kernel)
            return node;
    }
    return NULL;
}

/* That by the node's parameter, among all that the parameter has. */
static Node *find_gradient(const Node *of, Node *gradient)
{
    while (gradient && !belongs_to(gradient_last(gradient), of))
        gradient = gradient_before(gradient);
    return gradient ? gradient_last(gradient) : NULL;
}

/* What the gradient of its activation reads, as `commute` leaves it. */
static const Node *read_by_gradient(const Fusion *fusion)
{
    if (fusion->act->op->gradient_from_x)
        return fusion->act->input[0];
    return node_takes_maximum(fusion->pool) ? fusion->pool : fusion->act;
}

/* What arrives at the gradients comes through d_pool and d_act. */
static void find_arriving(Fusion *fusion, Node *dy)
{
    bool max = node_takes_maximum(fusion->pool);
    if (max && is_gradient_of(dy, fusion->pool) && dy->input[0] == fusion->codes) {
        fusion->d_pool = dy;
        dy = dy->input[1];
    }
    if (is_gradient_of(dy, fusion->act) && dy->input[0] == read_by_gradient(fusion)) {
        fusion->d_act = dy;
        dy = dy->input[1];
    }
    if (!max && (fusion->d_act || !fusion->act) && is_gradient_of(dy, fusion->pool))
        fusion->d_pool = dy;
}

/* The backward half: dw reads the core's input, dx its kernel. */
static void find_backward(const Graph *graph, const Users *all, Fusion *fusion)
{
    const int stage = fusion->core->stage;
    for (int i = 0; i < graph->parameter_count; i++) {
        const Node *parameter = graph->parameters[i].node;
        if (parameter == fusion->core->input[1])
            fusion->dw = find_gradient(fusion->core, graph_gradient(graph, stage, i));
        if (fusion->bias && parameter == fusion->bias->input[1])
            fusion->db = find_gradient(fusion->bias, graph_gradient(graph, stage, i));
    }
    fusion->dx = find_dx(all, fusion->core);
    find_arriving(fusion, fusion->dw ? fusion->dw->input[1] : NULL);
}

/* Of what leads a fusion without a kernel: its gradients, and how what arrives comes to them. */
static void find_gradients(const Users *all, Fusion *fusion)
{
    const Node *x = fusion->core->input[0];
    for (int i = all->first[x->id]; i < all->first[x->id + 1]; i++) {
        Node *node = all->node[i];
        if (!is_gradient_of(node, fusion->core) || node->input[1] != fusion->core->input[1])
            continue;
        if (node->op->direction == DIRECTION_DX)
            fusion->dx = node;
        else
            fusion->dw = node;
    }
    const Node *reader = fusion->dw;
    find_arriving(fusion, reader ? reader->input[reader->op->arity - 1] : NULL);
}

static Fusion *add_fusion(Graph *graph, const char *name, Node *core)
{
    Fusion *fusion = ARENA_NEW(Fusion);
    fusion->name = name;
    fusion->core = core;
    graph->fusions = arena_more(graph->fusions, graph->fusion_count, sizeof *graph->fusions);
    return graph->fusions[graph->fusion_count++] = fusion;
}

/* Of a layer with several kernels, each of whose cores has a fusion, that of "sepconv1.x_kernel" is
   called "sepconv1.x"; elsewhere as the layer. */
static const char *name_of_core(const Node *core)
{
    static const char end[] = "_kernel";
    const Node *weights = core->input[1];
    const char *kernel = (weights->op->prepared ? weights->input[0] : weights)->name;
    const size_t length = strlen(kernel), rest = sizeof end - 1;
    if (length < rest || strcmp(kernel + length - rest, end) != 0)
        return core->layer;
    return arena_copy(kernel, length - rest);
}

/* The first that has a node keeps it. */
static void take(Graph *graph, Fusion *fusion)
{
    FusionPart parts[FUSION_PARTS];
    int count = fusion_parts(fusion, parts);
    for (int i = 0; i < count; i++)
        if (parts[i].node && !graph->fusion_of[parts[i].node->id])
            graph->fusion_of[parts[i].node->id] = fusion;
}

/* Backwards, so that of two parameters with one gradient the first counts. */
static void mark_gradients(Graph *graph)
{
    for (int p = 0; p <= graph_partial_stages(graph); p++)
        for (int i = graph->parameter_count - 1; i >= 0; i--) {
            Node *all = graph_gradient(graph, p, i);
            for (; all; all = gradient_before(all))
                if (gradient_last(all)->stage == p)
                    gradient_last(all)->parameter = i + 1;
        }
}

void pass_fuse(Graph *graph)
{
    const Users all = graph_all_users(graph);
    graph->fusion_of = ARENA_ARRAY(Fusion *, graph->count);
    for (int i = 0; i < graph->count; i++) {
        Node *node = graph->nodes[i];
        if (graph->fusion_of[i] || node->op->arity == 0 || node->op->sums_gradients
            || node->op->prepared)
            continue;
        Fusion *fusion = add_fusion(
            graph, node_heads_fusion(node) ? name_of_core(node) : node->name, node);
        if (node_heads_fusion(node) || node->op->leads)
            follow(graph, &all, fusion);
        if (node_heads_fusion(node) && !node->infer)
            find_backward(graph, &all, fusion);
        if (node->op->leads && !node->infer)
            find_gradients(&all, fusion);
        take(graph, fusion);
    }
    mark_gradients(graph);
}
