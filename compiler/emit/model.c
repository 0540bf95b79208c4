#include "model.h"

#include "../base/arena.h"
#include "../base/embedded.h"
#include "emit.h"
#include "emitter.h"
#include "holes.h"

#include <string.h>

static void copy_runtime(Emitter *e)
{
    for (int i = 0; embedded_files[i].name; i++)
        if (strncmp(embedded_files[i].name, "runtime/", 8) == 0)
            emitter_copy(e, embedded_files[i].name, embedded_files[i].name);
}

void emit_model(const Plan *plan, const EmitOptions *options)
{
    const char *name = plan->graph->name;
    Emitter e = emitter_open(plan, options);
    emitter_kernels(&e);
    emitter_programs(&e);
    emitter_skeleton(&e, "kernels.h.in", arena_format("%s_kernels.h", name));
    if (own_math(plan))
        emitter_skeleton(&e, "math.h.in", arena_format("%s_math.h", name));
    emitter_skeleton(&e, "supported.c.in", arena_format("%s_supported.c", name));
    emitter_skeleton(&e, "model.h.in", arena_format("%s.h", name));
    emitter_skeleton(&e, plan->microbatch > 1 ? "model_microbatch.c.in" : "model.c.in",
                     arena_format("%s.c", name));
    emitter_skeleton(&e, "CMakeLists.txt.in", "CMakeLists.txt");
    emitter_skeleton(&e, "README.md.in", "README.md");
    if (options->runtime)
        copy_runtime(&e);
    emitter_save(&e);
}

void emit_function(Text *out, const Plan *plan, const Step *step)
{
    lua_State *L = templates_open();
    push_step_holes(L, plan, step);
    *out = template_expand(L, step->kernel->text(step->core));
    lua_close(L);
}
