/*
 * verbs: the table of verbs, and what all verbs share: parsing, help, the report of a failure.
 */
#include "cli/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "cli/events.h"
#include "cli/terminal.h"
#include "cli/verb-answer.h"
#include "cli/verb-apply.h"
#include "cli/verb-attach.h"
#include "cli/verb-cp.h"
#include "cli/verb-create.h"
#include "cli/verb-diff.h"
#include "cli/verb-doctor.h"
#include "cli/verb-events.h"
#include "cli/verb-exec.h"
#include "cli/verb-export.h"
#include "cli/verb-fork.h"
#include "cli/verb-freeze.h"
#include "cli/verb-help.h"
#include "cli/verb-kill.h"
#include "cli/verb-logs.h"
#include "cli/verb-ls.h"
#include "cli/verb-models.h"
#include "cli/verb-policy.h"
#include "cli/verb-pool.h"
#include "cli/verb-receipt.h"
#include "cli/verb-replay.h"
#include "cli/verb-resume.h"
#include "cli/verb-rm.h"
#include "cli/verb-run.h"
#include "cli/verb-save.h"
#include "cli/verb-shell.h"
#include "cli/verb-snapshot-fsck.h"
#include "cli/verb-snapshot-import.h"
#include "cli/verb-snapshot.h"
#include "cli/verb-ssh-config.h"
#include "cli/verb-ssh-proxy.h"
#include "cli/verb-start.h"
#include "cli/verb-stats.h"
#include "cli/verb-stop.h"
#include "cli/verb-task-log.h"
#include "cli/verb-task-run.h"
#include "cli/verb-task.h"
#include "cli/verb-verify.h"
#include "cli/verb-waiting.h"
#include "cli/verb-workflow.h"

#define NAME_WIDTH 16

static const Verb *const verbs[] = {
        &verb_run,
        &verb_create,
        &verb_exec,
        &verb_shell,
        &verb_cp,
        &verb_ssh_config,
        &verb_ssh_proxy,
        &verb_logs,
        &verb_attach,
        &verb_kill,
        &verb_ls,
        &verb_stats,
        &verb_top,
        &verb_events,
        &verb_freeze,
        &verb_thaw,
        &verb_diff,
        &verb_save,
        &verb_fork,
        &verb_start,
        &verb_stop,
        &verb_rm,
        &verb_snapshot_import,
        &verb_snapshot_list,
        &verb_snapshot_show,
        &verb_snapshot_export,
        &verb_snapshot_tag,
        &verb_snapshot_rm,
        &verb_snapshot_gc,
        &verb_snapshot_fsck,
        &verb_verify,
        &verb_apply,
        &verb_task_run,
        &verb_task_start,
        &verb_task_list,
        &verb_task_show,
        &verb_task_watch,
        &verb_task_log,
        &verb_task_cancel,
        &verb_task_waiting,
        &verb_task_approve,
        &verb_task_reject,
        &verb_task_answer,
        &verb_task_diff,
        &verb_task_receipt,
        &verb_task_replay,
        &verb_workflow_check,
        &verb_workflow_show,
        &verb_workflow_graph,
        &verb_models_list,
        &verb_task_resume,
        &verb_task_undo,
        &verb_policy_list,
        &verb_policy_show,
        &verb_policy_check,
        &verb_pool_set,
        &verb_pool_show,
        &verb_doctor,
        &verb_help,
        NULL,
};

const Verb *const *verbs_all(void) {
        return verbs;
}

/* Is @name the name "word" or "word next" */
static int name_words(const char *name, int n_words, char **words) {
        const char *blank = strchr(name, ' ');

        if (!blank)
                return strcmp(name, words[0]) == 0 ? 1 : 0;
        if (strlen(words[0]) != (size_t) (blank - name) ||
            strncmp(name, words[0], (size_t) (blank - name)) != 0)
                return 0;
        return n_words > 1 && strcmp(blank + 1, words[1]) == 0 ? 2 : 0;
}

bool verbs_is_group(const char *word) {
        size_t n = strlen(word);

        for (const Verb *const *verb = verbs; *verb; verb++)
                if (strncmp((*verb)->name, word, n) == 0 && (*verb)->name[n] == ' ')
                        return true;
        return false;
}

static size_t least(size_t a, size_t b, size_t c) {
        size_t smallest = a < b ? a : b;

        return smallest < c ? smallest : c;
}

/* Edits between two short words (Levenshtein), one row at a time */
static size_t distance(const char *from, const char *to) {
        size_t row[64];
        size_t n = strlen(to);

        if (n >= ELEMENTS(row))
                return SIZE_MAX;
        for (size_t i = 0; i <= n; i++)
                row[i] = i;
        for (size_t i = 0; from[i]; i++) {
                size_t corner = row[0];

                row[0] = i + 1;
                for (size_t k = 0; k < n; k++) {
                        size_t above = row[k + 1];

                        row[k + 1] = least(above + 1, row[k] + 1, corner + (from[i] != to[k]));
                        corner = above;
                }
        }
        return row[n];
}

/* What other programs call it */
static const struct {
        const char *word, *verb;
} elsewhere[] = {
        { "commit", "save" },
        { "delete", "rm" },
        { "destroy", "rm" },
        { "enter", "shell" },
        { "images", "snapshot list" },
        { "jails", "ls" },
        { "list", "ls" },
        { "new", "create" },
        { "pause", "freeze" },
        { "ps", "ls" },
        { "pull", "snapshot import" },
        { "remove", "rm" },
        { "ssh", "ssh-config" },
        { "status", "ls" },
        { "unpause", "thaw" },
};

