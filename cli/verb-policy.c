/*
 * The verbs "policy list", "policy show" and "policy check".
 */
#include "cli/verb-policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/own-policy.h"
#include "cli/terminal.h"

#define TEXT_SHOWN 400
#define ROW_FIELD  18
#define ROW_VALUE  14

static const Option policy_options[] = { OPTIONS_COMMON, { 0 } };

static void show_member(const cJSON *json, const char *member, const char *before) {
        const char *text = json_text(json, member);

        if (!text || !*text)
                return;
        fputs(before, stdout);
        terminal_text(stdout, text, TEXT_SHOWN);
        putchar('\n');
}

static void show_missing(const cJSON *policy) {
        const cJSON *item;

        cJSON_ArrayForEach(item, json_get(policy, "missing")) {
                if (!cJSON_IsString(item))
                        continue;
                fputs("    cannot be used here: this host lacks ", stdout);
                terminal_text(stdout, item->valuestring, TEXT_SHOWN);
                putchar('\n');
        }
}

static void show_list(const cJSON *result) {
        const cJSON *policy;

        cJSON_ArrayForEach(policy, json_get(result, "policies")) {
                show_text(policy, "name", 12);
                show_member(policy, "description", "");
                if (!json_text(policy, "description") || !*json_text(policy, "description"))
                        putchar('\n');
                show_member(policy, "source", "    ");
                show_missing(policy);
                show_member(policy, "fault",
                            json_text(policy, "source") ? "    its last good form is in force: "
                                                        : "    wrong: ");
        }
}

/* ---- one as a table ------------------------------------------------------------------------------- */

static bool ends_in(const char *text, const char *end) {
        size_t n = strlen(text), m = strlen(end);

        return n >= m && strcmp(text + n - m, end) == 0;
}

static const char *format_number(const char *pointer, double number, char *text) {
        static const char *const counts[] = { "/pids", "/inodes", "/nofile" };
        uint64_t value = number > 0 ? (uint64_t) number : 0;

        for (size_t i = 0; i < ELEMENTS(counts); i++)
                if (ends_in(pointer, counts[i])) {
                        snprintf(text, UNITS_TEXT_MAX, "%llu", (unsigned long long) value);
                        return text;
                }
        if (ends_in(pointer, "/cpu")) {
                snprintf(text, UNITS_TEXT_MAX, "%llu%%", (unsigned long long) value / 10);
                return text;
        }
        return ends_in(pointer, "/wall") || ends_in(pointer, "/cpu_time")
                       ? units_format_duration(value, text)
                       : units_format_size(value, text);
}

static void show_value(const char *pointer, const cJSON *value) {
        char text[UNITS_TEXT_MAX] = "-";
        autofree char *list = NULL;
        autofree char *safe = NULL;

        if (cJSON_IsNumber(value))
                format_number(pointer, value->valuedouble, text);
        else if (cJSON_IsBool(value))
                snprintf(text, sizeof(text), "%s", cJSON_IsTrue(value) ? "yes" : "no");
        else if (cJSON_IsArray(value))
                list = cJSON_GetArraySize(value) ? cJSON_PrintUnformatted(value) : NULL;
        safe = escape_new(cJSON_IsString(value) ? value->valuestring : list ? list : text, 60);
        printf("%-*s  ", ROW_VALUE, safe ? safe : "-");
}

static void show_row(const cJSON *policy, const char *pointer) {
        char name[64];

        snprintf(name, sizeof(name), "%.60s", pointer + 1);
        for (char *slash = name; (slash = strchr(slash, '/')); slash++)
                *slash = '.';
        printf("  %-*s  ", ROW_FIELD, name);
        show_value(pointer, json_at(policy, pointer));
        terminal_text(stdout,
                      json_text(json_get(policy, "from"), pointer)
                              ? json_text(json_get(policy, "from"), pointer)
                              : "-",
                      TEXT_SHOWN);
        putchar('\n');
}

