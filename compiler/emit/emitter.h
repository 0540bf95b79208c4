/* emitter.h - how a plan becomes a folder of files, whatever is in it: templates expanded, kernels
   and packings, and all saved at the end. */
#ifndef CAEC_EMITTER_H
#define CAEC_EMITTER_H

#include "../base/folder.h"
#include "../base/lua.h"
#include "../base/table.h"
#include "emit_options.h"

typedef struct Emitter {
    lua_State *L; /* template.lua's expand is at index 1, the model's holes at index 2 */
    const Plan *plan;
    const EmitOptions *options;
    SavedText *files;
    int file_count;
    Table names; /* of the files */
} Emitter;

/* With the holes of the skeletons, but for the programs. */
Emitter emitter_open(const Plan *plan, const EmitOptions *options);

/* a file for each kernel, and one for the packings of weights */
void emitter_kernels(Emitter *e);
/* the holes train, encode, decode and stages; wants the kernels */
void emitter_programs(Emitter *e);
void emitter_skeleton(Emitter *e, const char *template, const char *file);
void emitter_file(Emitter *e, const char *name, Text text); /* the name is kept */
/* a file that caec carries, as it is */
void emitter_copy(Emitter *e, const char *embedded, const char *file);

/* Saves all files, as folder_save() does. */
void emitter_save(Emitter *e);

/* A state with template.lua's expand at index 1. */
lua_State *templates_open(void);

/* Expands a template with the table of holes at the top of the stack, which it replaces by the
   prototype, the list of argument names and the number of units (nil: the work is not divided). */
Text template_expand(lua_State *L, const char *name);

#endif
