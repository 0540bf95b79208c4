#include "list.h"

#include "../ir/target.h"
#include "../kernels/kernel.h"
#include "../ops/ops.h"
#include "../passes/pipeline.h"

#include <stdio.h>
#include <string.h>

static void list_word(const char *kind, const char *word, const char *about, const ArgSpec *args)
{
    const char *text = args ? args_text(args) : NULL;
    printf("%-9s %-18s %s%s%s%s\n", kind, word, about, text ? " { " : "", text ? text : "",
           text ? " }" : "");
}

static void list_ops(void)
{
    for (int i = 0; layer_specs[i]; i++)
        list_word("layer", layer_specs[i]->word, layer_specs[i]->about, layer_specs[i]->args);
    for (int i = 0; loss_specs[i]; i++)
        list_word("loss", loss_specs[i]->word, loss_specs[i]->about, loss_specs[i]->args);
    for (int i = 0; optimizer_specs[i]; i++)
        list_word("optimizer", optimizer_specs[i]->word, optimizer_specs[i]->about,
                  optimizer_specs[i]->args);
    for (int i = 0; schedule_specs[i]; i++)
        list_word("schedule", schedule_specs[i]->word, schedule_specs[i]->about,
                  schedule_specs[i]->args);
    for (int i = 0; all_ops[i]; i++)
        printf("operator  %s\n", all_ops[i]->name);
}

static void list_kernels(void)
{
    for (int i = 0; all_kernels[i]; i++)
        printf("%-14s %s\n", all_kernels[i]->name, all_kernels[i]->about);
}

static void list_targets(void)
{
    for (int i = 0; i < target_count; i++)
        printf("%-12s %3d-bit vectors  tested: %-16s %s\n", targets[i].name,
               targets[i].vector_bytes * 8, targets[i].tested, targets[i].about);
    printf("%-12s here: %s\n", "native", target_find("native")->name);
}

static const struct {
    const char *what;
    void (*print)(void);
} lists[] = {
    { "passes", pipeline_list },
    { "ops", list_ops },
    { "kernels", list_kernels },
    { "targets", list_targets },
};

bool list_print(const char *what, bool print)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (strcmp(lists[i].what, what) == 0) {
            if (print)
                lists[i].print();
            return true;
        }
    return false;
}
