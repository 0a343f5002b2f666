/*
 * The verbs "pool set" and "pool show": complete jails made ahead.
 */
#include "cli/verb-pool.h"

#include <errno.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/terminal.h"

#define TEXT_SHOWN 400

static const Option pool_options[] = { OPTIONS_COMMON, { 0 } };

static int run_set(const VerbCall *call, Error *err) {
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        uint64_t size = 0;

        if (call->n_words != 3 || units_parse_number(call->words[2], &size, NULL) < 0) {
                (void) error_say(err, -EINVAL, "Name a snapshot, a policy and a number of jails.");
                return VERB_E_USAGE;
        }
        json_add_text(params, "snapshot", call->words[0]);
        json_add_text(params, "policy", call->words[1]);
        json_add_number(params, "size", size);
        return ask_once(call->options, "pool.set", TAKE_PTR(params), NULL, err);
}

static void show_number(const cJSON *pool, const char *member, int width) {
        uint64_t value = 0;

        (void) json_number(pool, member, &value);
        printf("%-*llu  ", width, (unsigned long long) value);
}

static void show(const cJSON *result) {
        const cJSON *pool;

        printf("%-16s  %-12s  %-4s  %-5s  %-6s  %-8s  %-8s\n", "SNAPSHOT", "POLICY", "SIZE",
               "READY", "MAKING", "TAKEN", "MISSED");
        cJSON_ArrayForEach(pool, json_get(result, "pools")) {
                show_text(pool, "snapshot", 16);
                show_text(pool, "policy", 12);
                show_number(pool, "size", 4);
                show_number(pool, "ready", 5);
                show_number(pool, "making", 6);
                show_number(pool, "taken", 8);
                show_number(pool, "missed", 8);
                putchar('\n');
                if (!json_text(pool, "fault"))
                        continue;
                fputs("    not full: ", stdout);
                terminal_text(stdout, json_text(pool, "fault"), TEXT_SHOWN);
                putchar('\n');
        }
}

static int run_show(const VerbCall *call, Error *err) {
        return ask_once(call->options, "pool.show", cJSON_CreateObject(), show, err);
}

const Verb verb_pool_set = {
        .name = "pool set",
        .summary = "keep complete jails ready, made ahead",
        .synopsis = "SNAPSHOT POLICY N",
        .text = "N jails of that snapshot and policy wait for 'warder run --no-work', 'warder "
                "create' and\n"
                "their like of yours that ask for exactly such a one: the same limits, user and "
                "host name,\n"
                "no directory. A jail is taken once and used by nobody before; another one is made "
                "a moment\n"
                "later. They count as yours, and go first where you or the host need their room. "
                "The\n"
                "setting stays until N is 0.",
        .examples = "  warder pool set host default 8\n  warder pool set debian strict 0",
        .exits = EXITS_PLAIN,
        .options = pool_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_set,
};

const Verb verb_pool_show = {
        .name = "pool show",
        .summary = "show how full the pools are",
        .synopsis = "[--json]",
        .text = "TAKEN and MISSED count the jails that were asked for since the supervisor's "
                "start and came\nfrom a pool, or not, because none was ready or they asked for "
                "something else.",
        .examples = "  warder pool show\n  warder pool show --json | jq '.pools[].ready'",
        .exits = EXITS_PLAIN,
        .options = pool_options,
        .size = sizeof(Common),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_show,
};
