"""The vocabulary: which files move, and which words change in which files. Read by rename.py.

A "part" is a piece of an identifier between underscores (or a whole word of prose): phase_count has the parts phase and
count. Parts map in lower case; STAGE_PARTS follows stage. "whole" maps whole identifiers and wins over parts. "regex" comes
first. What KEEP matches is left alone, whatever the maps say. Globs are of paths as they are after the moves; ** crosses
folders. Later rules win.
"""

MOVES = [
    ("compiler/passes/group.c", "compiler/passes/fuse.c"),
    ("compiler/passes/separate.c", "compiler/passes/split_inference.c"),
    ("compiler/plan/group.c", "compiler/plan/microbatch.c"),
    ("compiler/program/group.c", "compiler/program/microbatch.c"),
    ("compiler/plan/change.c", "compiler/plan/savings.c"),
    ("compiler/budget/change.c", "compiler/budget/savings.c"),
    ("compiler/budget/changes.c", "compiler/budget/savings.c"),
    ("compiler/front/meant.c", "compiler/front/suggest.c"),
    ("compiler/front/meant.h", "compiler/front/suggest.h"),
    ("compiler/kernels/blank.c.in", "compiler/kernels/zero_windows.c.in"),
    ("compiler/kernels/forms.c", "compiler/kernels/packings.c"),
    ("compiler/kernels/forms.h", "compiler/kernels/packings.h"),
    ("compiler/kernels/form_values.c", "compiler/kernels/packing_values.c"),
    ("compiler/kernels/form_blocks.c.in", "compiler/kernels/packing_blocks.c.in"),
    ("compiler/kernels/form_columns.c.in", "compiler/kernels/packing_columns.c.in"),
    ("compiler/kernels/form_folded.c.in", "compiler/kernels/packing_folded.c.in"),
    ("compiler/kernels/form_line.c.in", "compiler/kernels/packing_line.c.in"),
    ("compiler/kernels/form_plain.c.in", "compiler/kernels/packing_plain.c.in"),
    ("compiler/kernels/form_turned.c.in", "compiler/kernels/packing_turned.c.in"),
    ("compiler/kernels/form_winograd.c.in", "compiler/kernels/packing_winograd.c.in"),
    ("compiler/emit/model_group.c.in", "compiler/emit/model_microbatch.c.in"),
    ("tests/support/groups.c", "tests/support/microbatches.c"),
    ("tests/golden/plan_groups.txt", "tests/golden/plan_microbatch.txt"),
    ("tests/golden/plan_groups_least.txt", "tests/golden/plan_microbatch_least.txt"),
    ("tests/golden/plan_groups_limited.txt", "tests/golden/plan_microbatch_limited.txt"),
    ("tests/golden/plan_groups_plain.txt", "tests/golden/plan_microbatch_plain.txt"),
]

TEXT = ["compiler/**", "runtime/**", "tests/**", "cmake/**", "CMakeLists.txt", "graphs/**", "docs/**", "README.md",
        "SECURITY.md", "CONTRIBUTING.md", ".ci/**", "demo.sh", "test.sh"]
NOT_TEXT = ["tests/golden/*.txt", "tests/mutants.txt", "tests/hostile/corpus/**", "**/*.png", "**/*.svg", "**/*.json", "**/*.safetensors",
            "graphs/*.lua", "tests/reference/**"]

PLAN = ["compiler/plan/**", "compiler/program/**", "compiler/budget/**"]
PACK = PLAN + ["compiler/kernels/**", "compiler/packing/**", "compiler/emit/**"]

