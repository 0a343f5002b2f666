/*
 * The verbs of snapshots: root file systems that jails start from.
 */
#include "cli/verb-snapshot.h"

#include <errno.h>

#include "cli/ask-once.h"
#include "cli/snapshot-show.h"
#include "cli/terminal.h"

static const Option snapshot_options[] = { OPTIONS_COMMON, { 0 } };

typedef struct TagOptions {
        Common common;
        bool is_public;
        bool is_private;
        bool replace;
} TagOptions;

static const Option tag_options[] = {
        { "public", 0, OPTION_FLAG, offsetof(TagOptions, is_public), NULL,
          "Other users may use it, as UID:NAME" },
        { "private", 0, OPTION_FLAG, offsetof(TagOptions, is_private), NULL,
          "Nobody else may use it any more" },
        { "replace", 0, OPTION_FLAG, offsetof(TagOptions, replace), NULL,
          "Where you have a snapshot NEW, it makes room" },
        OPTIONS_COMMON,
        { 0 },
};

static int run_list(const VerbCall *call, Error *err) {
        return ask_once(call->options, "snapshot.list", cJSON_CreateObject(), snapshot_show_list,
                        err);
}

static int run_show(const VerbCall *call, Error *err) {
        static const NamedAsk named = { "snapshot.show", "name", "a snapshot", snapshot_show_one,
                                        0 };

        return ask_named(call, &named, err);
}

static int run_rm(const VerbCall *call, Error *err) {
        static const NamedAsk named = { "snapshot.remove", "name", "a snapshot",
                                        snapshot_show_freed, 0 };

        return ask_named(call, &named, err);
}

static int run_gc(const VerbCall *call, Error *err) {
        return ask_once(call->options, "snapshot.gc", cJSON_CreateObject(), snapshot_show_freed,
                        err);
}

static void show_tagged(const cJSON *result) {
        if (json_true(result, "unpublished"))
                terminal_say("%s was public, and is yours alone now: 'warder snapshot tag --public "
                             "%s' lets others use it again",
                             snapshot_text(result, "name"), snapshot_text(result, "name"));
}

static int refuse_tag(const char *why, Error *err) {
        (void) error_say(err, -EINVAL, "%s", why);
        return VERB_E_USAGE;
}

static int run_tag(const VerbCall *call, Error *err) {
        const TagOptions *options = call->options;
        cJSON *params;

        if (call->n_words < 1 || call->n_words > 2)
                return refuse_tag("Name a snapshot, and what it shall be called as well.", err);
        if (options->is_public && options->is_private)
                return refuse_tag("--public and --private exclude each other.", err);
        if (call->n_words == 1 && !options->is_public && !options->is_private)
                return refuse_tag("Give another name, or --public or --private.", err);
        params = cJSON_CreateObject();
        json_add_text(params, "name", call->words[0]);
        if (call->n_words == 2)
                json_add_text(params, "new", call->words[1]);
        if (options->is_public || options->is_private)
                json_add_bool(params, "public", options->is_public);
        if (options->replace)
                json_add_bool(params, "replace", true);
        return ask_once(&options->common, "snapshot.tag", params, show_tagged, err);
}

const Verb verb_snapshot_gc = {
        .name = "snapshot gc",
        .summary = "remove what nothing uses, and what warder keeps to save time",
        .synopsis = "[--json]",
        .text = "Layers go by themselves when nothing uses them any more. What warder keeps so "
                "that a\n"
                "verify need not make it again (bases, setup layers) goes with this; what a jail "
                "stands on stays.",
        .examples = "  warder snapshot gc\n  warder snapshot gc --json | jq .bytes",
        .exits = EXITS_PLAIN,
        .options = snapshot_options,
        .size = sizeof(Common),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_gc,
};

const Verb verb_snapshot_list = {
        .name = "snapshot list",
        .summary = "list the snapshots",
        .synopsis = "[--json]",
        .examples =
                "  warder snapshot list\n  warder snapshot list --json | jq -r '.snapshots[].name'",
        .exits = EXITS_PLAIN,
        .options = snapshot_options,
        .size = sizeof(Common),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_list,
};

const Verb verb_snapshot_show = {
        .name = "snapshot show",
        .summary = "show a snapshot and its layers",
        .synopsis = "NAME",
        .examples = "  warder snapshot show debian\n  warder snapshot show debian --json",
        .exits = EXITS_PLAIN,
        .options = snapshot_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_show,
};

const Verb verb_snapshot_rm = {
        .name = "snapshot rm",
        .summary = "remove a snapshot's name; unused layers go with it",
        .synopsis = "NAME",
        .examples = "  warder snapshot rm debian\n  warder snapshot rm mine",
        .exits = EXITS_PLAIN,
        .options = snapshot_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_rm,
};

const Verb verb_snapshot_tag = {
        .name = "snapshot tag",
        .summary = "give a snapshot another name; let others use it, or not",
        .synopsis = "[OPTION…] NAME [NEW]",
        .text = "NEW is yours, for the same layers: they are stored once. NAME may be one that "
                "another user has\n"
                "made public (UID:NAME): yours stays when that goes.",
        .examples = "  warder snapshot tag debian base\n"
                    "  warder snapshot tag --public debian\n"
                    "  warder snapshot tag 1000:debian debian",
        .exits = EXITS_PLAIN,
        .options = tag_options,
        .size = sizeof(TagOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_tag,
};