/* "gc" for "snapshot gc": where a verb of one group ends so, and none of another */
static const char *of_a_group(const char *typed) {
        const char *found = NULL;

        for (const Verb *const *verb = verbs; *verb; verb++) {
                const char *blank = strchr((*verb)->name, ' ');

                if (!blank || strcmp(blank + 1, typed) != 0)
                        continue;
                if (found)
                        return NULL;
                found = (*verb)->name;
        }
        return found;
}

/* The nearest verb to what was typed, NULL where none is near enough to be meant */
static const char *nearest(const char *typed) {
        const char *best = of_a_group(typed);
        size_t best_edits = strlen(typed) / 3 + 2;

        for (size_t i = 0; i < ELEMENTS(elsewhere) && !best; i++)
                if (strcmp(elsewhere[i].word, typed) == 0)
                        best = elsewhere[i].verb;
        if (best)
                return best;

        for (const Verb *const *verb = verbs; *verb; verb++) {
                size_t edits = distance(typed, (*verb)->name);

                if (edits < best_edits && edits < strlen((*verb)->name)) {
                        best = (*verb)->name;
                        best_edits = edits;
                }
        }
        return best;
}

const Verb *verbs_find(int n_words, char **words, int *ret_used, Error *err) {
        char typed[64];
        const char *meant;

        for (const Verb *const *verb = verbs; *verb; verb++) {
                int used = name_words((*verb)->name, n_words, words);

                if (used > 0) {
                        *ret_used = used;
                        return *verb;
                }
        }
        if (verbs_is_group(words[0]) && n_words > 1)
                snprintf(typed, sizeof(typed), "%.30s %.30s", words[0], words[1]);
        else
                snprintf(typed, sizeof(typed), "%.60s", words[0]);
        meant = nearest(typed);
        if (meant)
                error_say(err, -EINVAL, "There is no verb '%s'. Did you mean '%s'?", typed, meant);
        else
                error_say(err, -EINVAL, "There is no verb '%s'. 'warder help' lists all verbs.",
                          typed);
        return NULL;
}

/* A program that reads stdout learns there too that nothing more will come, and why */
void verbs_report_json(const char *verb, int exit_code, const Error *err) {
        cJSON *event = cJSON_CreateObject();

        json_add_text(event, "verb", verb);
        json_add_text(event, "message", err->text);
        json_add_number(event, "exit", (uint64_t) exit_code);
        events_print("error", event);
}

bool verbs_wants_json(int argc, char **argv) {
        for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
                if (strcmp(argv[i], "--json") == 0)
                        return true;
        return false;
}

static int report(const Verb *verb, int r, bool json, const Error *err) {
        if (err->code != 0 && r != 0)
                terminal_say("%s", err->text);
        if ((r < 0 || r == VERB_E_USAGE) && json)
                verbs_report_json(verb->name, r < 0 ? verb->exit_failed : verb->exit_usage, err);
        if (r == VERB_E_USAGE) {
                fprintf(stderr, "Try 'warder %s --help'.\n", verb->name);
                return verb->exit_usage;
        }
        return r < 0 ? verb->exit_failed : r;
}

int verbs_run(const Verb *verb, bool json, int argc, char **argv) {
        autofree void *options = calloc(1, verb->size);
        Error err = ERROR_EMPTY;
        VerbCall call = { .options = options };
        int rest = 0, r;

        if (!options)
                return report(verb, error_set(&err, -ENOMEM, "start '%s'", verb->name), json, &err);
        ((Common *) options)->json = json;
        r = options_parse(verb->options, argc, argv, verb->stops_at_word, options, &rest, &err);
        if (((const Common *) options)->help) {
                verbs_help(verb);
                return 0;
        }
        if (r < 0)
                return report(verb, VERB_E_USAGE, json || verbs_wants_json(argc, argv), &err);
        call.n_words = argc - rest;
        call.words = argv + rest;
        if (verb->takes_no_words && call.n_words > 0) {
                (void) error_say(&err, -EINVAL, "'%s' takes options only, not '%.60s'.", verb->name,
                                 call.words[0]);
                return report(verb, VERB_E_USAGE, ((const Common *) options)->json, &err);
        }
        r = verb->run(&call, &err);
        if (r == 0) /* an answer that could not be written is none */
                r = events_end(events_flush(), &err);
        return report(verb, r, ((const Common *) options)->json, &err);
}

void verbs_list(const char *group) {
        size_t n = group ? strlen(group) : 0;

        for (const Verb *const *verb = verbs; *verb; verb++)
                if (!group || (strncmp((*verb)->name, group, n) == 0 && (*verb)->name[n] == ' '))
                        printf("  %-*s  %s\n", NAME_WIDTH, (*verb)->name, (*verb)->summary);
}

void verbs_help(const Verb *verb) {
        autofree char *options = options_help(verb->options);

        printf("warder %s: %s\n\nUsage: warder %s %s\n", verb->name, verb->summary, verb->name,
               verb->synopsis);
        if (verb->text)
                printf("\n%s\n", verb->text);
        printf("\nExamples:\n%s\n\nOptions:\n%s\nExit codes:\n%s", verb->examples,
               options ? options : "", verb->exits);
}