RULES = [
    # The user's stages of training. In kernels/ and images/ a phase is a phase.
    dict(files=["compiler/**"], without=["compiler/kernels/**"],
         parts=dict(phase="stage", phases="stages"), whole=dict(Phase="Stage", graph_parts="graph_partial_stages")),
    # A core operator and its epilogue, with the backward half of both.
    dict(files=["compiler/**", "tests/unit/**", "tests/support/**"],
         whole=dict(heads_stage="heads_fusion", node_heads_stage="node_heads_fusion", Stage="Fusion",
                    StagePart="FusionPart", STAGE_PARTS="FUSION_PARTS", stage_parts="fusion_parts")),
    dict(files=PLAN + ["compiler/ir/*", "compiler/passes/fuse.c", "compiler/passes/commute.c",
                       "compiler/passes/passes.h", "compiler/tune/tune.c"],
         parts=dict(stage="fusion", stages="fusions")),
    dict(files=["compiler/kernels/*.c", "compiler/kernels/*.h", "compiler/kernels/*/*.c", "compiler/kernels/*/*.h"],
         parts=dict(stage="fusion")),
    dict(files=["compiler/main.c", "compiler/options.c", "compiler/plan/tuning.[ch]", "compiler/tune/tune.c"],
         regex=[(r"\b(const char \*|char )stage\b", r"\1layer"), (r"\.stage = stage\b", ".fusion = layer"),
                (r"\bforce\.stage\b", "force.fusion"), (r"\]\.stage\b", "].fusion"), (r"(forces\[\w+\])\.pass\b", r"\1.direction"), (r"\brow->stage\b", "row->layer"),
                (r"\((&?\w*)stage, ", r"(\1layer, "), (r", stage, pass,", ", layer, pass,"),
                (r", stage\)", ", layer)"), (r"strlen\(stage\)", "strlen(layer)"), (r"strrchr\(stage", "strrchr(layer"),
                (r"\(stage\b", "(layer"), (r"- stage\)", "- layer)")]),
    # What a step computes.
    dict(files=PLAN + ["compiler/kernels/kernel.h", "compiler/kernels/step.h", "compiler/tune/**",
                       "compiler/emit/programs.c"],
         parts={"pass": "direction"}, whole=dict(pass_name="direction_of")),
    dict(files=["compiler/emit/**/*.in", "compiler/emit/*.in"],
         regex=[(r"\bs\.pass\b", "s.direction")]),
    dict(files=["compiler/main.c", "compiler/options.c"],
         regex=[(r"\bforce\.pass\b", "force.direction"), (r"\bstep->pass\b", "step->direction"),
                (r"\bpass_names\b", "directions"), (r"\blong pass\b", "long direction"), (r"\bpass = value", "direction = value"),
                (r"directions\[pass\]", "directions[direction]")]),
    dict(files=["runtime/**", "tests/**/*.c"],
         regex=[(r"\bstep->pass\b", "step->direction"), (r"\bs->pass\b", "s->direction"), (r"\bfound->pass\b", "found->direction"),
                (r"(steps\[[^\]]*\])\.pass\b", r"\1.direction"), (r"const char \*layer, \*pass\b", "const char *layer, *direction"),
                (r"const char \*pass;( +)/\* \"forward\"", r'const char *direction;\1/* "forward"'),
                (r"\"layer\", \"pass\", \"kernel\", \"ms\", \"GFLOP", '"layer", "direction", "kernel", "ms", "GFLOP')]),
    # Weights as a kernel reads them.
    dict(files=PACK, parts=dict(form="packing", forms="packings"), whole=dict(Form="Packing")),
    dict(files=["compiler/emit/**", "compiler/kernels/**", "compiler/packing/**"] + PLAN,
         whole=dict(late="on_use", late_at="on_use_at", late_forms="on_use_packings", late_count="on_use_count",
                    make_late="pack_on_use", push_late_holes="push_on_use_holes", set_late="set_on_use",
                    try_late="try_packing_on_use", CHANGE_LATE="SAVING_ON_USE")),
    # Images that go through a dense layer together.
    dict(files=PLAN + ["compiler/kernels/dense*", "compiler/kernels/dense/*", "compiler/kernels/kernel.h", "compiler/emit/emit.c",
                       "compiler/emit/holes*.c", "compiler/emit/skeleton*.c", "compiler/emit/emitter.[ch]", "compiler/emit/programs.c",
                       "compiler/emit/model*.in", "compiler/emit/template.lua", "runtime/model.h",
                       "runtime/infer/infer.[ch]", "runtime/infer/bench_infer.c", "runtime/train/bench_train.[ch]",
                       "runtime/train/trainer*.[ch]", "tests/runtime/tiny_model.[ch]", "tests/runtime/test_trainer.c",
                       "tests/runtime/test_infer_engine.c", "tests/support/microbatches.c", "tests/support/drive.h"],
         parts=dict(group="microbatch", groups="microbatches", grouped="batched"),
         whole=dict(GROUP_MOST="MAX_MICROBATCH", GROUP_LEAST="MIN_MICROBATCH", ModelLossGroup="ModelLossMicrobatch",
                    plan_is_grouped="plan_is_batched", TINY_GROUP="TINY_MICROBATCH")),
    dict(files=["tests/**/*.c", "tests/**/*.h"],
         regex=[(r"\b(model|m|large|limited\.model|ordinary\.model)(->|\.)group\b", r"\1\2microbatch"),
                (r"(\")group: ", r"\1microbatch: "), (r'"group:"', '"microbatch:"')],
         whole=dict(check_groups="check_microbatches", check_group="check_microbatch",
                    check_groups_by="check_microbatches_by", groups_are_their_images="microbatches_are_their_images",
                    net_groups="net_microbatches", groups_become_smaller="microbatches_become_smaller",
                    dense_layers_take_groups="dense_layers_take_microbatches",
                    large_values_go_in_smaller_groups="large_values_go_in_smaller_microbatches",
                    tiny_grouped="tiny_batched", group_finds_the_stages="fuse_finds_the_fusions",
                    group_ends_a_stage_at_the_latent="fuse_ends_a_fusion_at_the_latent",
                    makes_forms_late="packs_on_use", a_straight_model="a_model_that_accumulates_in_place")),
    dict(files=["compiler/plan/group.c", "compiler/plan/microbatch.c", "compiler/program/microbatch.c"],
         whole=dict(memory_limit="max_microbatch_bytes")),
    dict(files=["compiler/front/load.c"], regex=[(r"(?<![-\w])memory_limit\b", "max_lua_bytes"), (r"\bstep_limit\b", "max_lua_steps")]),
    # Steps that take one image stand in segments.
    dict(files=PLAN, whole=dict(run="segment", runs="segments")),
    dict(files=["compiler/**"], whole=dict(plan_runs="plan_segments")),
    dict(files=["compiler/emit/programs.c"], regex=[(r'"run", program->run\[', '"segment", program->segment[')]),
    dict(files=["compiler/emit/model*.c.in"], regex=[(r"(steps\[[^\]]*\]|\bs)\.run\b", r"\1.segment")]),
    # What is given up for --memory-limit.
    dict(files=PLAN,
         parts=dict(change="saving", changes="savings"),
         whole=dict(Change="MemorySaving", CHANGE_STRAIGHT="SAVING_IN_PLACE", CHANGE_REPEAT="SAVING_RECOMPUTE",
                    CHANGES_MOST="MAX_SAVINGS", plan_changed="plan_with_savings", plan_change_steps="plan_apply_savings",
                    repeats="recomputes", repeat_step="recompute_step", repeat_suffix="recompute_suffix",
                    try_repeats="try_recomputing"),
         regex=[(r'"again"', '"recompute"'), (r"_again\b", "_recomputed"), (r"_again_%d", "_recomputed_%d")]),
    dict(files=["compiler/kernels/kernel.h"], whole=dict(repeats="recomputes")),
    dict(files=["tests/training/test_limit.c"], regex=[(r'"again"', '"recompute"')]),
    dict(files=["compiler/**", "runtime/model.h", "runtime/train/**", "tests/training/**", "tests/runtime/test_train_run.c"],
         whole=dict(straight="accumulates_in_place")),
    dict(files=["compiler/**"], parts=dict(sight="preview", sights="previews")),
    # Names that were never written: did you mean ...?
    dict(files=["compiler/**", "tests/**"],
         whole=dict(meant_letters="suggest_distance", meant_word="suggest_word", MEANT="SUGGEST", CAEC_MEANT_H="CAEC_SUGGEST_H",
                    CAEC_FORMS_H="CAEC_PACKINGS_H"),
         regex=[(r'\bmeant\.(h|c)\b', r"suggest.\1"), (r'\bforms\.(h|c)\b', r"packings.\1")]),
    # Outputs that see nothing but zeros.
    dict(files=["compiler/kernels/**"],
         whole=dict(blank="zero_windows", blank_marks="zero_window_marks", blank_find="zero_window_search",
                    find_blank="find_zero_windows", clear_blank="clear_zero_windows")),
    dict(files=["compiler/**", "tests/passes/**", "tests/mutate.py", "tests/mutants.txt"],
         whole=dict(pass_separate="pass_split_inference", pass_group="pass_fuse"),
         regex=[(r'"separate"', '"split_inference"'), (r"`separate`", "`split_inference`"), (r"passes/separate\.c", "passes/split_inference.c"),
                (r"passes/group\.c", "passes/fuse.c"), (r"plan/group\.c", "plan/microbatch.c"), (r"plan/change\.c", "plan/savings.c"),
                (r"by separate:", "by split_inference:")]),
    dict(files=["tests/passes/**"],
         regex=[(r'"group"', '"fuse"'), (r"--dump group\b", "--dump fuse"), (r"\bstage ([\w.%]+): core=", r"fusion \1: core=")]),
    # What was watched.
    dict(files=["runtime/train/**", "tests/runtime/**"],
         whole=dict(Watch="BestLoss", watch_epoch="best_loss_epoch", watch_score="count_score", Watched="DeadChannels",
                    train_open_watch="train_open_dead_channels", train_reset_watch="train_reset_dead_channels",
                    train_watch_channels="train_find_dead_channels", train_close_watch="train_close_dead_channels",
                    watch_signals="catch_signals", unwatch_signals="restore_signals", watch_output="check_output",
                    WATCHED="LOOKED_AT_LATER"),
         regex=[(r"\brun->watch\b", "run->dead_channels"), (r"\bWatched watch;", "DeadChannels dead_channels;"),
                (r"\bWatch watch;", "BestLoss best;"), (r"\bWatch \*watch\b", "BestLoss *best"), (r"\bplateau(->|\.)watch\b", r"plateau\1best"),
                (r"\bwatch->(best|wait)\b", r"best->\1")]),
    dict(files=["runtime/formats/standard_streams.c"], whole=dict(watched="lost_message")),
    dict(files=["runtime/model.h"], regex=[(r"A stop watch\b", "A stopwatch")]),
    # Limits: MAX_X and MIN_X, as everywhere else.
    dict(files=["compiler/**", "runtime/**", "tests/**/*.c", "tests/**/*.h", "tests/**/*.py"],
         regex=[(r"\bSETTINGS_(\w+)_MOST\b", r"SETTINGS_MAX_\1"), (r"\b([A-Z][A-Z_]*)_MOST\b", r"MAX_\1"),
                (r"\b([A-Z][A-Z_]*)_LEAST\b", r"MIN_\1")]),
    dict(files=["**/CMakeLists.txt", "**/*.cmake", "tests/golden/*.sh", "tests/golden/*.c"],
         regex=[(r"\bplan_groups", "plan_microbatch"), (r"support/groups\.c", "support/microbatches.c"), (r"\bgroups\.c\b", "microbatches.c")]),
    dict(files=["tests/golden/test_golden.c"], whole={}),
    # A function that computes dW and dX is not called after dW.
    dict(files=["README.md"], regex=[(r"encoder_conv2_dw\.c", "encoder_conv2_backward.c")]),
]