static void show_policy(const cJSON *policy) {
        static const char *const rows[] = {
                "/limits/memory",
                "/limits/memory_high",
                "/limits/pids",
                "/limits/cpu",
                "/limits/cpuset",
                "/limits/io_read",
                "/limits/io_write",
                "/limits/disk",
                "/limits/inodes",
                "/limits/wall",
                "/limits/output_keep",
                "/limits/output_max",
                "/command/memory",
                "/command/pids",
                "/command/wall",
                "/command/cpu_time",
                "/command/nofile",
                "/command/fsize",
                "/network/mode",
                "/binds",
                "/proc",
                "/host_root",
                "/seccomp",
                "/require",
        };

        show_member(policy, "name", "policy ");
        show_member(policy, "description", "  ");
        show_missing(policy);
        show_member(policy, "fault", "    its last good form is in force: ");
        printf("\n  %-*s  %-*s  %s\n", ROW_FIELD, "FIELD", ROW_VALUE, "VALUE", "SAID BY");
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                if (json_at(policy, rows[i]))
                        show_row(policy, rows[i]);
}

/* ---- with those of one's own ---------------------------------------------------------------------- */

/* One of ~/.config/warder/policies as policy.list tells of the others */
static cJSON *describe_own(Link *link, const char *name) {
        Ask ask = { .method = "policy.show", .params = cJSON_CreateObject() };
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        Answer answer = ANSWER_EMPTY;
        Error err = ERROR_EMPTY;
        const cJSON *sources;
        int r = own_policy_add(name, ask.params, "name", &err);

        json_add_text(json, "name", name);
        json_add_bool(json, "own", true);
        if (r == 0)
                r = link_ask(link, &ask, &answer, &err);
        else
                (void) json_free(ask.params);
        if (r == 0) {
                json_add_text(json, "description", json_text(answer.result, "description"));
                sources = json_get(answer.result, "sources");
                if (cJSON_IsString(cJSON_GetArrayItem(sources, 0)))
                        json_add_text(json, "source", cJSON_GetArrayItem(sources, 0)->valuestring);
                json_add_consume(json, "missing",
                                 cJSON_Duplicate(json_get(answer.result, "missing"), true));
        } else {
                json_add_text(json, "fault", err.text);
        }
        answer_deinit(&answer);
        return TAKE_PTR(json);
}

static int list_all(Link *link, const Common *common, Error *err) {
        Ask ask = { .method = "policy.list" };
        SCOPED(json_free) cJSON *names = own_policy_names();
        Answer answer = ANSWER_EMPTY;
        const cJSON *name;
        cJSON *policies;
        int r = link_ask(link, &ask, &answer, err);

        policies = json_get(answer.result, "policies");
        if (r == 0)
                cJSON_ArrayForEach(name, names)
                        json_push_consume(policies, describe_own(link, name->valuestring));
        if (r == 0 && common->json)
                events_result(answer.result);
        else if (r == 0)
                show_list(answer.result);
        answer_deinit(&answer);
        return r == 0 ? 0 : r < 0 ? r : -EREMOTEIO;
}

static int run_list(const VerbCall *call, Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        int r = link_open(&link, common->socket, err);

        if (r == 0)
                r = list_all(&link, common, err);
        link_deinit(&link);
        return r;
}

static int run_show(const VerbCall *call, Error *err) {
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        int r;

        if (call->n_words != 1) {
                (void) error_say(err, -EINVAL,
                                 "Name a policy, or a file with a slash in its name.");
                return VERB_E_USAGE;
        }
        r = own_policy_add(call->words[0], params, "name", err);
        return r < 0 ? r
                     : ask_once(call->options, "policy.show", TAKE_PTR(params), show_policy, err);
}

/* ---- a file that is in force nowhere yet ---------------------------------------------------------- */

static void show_fault(const cJSON *fault) {
        const char *field = json_text(fault, "field");
        uint64_t line = 0;

        terminal_text(stdout, json_text(fault, "file") ? json_text(fault, "file") : "?",
                      TEXT_SHOWN);
        if (json_number(fault, "line", &line) == 0)
                printf(":%llu", (unsigned long long) line);
        fputs(": ", stdout);
        if (field && *field) {
                terminal_text(stdout, field, TEXT_SHOWN);
                fputs(": ", stdout);
        }
        show_member(fault, "reason", "");
}

