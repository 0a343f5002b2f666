/*
 * The verbs of workflows. None of them needs a supervisor.
 */
#include "cli/verb-workflow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "cli/events.h"
#include "cli/terminal.h"
#include "cli/workflow-check.h"
#include "cli/workflow-draw.h"
#include "cli/workflow-source.h"
#include "cli/workflow-svg.h"

#define TEXT_SHOWN 600
#define EXIT_WRONG 1

typedef struct WorkflowOptions {
        Common common;
        bool svg;
} WorkflowOptions;

static const Option plain_options[] = { OPTIONS_COMMON, { 0 } };
static const Option graph_options[] = {
        { "svg", 0, OPTION_FLAG, offsetof(WorkflowOptions, svg), NULL,
          "Print a picture (SVG) instead of lines" },
        OPTIONS_COMMON,
        { 0 },
};

/* @word is what the caller called it; a fault begins with the name that the workflow gives itself */
static void say_fault(const char *word, const char *name, const char *text) {
        autofree char *own = NULL;

        if (asprintf(&own, "workflow %.64s: ", name) < 0)
                own = NULL;
        if (own && strncmp(text, own, strlen(own)) == 0)
                text += strlen(own);
        fputs("warder: ", stderr);
        terminal_text(stderr, word, TEXT_SHOWN);
        fputs(": ", stderr);
        terminal_text(stderr, text, TEXT_SHOWN);
        fputc('\n', stderr);
}

static void say_faults(const char *word, const cJSON *all, const cJSON *said) {
        const char *name = json_text(json_get(all, "workflow"), "name");
        const cJSON *fault;
        uint64_t more = 0;

        cJSON_ArrayForEach(fault, json_get(said, "faults")) {
                say_fault(word, name ? name : "", cJSON_IsString(fault) ? fault->valuestring : "?");
        }
        if (json_number(said, "more", &more) == 0 && more > 0)
                fprintf(stderr, "warder: and %llu more\n", (unsigned long long) more);
}

/* One workflow, checked. Returns: 0; EXIT_WRONG where it is not good, which is said; VERB_E_USAGE; negative errno */
static int load(const VerbCall *call, cJSON **ret_all, cJSON **ret_said, Error *err) {
        const Common *common = call->options;
        int r;

        if (call->n_words != 1) {
                (void) error_say(err, -EINVAL, "Which workflow? Give one name, or one file.");
                return VERB_E_USAGE;
        }
        r = workflow_source_all(call->words[0], ret_all, err);
        if (r >= 0)
                r = workflow_check(*ret_all, ret_said, err);
        if (r < 0)
                return r;
        if (json_true(*ret_said, "good"))
                return 0;
        if (common->json)
                events_result(*ret_said);
        else
                say_faults(call->words[0], *ret_all, *ret_said);
        return EXIT_WRONG;
}

/* ---- check --------------------------------------------------------------------------------------- */

static int run_check(const VerbCall *call, Error *err) {
        SCOPED(json_free) cJSON *all = NULL, *said = NULL;
        const Common *common = call->options;
        const char *name;
        int r = load(call, &all, &said, err);

        if (r != 0)
                return r;
        if (common->json) {
                events_result(said);
                return 0;
        }
        name = json_text(json_get(said, "tree"), "name");
        fputs("good: ", stdout);
        terminal_text(stdout, name ? name : "?", TEXT_SHOWN);
        putchar('\n');
        return 0;
}

/* ---- show ---------------------------------------------------------------------------------------- */

static void show_line(const char *title, const char *text) {
        if (!text)
                return;
        printf("%-12s ", title);
        terminal_text(stdout, text, TEXT_SHOWN);
        putchar('\n');
}

