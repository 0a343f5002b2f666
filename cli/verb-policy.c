/*
 * The verbs "policy list" and "policy show".
 */
#include "cli/verb-policy.h"

#include <stdio.h>

#include "cli/ask-once.h"
#include "cli/terminal.h"

static const Option policy_options[] = { OPTIONS_COMMON, { 0 } };

static void show_list(const cJSON *result) {
        const cJSON *name;

        cJSON_ArrayForEach(name, json_get(result, "policies")) {
                if (!cJSON_IsString(name))
                        continue;
                terminal_text(stdout, name->valuestring, 100);
                putchar('\n');
        }
}

static void show_policy(const cJSON *result) {
        autofree char *text = cJSON_Print(result);

        terminal_lines(stdout, "", text, 1 << 20);
}

static int run_list(const VerbCall *call, Error *err) {
        return ask_once(call->options, "policy.list", cJSON_CreateObject(), show_list, err);
}

static int run_show(const VerbCall *call, Error *err) {
        static const NamedAsk named = { "policy.show", "name", "a policy", show_policy, 0 };

        return ask_named(call, &named, err);
}

const Verb verb_policy_list = {
        .name = "policy list",
        .summary = "list the policies that a jail may be given",
        .synopsis = "[--json]",
        .examples = "  warder policy list\n  warder policy list --json",
        .exits = EXITS_PLAIN,
        .options = policy_options,
        .size = sizeof(Common),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_list,
};

const Verb verb_policy_show = {
        .name = "policy show",
        .summary = "show a policy with all that it inherits",
        .synopsis = "NAME",
        .examples = "  warder policy show default\n  warder policy show ci --json | jq .limits",
        .exits = EXITS_PLAIN,
        .options = policy_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_show,
};
