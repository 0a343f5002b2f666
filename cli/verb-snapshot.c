/*
 * The verbs of snapshots: root file systems that jails start from.
 */
#include "cli/verb-snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/terminal.h"

#define NAME_WIDTH_MAX 80

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

/* "3 days", from a time of the protocol; "-" where there is none */
static const char *age_of(const cJSON *object, const char *member, char *text) {
        static const struct {
                uint64_t sec;
                const char *one, *many;
        } units[] = { { 86400, "day", "days" },
                      { 3600, "hour", "hours" },
                      { 60, "minute", "minutes" },
                      { 1, "second", "seconds" } };
        const char *time = json_text(object, member);
        uint64_t then = 0, now = units_now(), sec;

        (void) snprintf(text, UNITS_TEXT_MAX, "-");
        if (!time || units_parse_time(time, &then) < 0)
                return text;
        sec = now > then ? (now - then) / 1000000 : 0;
        for (size_t i = 0; i < ELEMENTS(units); i++) {
                uint64_t n = sec / units[i].sec;

                if (n == 0 && i + 1 < ELEMENTS(units))
                        continue;
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu %s", (unsigned long long) n,
                                n == 1 ? units[i].one : units[i].many);
                break;
        }
        return text;
}

/* What a supervisor says is not believed to be there */
static const char *text_of(const cJSON *object, const char *member) {
        const char *text = json_text(object, member);

        return text ? text : "-";
}

/* The word that means it for who reads this */
static const char *word_of(const cJSON *snapshot) {
        return text_of(snapshot, json_text(snapshot, "ref") ? "ref" : "name");
}

static const char *sharing_of(const cJSON *snapshot) {
        const cJSON *shared = json_get(snapshot, "public");

        return !shared ? "-" : cJSON_IsTrue(shared) ? "public" : "private";
}

static int width_of(const cJSON *snapshots) {
        const cJSON *snapshot;
        int width = 8;

        cJSON_ArrayForEach(snapshot, snapshots) {
                size_t n = strlen(word_of(snapshot));

                if (n > (size_t) width)
                        width = n < NAME_WIDTH_MAX ? (int) n : NAME_WIDTH_MAX;
        }
        return width;
}

static void show_row(const cJSON *snapshot, int width) {
        const cJSON *layers = json_get(snapshot, "layers");
        autofree char *word = escape_new(word_of(snapshot), 100);
        char age[UNITS_TEXT_MAX], files[24] = "-";
        uint64_t entries;

        if (json_number(snapshot, "entries", &entries) == 0)
                (void) snprintf(files, sizeof files, "%llu", (unsigned long long) entries);
        printf("%-*s  ", width, word ? word : "-");
        show_size(snapshot, "bytes", 10);
        printf("%-9s  %-6d  %-7s  %s\n", files, cJSON_GetArraySize(layers), sharing_of(snapshot),
               age_of(snapshot, "created", age));
}

typedef struct Row {
        const char *word;
        const cJSON *snapshot;
} Row;

static int compare_rows(const void *a, const void *b) {
        return strcmp(((const Row *) a)->word, ((const Row *) b)->word);
}

/* By name; the host first */
static void show_list(const cJSON *result) {
        const cJSON *list = json_get(result, "snapshots"), *snapshot;
        autofree Row *rows = calloc((size_t) cJSON_GetArraySize(list) + 1, sizeof(*rows));
        int width = width_of(list);
        size_t n = 0;

        printf("%-*s  %-10s  %-9s  %-6s  %-7s  %s\n", width, "NAME", "SIZE", "FILES", "LAYERS",
               "USE", "AGE");
        if (!rows)
                return;
        cJSON_ArrayForEach(snapshot, list) rows[n++] = (Row){ word_of(snapshot), snapshot };
        if (n > 1)
                qsort(rows + 1, n - 1, sizeof(*rows), compare_rows);
        for (size_t i = 0; i < n; i++)
                show_row(rows[i].snapshot, width);
}

