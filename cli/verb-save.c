/*
 * The verb "save": a snapshot of a jail.
 */
#include "cli/verb-save.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/cleaned.h"
#include "cli/terminal.h"

static const Option save_options[] = { OPTIONS_COMMON, { 0 } };

static void show(const cJSON *result) {
        int n_layers = cJSON_GetArraySize(json_get(result, "layers"));
        const char *work = json_text(result, "work");
        char size[UNITS_TEXT_MAX], files[UNITS_TEXT_MAX], below[UNITS_TEXT_MAX];
        uint64_t bytes = 0, entries = 0;

        (void) json_number(result, "layer_bytes", &bytes);
        (void) json_number(result, "layer_entries", &entries);
        show_text(result, "name", 0);
        printf("%s in %s above %s\n", units_format_size(bytes, size),
               units_format_count(entries, "file", files),
               units_format_count(n_layers > 0 ? (uint64_t) n_layers - 1 : 0, "layer", below));
        cleaned_show(result, "in the jail");
        if (work && strcmp(work, "root") != 0)
                terminal_say("/work is a directory of its own and no part of the snapshot; "
                             "'warder diff --patch' shows what changed there.");
}

static int run(const VerbCall *call, Error *err) {
        cJSON *params;

        if (call->n_words != 2) {
                (void) error_say(err, -EINVAL, "Give a jail and a name: 'warder ls' lists jails.");
                return VERB_E_USAGE;
        }
        params = cJSON_CreateObject();
        json_add_text(params, "jail", call->words[0]);
        json_add_text(params, "name", call->words[1]);
        return ask_once(call->options, "jail.save", params, show, err);
}

const Verb verb_save = {
        .name = "save",
        .summary = "make a snapshot of a jail's root as it is",
        .synopsis = "JAIL NAME",
        .text = "What the jail changed becomes a layer above those that it stands on; commands "
                "stand\n"
                "still meanwhile. What they hold in memory only is not in it.",
        .examples = "  jail=$(warder create --snapshot debian); warder exec \"$jail\" -- ./setup\n"
                    "  warder save \"$jail\" debian-ready",
        .exits = EXITS_PLAIN,
        .options = save_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