# "Behind" for "after", everywhere but in "left behind".
# Of comments in C, after all maps.
MEND = [(r"\b[Aa]n? on_use packing\b", "a packing made on use"), (r"\bon_use packing(s?)(?= (?!of\b))", r"packing\1 made on use"),
        (r"\b(made|turned|packed) on_use\b", r"\1 on use"), (r"\ba (?=microbatches\b)", ""), (r"microbatch of images at once", "microbatch at once"),
        (r"\bmicrobatch of (?=(several|many|fewer) images)", "microbatch of ")]

PROSE = [(r"(?<![\w\"'])behind\b(?!_| =|\()", "after"), (r"\bBehind\b(?! =)", "After")]
KEEP_BEHIND = r"\b([Ll]eave|[Ll]eaves|left|leaving|stay|leaving)\b[^.;\n]{0,70}?\bbehind\b|behind(?=[:_(]| =|,\s*letter)|&behind\b|(?<=, )behind(?=, \d)|\*behind\b|\bbehind[\[.]\w*|\\n\", behind\b|its step leaves it behind|hidden behind|behind by|behind_\w+"

# Left alone in the files of these globs, whatever the maps say.
KEEP = [
    (["compiler/**"], r"\"(train|reconstruct) stage( %d)?\b"),
    (["compiler/ir/print.c"], r"\"stage %d"),
    (["compiler/**"], r"`stages`|stages of training|[Ss]tage of training|between two stages|\bpass_stages\b|\bstages\.[ch]\b|\bload_stages\b|\"stages\""),
    (["compiler/**"], r"all stages\b|a later stage|earlier stage"),
    (["compiler/ir/print.h"], r"stages, the same"),
    (["compiler/front/load.h"], r"gradients or stages"),
    (["compiler/**"], r"\b[Gg]roup_norm\w*|group normalisation|\bgroup_norm\b"),
    (["compiler/**"], r"form a convolution|forward pass|one textual form|shortest form|\"form\"(?= *=)|too late for|late in the"),
    (["compiler/**", "runtime/**"], r"forward pass|backward pass"),
    (["compiler/**", "tests/**"], r"\bpass_(fold|differentiate|commute|drop)\b"),
    (["tests/**"], r"cmocka_run_group\w*"),
    (["runtime/**"], r"cgroup|control group"),
    (["compiler/main.c"], r"options that change|Kernels change"),
    (["compiler/**"], r"#include \"(\.\./)?passes/passes\.h\""),
    (["runtime/**"], r"straight line\w*|straight away|splits? straight"),
    (["compiler/**"], r"--list passes|after PASS|passes\["),
    (["**"], KEEP_BEHIND),
]
