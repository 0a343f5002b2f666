/*
 * "snapshot fsck": layers against their digests, with a line that says how far it is.
 */
#include "cli/verb-snapshot-fsck.h"

#include <errno.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/snapshot-progress.h"
#include "cli/snapshot-show.h"
#include "cli/terminal.h"

static const Option fsck_options[] = { OPTIONS_COMMON, { 0 } };

static void show_damaged(const cJSON *item) {
        terminal_text(stdout, snapshot_text(item, "layer"), 80);
        fputs(": DAMAGED: ", stdout);
        terminal_text(stdout, snapshot_text(item, "fault"), 300);
        putchar('\n');
        snapshot_show_words("changed since it came:", json_get(item, "paths"));
        snapshot_show_words("in snapshots", json_get(item, "snapshots"));
        snapshot_show_words("used by", json_get(item, "jails"));
}

static void show_unknown(const cJSON *item) {
        char size[UNITS_TEXT_MAX];
        uint64_t bytes = 0;

        (void) json_number(item, "bytes", &bytes);
        terminal_text(stdout, snapshot_text(item, "layer"), 80);
        printf(": nobody's, %s", units_format_size(bytes, size));
        if (json_text(item, "fault")) {
                fputs(", and ", stdout);
                terminal_text(stdout, snapshot_text(item, "fault"), 300);
        }
        putchar('\n');
}

static void show_checked(const cJSON *result) {
        uint64_t layers = 0, bytes = 0, damaged = 0, mended = 0;
        char size[UNITS_TEXT_MAX], count[UNITS_TEXT_MAX];
        const cJSON *item;

        (void) json_number(result, "layers", &layers);
        (void) json_number(result, "bytes", &bytes);
        (void) json_number(result, "damaged_total", &damaged);
        (void) json_number(result, "mended", &mended);
        cJSON_ArrayForEach(item, json_get(result, "damaged")) show_damaged(item);
        cJSON_ArrayForEach(item, json_get(result, "unchecked")) {
                terminal_text(stdout, snapshot_text(item, "layer"), 80);
                fputs(": not checked: ", stdout);
                terminal_text(stdout, snapshot_text(item, "text"), 300);
                putchar('\n');
        }
        cJSON_ArrayForEach(item, json_get(result, "unknown")) show_unknown(item);
        printf("%s, %s: %llu damaged", units_format_count(layers, "layer", count),
               units_format_size(bytes, size), (unsigned long long) damaged);
        printf(mended > 0 ? ", %llu good again\n" : "\n", (unsigned long long) mended);
        if (damaged > 0)
                terminal_say("No new jail gets a damaged layer. Import the same content again to "
                             "put it right, under any name.");
        if (cJSON_GetArraySize(json_get(result, "unknown")) > 0)
                terminal_say(
                        "The store has layers that no snapshot, jail or task is known to need: "
                        "after a ledger came back from a backup, say. `warder snapshot gc` as an "
                        "administrator removes them.");
}

static const char *checking_line(const cJSON *params, void *userdata, char *text) {
        uint64_t layer = 0, layers = 0, bytes = 0;
        char size[UNITS_TEXT_MAX];

        (void) userdata;
        (void) json_number(params, "layer", &layer);
        (void) json_number(params, "layers", &layers);
        (void) json_number(params, "bytes", &bytes);
        (void) snprintf(text, SNAPSHOT_LINE_MAX, "layer %llu of %llu, %s read",
                        (unsigned long long) layer, (unsigned long long) layers,
                        units_format_size(bytes, size));
        return text;
}

/* Returns: 0; 1: a layer is damaged; negative errno */
static int check_layers(const VerbCall *call, Link *link, Error *err) {
        Ask ask = { .method = "snapshot.fsck", .params = cJSON_CreateObject() };
        const Common *common = call->options;
        SnapshotProgress progress = snapshot_progress_begin(common->json, checking_line, NULL);
        Answer answer = ANSWER_EMPTY;
        uint64_t damaged = 0;
        int r;

        if (call->n_words == 1)
                json_add_text(ask.params, "name", call->words[0]);
        link->on_note = snapshot_progress_note;
        link->userdata = &progress;
        r = link_ask(link, &ask, &answer, err);
        snapshot_progress_end(&progress);
        (void) json_number(answer.result, "damaged_total", &damaged);
        if (r == 0 && common->json)
                events_result(answer.result);
        else if (r == 0)
                show_checked(answer.result);
        answer_deinit(&answer);
        return r < 0 ? r : r > 0 ? -EREMOTEIO : damaged > 0;
}

static int run_fsck(const VerbCall *call, Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        int r;

        if (call->n_words > 1) {
                (void) error_say(err, -EINVAL, "Name one snapshot, or none to check all of yours.");
                return VERB_E_USAGE;
        }
        r = link_open(&link, common->socket, err);
        if (r < 0)
                return r;
        r = check_layers(call, &link, err);
        link_deinit(&link);
        return r;
}

const Verb verb_snapshot_fsck = {
        .name = "snapshot fsck",
        .summary = "read layers again and hold them against their digests",
        .synopsis = "[NAME]",
        .text = "A layer that is not what its name says goes into no new jail. Importing the same "
                "content\n"
                "again puts it right.",
        .examples = "  warder snapshot fsck\n  warder snapshot fsck debian --json",
        .exits = "  0    all that was checked is whole\n"
                 "  1    a layer is damaged; or refused or failed: the message says why\n"
                 "  2    wrong usage\n",
        .options = fsck_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_fsck,
};