static void show_words(const char *what, const cJSON *words) {
        const cJSON *word;

        if (cJSON_GetArraySize(words) == 0)
                return;
        printf("  %s", what);
        cJSON_ArrayForEach(word, words) {
                putchar(' ');
                terminal_text(stdout, cJSON_IsString(word) ? word->valuestring : "", 200);
        }
        putchar('\n');
}

/* What a stranger's image says: escaped, and cut */
static void show_image(const cJSON *image) {
        const cJSON *user = json_get(image, "user"), *item;
        const char *cwd = json_text(image, "cwd");
        uint64_t uid, gid;

        if (json_number(user, "uid", &uid) == 0 && json_number(user, "gid", &gid) == 0)
                printf("  user %llu:%llu\n", (unsigned long long) uid, (unsigned long long) gid);
        if (cwd) {
                fputs("  directory ", stdout);
                terminal_text(stdout, cwd, 200);
                putchar('\n');
        }
        show_words("entrypoint", json_get(image, "entrypoint"));
        show_words("cmd", json_get(image, "cmd"));
        cJSON_ArrayForEach(item, json_get(image, "env")) {
                fputs("  ", stdout);
                terminal_text(stdout, item->string, 100);
                putchar('=');
                terminal_text(stdout, cJSON_IsString(item) ? item->valuestring : "", 200);
                putchar('\n');
        }
}

static void show_part(const cJSON *part) {
        const char *fault = json_text(part, "fault");
        uint64_t entries = 0, snapshots = 0;

        (void) json_number(part, "entries", &entries);
        (void) json_number(part, "snapshots", &snapshots);
        fputs("  ", stdout);
        show_text(part, "layer", 0);
        show_size(part, "bytes", 10);
        printf("%llu files", (unsigned long long) entries);
        if (snapshots > 1)
                printf(", in %llu snapshots", (unsigned long long) snapshots);
        if (json_text(part, "checked")) {
                fputs(", checked ", stdout);
                terminal_text(stdout, json_text(part, "checked"), 40);
        }
        putchar('\n');
        if (!fault)
                return;
        fputs("    DAMAGED: ", stdout);
        terminal_text(stdout, fault, 300);
        putchar('\n');
}

static void show_one(const cJSON *result) {
        const cJSON *part;
        uint64_t others = 0, owner = 0;

        show_row(result, 8);
        if (json_text(result, "created") && json_number(result, "owner_uid", &owner) == 0) {
                printf("  of uid %llu, since ", (unsigned long long) owner);
                terminal_text(stdout, json_text(result, "created"), 40);
                putchar('\n');
        }
        cJSON_ArrayForEach(part, json_get(result, "parts")) show_part(part);
        show_words("used by", json_get(result, "jails"));
        (void) json_number(result, "other_jails", &others);
        if (others > 0)
                printf("  used by %llu other jails\n", (unsigned long long) others);
        show_image(json_get(result, "image"));
}

static void show_freed(const cJSON *result) {
        uint64_t layers = 0, waiting = 0, bytes = 0;
        char size[UNITS_TEXT_MAX];

        (void) json_number(result, "layers", &layers);
        (void) json_number(result, "bytes", &bytes);
        (void) json_number(result, "waiting", &waiting);
        printf("%llu layers removed, %s freed\n", (unsigned long long) layers,
               units_format_size(bytes, size));
        if (waiting > 0)
                printf("%llu layers are in use, and go when the last jail on them has ended\n",
                       (unsigned long long) waiting);
        show_words("used by", json_get(result, "jails"));
}

static void show_damaged(const cJSON *item) {
        terminal_text(stdout, text_of(item, "layer"), 80);
        fputs(": DAMAGED: ", stdout);
        terminal_text(stdout, text_of(item, "fault"), 300);
        putchar('\n');
        show_words("changed since it came:", json_get(item, "paths"));
        show_words("in snapshots", json_get(item, "snapshots"));
        show_words("used by", json_get(item, "jails"));
}

