/* Random illegal graphs: legal ones with one thing wrong in them. Each is refused with its line,
 * the source line below and a caret under the place, exit code 1, and nothing written. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"
#include "draw.h"
#include "files.h"
#include "illegal/mutate.h"
#include "numbers.h"
#include "process.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

static struct {
    Mutated mutated;
    Drawn *drawn;
    char *options;
    int legal;
} current;

/* Whether caec takes the graph, as it may where bytes were changed anyhow. */
static bool is_taken(const Mutated *mutated)
{
    char *folder = folder_new(), *path = text_of("%s/net.lua", folder);
    file_write(path, mutated->text, mutated->length);
    Result result = run_caec(folder, "net.lua --target c --no-runtime -o .");
    bool taken = result.exit_code == 0;
    if (taken)
        assert_string_equal(result.err, "");
    result_free(&result);
    free(path);
    folder_remove(folder);
    return taken;
}

static void one(void **state)
{
    const Number *number = *state;
    uint64_t choices = draw_state(number->seed, number->number, 3);
    current.drawn = draw_net(number->seed, number->number);
    current.mutated = mutate(&current.drawn->net, &choices);
    current.options = text_of("(%s)", current.mutated.how);
    numbers_under_test(&current.mutated.text, &current.options);
    if (current.mutated.perhaps && is_taken(&current.mutated))
        current.legal++;
    else
        want_refused(current.mutated.text, current.mutated.length, current.mutated.line,
                     current.mutated.whole);
    numbers_passed();
}

static int end(void **state)
{
    numbers_end(*state);
    if (current.drawn)
        drawn_free(current.drawn);
    free(current.mutated.text);
    free(current.options);
    current.drawn = NULL;
    current.options = NULL;
    current.mutated = (Mutated){ 0 };
    return 0;
}

static void report(void **state)
{
    (void)state;
    print_message("%d of the graphs were legal still\n", current.legal);
}

int main(void)
{
    return numbers_run("random illegal graphs", "illegal", 30, one, end, report);
}