static void show_checked(const cJSON *result, const char *path) {
        const cJSON *fault, *item;

        cJSON_ArrayForEach(fault, json_get(result, "faults")) show_fault(fault);
        if (!json_true(result, "ok"))
                return;
        terminal_text(stdout, path, TEXT_SHOWN);
        puts(": good");
        cJSON_ArrayForEach(item, json_at(result, "/policy/missing")) {
                terminal_text(stdout, path, TEXT_SHOWN);
                fputs(": note: cannot be used here: this host lacks ", stdout);
                terminal_text(stdout, item->valuestring, TEXT_SHOWN);
                putchar('\n');
        }
}

/* A file that cannot be read is a fault of this file, and the others are looked at all the same */
static void tell_unreadable(const char *path, const Error *err, bool as_json) {
        cJSON *whole, *fault;

        if (!as_json) {
                terminal_say("%s", err->text);
                return;
        }
        whole = cJSON_CreateObject();
        json_add_bool(whole, "ok", false);
        fault = json_add_object(whole, "fault");
        json_add_text(fault, "file", path);
        json_add_text(fault, "reason", err->text);
        json_push_consume(json_add_array(whole, "faults"), cJSON_Duplicate(fault, true));
        events_result(whole);
        (void) json_free(whole);
}

/* Returns: 0 a good one, 1 a wrong one, negative errno: the supervisor could not be asked */
static int check_file(Link *link, const char *path, bool as_json, Error *err) {
        Ask ask = { .method = "policy.check" };
        Answer answer = ANSWER_EMPTY;
        Error own = ERROR_EMPTY;
        int r = own_policy_read(path, &ask.params, &own);

        if (r < 0) {
                tell_unreadable(path, &own, as_json);
                return 1;
        }
        r = link_ask(link, &ask, &answer, err);
        if (r == 0 && as_json)
                events_result(answer.result);
        else if (r == 0)
                show_checked(answer.result, path);
        r = r == 0 ? !json_true(answer.result, "ok") : r < 0 ? r : -EREMOTEIO;
        answer_deinit(&answer);
        return r;
}

static int run_check(const VerbCall *call, Error *err) {
        const Common *common = call->options;
        Link link = LINK_EMPTY;
        int worst = 0, r;

        if (call->n_words == 0) {
                (void) error_say(err, -EINVAL, "Name a file, or several.");
                return VERB_E_USAGE;
        }
        r = link_open(&link, common->socket, err);
        for (int i = 0; i < call->n_words && r >= 0; i++) {
                r = check_file(&link, call->words[i], common->json, err);
                worst = r > worst ? r : worst;
        }
        link_deinit(&link);
        return r < 0 ? r : worst;
}

const Verb verb_policy_list = {
        .name = "policy list",
        .summary = "list the policies that a jail may be given",
        .synopsis = "[--json]",
        .text = "Each with what it is for and the file that it is in, those of your own "
                "(~/.config/warder/\npolicies) last; what is wrong with a file, and what a policy "
                "requires that this host does\nnot have.",
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
        .summary = "show a policy as it holds for you, and who said what",
        .synopsis = "NAME|FILE",
        .text = "Every value with the file and line that it comes from: the policy, one that it "
                "extends,\nor the administrator's ceiling for you. A word with a slash is a file "
                "of "
                "your own, as for\n--policy.",
        .examples = "  warder policy show default\n  warder policy show ./mine.json\n  warder "
                    "policy show ci --json | jq .limits",
        .exits = EXITS_PLAIN,
        .options = policy_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_show,
};

const Verb verb_policy_check = {
        .name = "policy check",
        .summary = "say what is wrong with a policy file",
        .synopsis = "FILE…",
        .text = "The file need not be in force: its text is checked by the supervisor, over the "
                "policy that\nit extends. All that is wrong is named by file, line and field. What "
                "a good one requires\nand this host lacks is a note, and changes no exit code: the "
                "file may be for another host.",
        .examples = "  warder policy check ./mine.json\n"
                    "  warder policy check policies/*.json && install -m644 policies/*.json "
                    "/etc/warder/policies/",
        .exits = EXITS_PLAIN,
        .options = policy_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_check,
};