static void show_unknown(const cJSON *item) {
        char size[UNITS_TEXT_MAX];
        uint64_t bytes = 0;

        (void) json_number(item, "bytes", &bytes);
        terminal_text(stdout, text_of(item, "layer"), 80);
        printf(": nobody's, %s", units_format_size(bytes, size));
        if (json_text(item, "fault")) {
                fputs(", and ", stdout);
                terminal_text(stdout, text_of(item, "fault"), 300);
        }
        putchar('\n');
}

static void show_checked(const cJSON *result) {
        uint64_t layers = 0, bytes = 0, damaged = 0, mended = 0;
        char size[UNITS_TEXT_MAX];
        const cJSON *item;

        (void) json_number(result, "layers", &layers);
        (void) json_number(result, "bytes", &bytes);
        (void) json_number(result, "damaged_total", &damaged);
        (void) json_number(result, "mended", &mended);
        cJSON_ArrayForEach(item, json_get(result, "damaged")) show_damaged(item);
        cJSON_ArrayForEach(item, json_get(result, "unchecked")) {
                terminal_text(stdout, text_of(item, "layer"), 80);
                fputs(": not checked: ", stdout);
                terminal_text(stdout, text_of(item, "text"), 300);
                putchar('\n');
        }
        cJSON_ArrayForEach(item, json_get(result, "unknown")) show_unknown(item);
        printf("%llu layers, %s: %llu damaged", (unsigned long long) layers,
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

static int run_list(const VerbCall *call, Error *err) {
        return ask_once(call->options, "snapshot.list", cJSON_CreateObject(), show_list, err);
}

static int run_show(const VerbCall *call, Error *err) {
        static const NamedAsk named = { "snapshot.show", "name", "a snapshot", show_one, 0 };

        return ask_named(call, &named, err);
}

static int run_rm(const VerbCall *call, Error *err) {
        static const NamedAsk named = { "snapshot.remove", "name", "a snapshot", show_freed, 0 };

        return ask_named(call, &named, err);
}

static int run_gc(const VerbCall *call, Error *err) {
        return ask_once(call->options, "snapshot.gc", cJSON_CreateObject(), show_freed, err);
}

static void on_checking(Link *link, const char *method, const cJSON *params, void *userdata) {
        const Common *common = userdata;
        uint64_t layer = 0, layers = 0, bytes = 0;
        char size[UNITS_TEXT_MAX];

        (void) link;
        if (strcmp(method, "snapshot.progress") != 0)
                return;
        if (common->json)
                events_print(method, cJSON_Duplicate(params, true));
        if (common->json || !isatty(2))
                return;
        (void) json_number(params, "layer", &layer);
        (void) json_number(params, "layers", &layers);
        (void) json_number(params, "bytes", &bytes);
        fprintf(stderr, "\rlayer %llu of %llu, %s read\033[K", (unsigned long long) layer,
                (unsigned long long) layers, units_format_size(bytes, size));
}

static int run_fsck(const VerbCall *call, Error *err) {
        Ask ask = { .method = "snapshot.fsck", .params = cJSON_CreateObject() };
        const Common *common = call->options;
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        uint64_t damaged = 0;
        int r;

        if (call->n_words > 1) {
                (void) json_free(ask.params);
                (void) error_say(err, -EINVAL, "Name one snapshot, or none to check all of yours.");
                return VERB_E_USAGE;
        }
        if (call->n_words == 1)
                json_add_text(ask.params, "name", call->words[0]);
        r = link_open(&link, common->socket, err);
        if (r < 0) {
                (void) json_free(ask.params);
                return r;
        }
        link.on_note = on_checking;
        link.userdata = (void *) (uintptr_t) common;
        r = link_ask(&link, &ask, &answer, err);
        if (isatty(2) && !common->json)
                fputs("\r\033[K", stderr);
        (void) json_number(answer.result, "damaged_total", &damaged);
        if (r == 0 && common->json)
                events_result(answer.result);
        else if (r == 0)
                show_checked(answer.result);
        answer_deinit(&answer);
        link_deinit(&link);
        return r < 0 ? r : r > 0 ? -EREMOTEIO : damaged > 0;
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
        return ask_once(&options->common, "snapshot.tag", params, NULL, err);
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
        .options = snapshot_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_fsck,
};

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
