/* emitter.h - how a plan becomes a folder of files, whatever is in it: templates expanded, kernels
   and packings, and all saved at the end. */
#ifndef CAEC_EMITTER_H
#define CAEC_EMITTER_H

#include "../base/folder.h"
#include "../base/lua.h"
#include "../base/table.h"
#include "emit.h"

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

/* library_weights.c: the file or files with the weights that options->trained holds, in the
   packings that inference reads. */
void emitter_weights(Emitter *e);

/* Saves all files, as folder_save() does. */
void emitter_save(Emitter *e);

/* For those who fill the table of holes. */
lua_State *templates_open(void);
Text template_expand(lua_State *L, const char *name);
/* the table at the top goes to the end of the list below it */
void append_item(lua_State *L);
const char *upper(const char *name);
const char *shortest(double x); /* decimal that gives the number back */

/* emit.c: the holes of the skeletons; programs.c: those of programs. */
void push_model(lua_State *L, const Plan *plan, const EmitOptions *options);
void set_programs(lua_State *L, const Plan *plan);
/* a row of the list `packings` of the skeletons: name, id (in capitals), parameters (the ids of all
   that the packing is made of), offset, count, training */
void push_packing_row(lua_State *L, const Packing *packing);

#endif