static void show_schema(const cJSON *workflow, const char *name) {
        const cJSON *schema = json_get(workflow, name), *property;
        autofree char *text = schema ? json_print(schema) : NULL;

        if (!json_get(schema, "properties")) {
                show_line(name, text);
                return;
        }
        cJSON_ArrayForEach(property, json_get(schema, "properties")) {
                autofree char *type = json_print(property);
                autofree char *line = NULL;
                bool needed = false;
                const cJSON *item;

                cJSON_ArrayForEach(item, json_get(schema, "required")) {
                        needed |= cJSON_IsString(item) &&
                                  strcmp(item->valuestring, property->string) == 0;
                }
                if (type && asprintf(&line, ".%s.%s%s: %s", name, property->string,
                                     needed ? " (required)" : "", type) >= 0)
                        show_line(property->prev == property || property == schema->child ? name
                                                                                          : "",
                                  line);
                else
                        line = NULL;
        }
}

static int run_show(const VerbCall *call, Error *err) {
        SCOPED(json_free) cJSON *all = NULL, *said = NULL;
        const Common *common = call->options;
        const cJSON *workflow, *part;
        int r = load(call, &all, &said, err);

        if (r != 0)
                return r;
        workflow = json_get(all, "workflow");
        if (common->json) {
                events_result(workflow);
                return 0;
        }
        show_line("name", json_text(workflow, "name"));
        show_line("description", json_text(workflow, "description"));
        show_schema(workflow, "input");
        show_schema(workflow, "state");
        cJSON_ArrayForEach(part, json_get(workflow, "workflows")) {
                show_line("calls", part->string);
        }
        putchar('\n');
        cJSON_DeleteItemFromObjectCaseSensitive(json_get(said, "tree"),
                                                "description"); /* it stands above */
        workflow_draw(json_get(said, "tree"));
        return 0;
}

/* ---- graph --------------------------------------------------------------------------------------- */

static int run_graph(const VerbCall *call, Error *err) {
        SCOPED(json_free) cJSON *all = NULL, *said = NULL;
        const WorkflowOptions *options = call->options;
        Buf buf = BUF_EMPTY(WORKFLOW_SVG_MAX);
        int r = load(call, &all, &said, err);

        if (r != 0)
                return r;
        if (options->common.json) {
                events_result(json_get(said, "tree"));
                return 0;
        }
        if (!options->svg) {
                workflow_draw(json_get(said, "tree"));
                return 0;
        }
        r = workflow_svg(json_get(said, "tree"), &buf);
        if (r >= 0 && fwrite(buf.data, 1, buf.len, stdout) != buf.len)
                r = -errno;
        buf_deinit(&buf);
        return r < 0 ? error_set(err, r, "draw the workflow") : 0;
}

#define EXITS_WORKFLOW                                  \
        "  0    good\n"                                 \
        "  1    not good: what is wrong is on stderr\n" \
        "  2    wrong usage\n"                          \
        "  6    it could not be read, or not be checked\n"

const Verb verb_workflow_check = {
        .name = "workflow check",
        .summary = "Check a workflow without running it",
        .synopsis = "[OPTIONS] NAME|FILE",
        .text = "Everything that can be known before a run: steps, keys, limits, roles, types, jq. "
                "Each fault is named by its JSON path. Needs no supervisor.",
        .examples = "  warder workflow check fix\n"
                    "  warder workflow check ./release.json\n",
        .exits = EXITS_WORKFLOW,
        .options = plain_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run_check,
};

const Verb verb_workflow_show = {
        .name = "workflow show",
        .summary = "Show what a workflow takes and what it does",
        .synopsis = "[OPTIONS] NAME|FILE",
        .text = "With --json the whole workflow as it would be run, with those that it calls.",
        .examples = "  warder workflow show feature\n"
                    "  warder workflow show --json ./release.json\n",
        .exits = EXITS_WORKFLOW,
        .options = plain_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run_show,
};

const Verb verb_workflow_graph = {
        .name = "workflow graph",
        .summary = "Draw a workflow as lines, or as a picture",
        .synopsis = "[OPTIONS] NAME|FILE",
        .text = "Boxes hold what a step holds; arms lie beside each other.",
        .examples = "  warder workflow graph tdd\n"
                    "  warder workflow graph --svg ./release.json >release.svg\n",
        .exits = EXITS_WORKFLOW,
        .options = graph_options,
        .size = sizeof(WorkflowOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run_graph,
};
