/*
 * The verb "doctor": checks of the host, or with --attack probes in a real jail; two tables of words.
 */
#include "cli/verb-doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "cli/doctor-attack.h"
#include "cli/doctor-checks.h"
#include "cli/doctor-kinds.h"
#include "cli/doctor-you.h"
#include "cli/events.h"
#include "cli/terminal.h"

#define TEXT_SHOWN 200

typedef struct DoctorOptions {
        Common common;
        AttackOptions attack;
        bool attacks;
} DoctorOptions;

static const Option doctor_options[] = {
        { "attack", 0, OPTION_FLAG, offsetof(DoctorOptions, attacks), NULL,
          "Try ways out of a real jail" },
        { "policy", 'p', OPTION_TEXT, offsetof(DoctorOptions, attack.policy), "NAME|FILE",
          "Policy of that jail, or a file that tightens one (default: $WARDER_POLICY, else "
          "default)" },
        { "snapshot", 's', OPTION_TEXT, offsetof(DoctorOptions, attack.snapshot), "NAME",
          "Its root (default: $WARDER_SNAPSHOT, else host)" },
        OPTIONS_COMMON,
        { 0 },
};

static void show_columns(const cJSON *row, const char *const *columns, const int *widths) {

        for (unsigned i = 0; columns[i]; i++) {
                const char *text = json_text(row, columns[i]);
                int n = text ? (int) strlen(text) : 0;

                terminal_text(stdout, text, TEXT_SHOWN);
                if (columns[i + 1])
                        printf("%*s", n < widths[i] ? widths[i] - n + 1 : 2, "");
        }
        putchar('\n');
}

/* What went wrong stands last, where a person looks */
static void show_rows(const cJSON *rows, const char *const *columns, const int *widths,
                      const char *good) {
        const cJSON *row;

        for (unsigned bad = 0; bad < 2; bad++)
                cJSON_ArrayForEach(row, rows) {
                        const char *state = json_text(row, columns[0]);

                        if ((state && strcmp(state, good) == 0) == !bad)
                                show_columns(row, columns, widths);
                }
}

/* Is the outcome of the same probe, tried as somebody else, the same by the same wall */
static bool is_same(const cJSON *row, const cJSON *other) {
        static const char *const names[] = { "probe", "outcome", "wall", "tried" };

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *a = json_text(row, names[i]), *b = json_text(other, names[i]);

                if (!a || !b || strcmp(a, b) != 0)
                        return false;
        }
        return true;
}

/* One row a probe for people, with all as whom it was tried; two where that made a difference */
static cJSON *merge_rows(const cJSON *rows) {
        cJSON *merged = cJSON_CreateArray(), *same;
        const cJSON *row;

        cJSON_ArrayForEach(row, rows) {
                char as[64];

                same = merged->child;
                while (same && !is_same(row, same))
                        same = same->next;
                if (!same) {
                        json_push_consume(merged, cJSON_Duplicate(row, true));
                        continue;
                }
                (void) snprintf(as, sizeof(as), "%.30s, %.30s", json_text(same, "as"),
                                json_text(row, "as"));
                cJSON_DeleteItemFromObjectCaseSensitive(same, "as");
                json_add_text(same, "as", as);
        }
        return merged;
}

static int run_attack(const DoctorOptions *options, Error *err) {
        static const char *const columns[] = { "outcome", "as", "wall", "probe", "tried", NULL };
        static const int widths[] = { 10, 10, 24, 24, 0 };
        SCOPED(json_free) cJSON *rows = cJSON_CreateArray();
        AttackTotals totals = { 0 };
        int r = doctor_attack(&options->attack, options->common.socket, rows, &totals, err);

        if (r < 0)
                return r;
        if (options->common.json) {
                SCOPED(json_free) cJSON *whole = cJSON_CreateObject();

                json_add_number(whole, "held", totals.held);
                json_add_number(whole, "through", totals.through);
                json_add_number(whole, "unclear", totals.unclear);
                json_add_number(whole, "not_tried", totals.not_tried);
                json_add_consume(whole, "probes", cJSON_Duplicate(rows, true));
                events_result(whole);
        } else {
                SCOPED(json_free) cJSON *merged = merge_rows(rows);

                show_rows(merged, columns, widths, "held");
                printf("%u held, %u got through, %u unclear, %u not tried\n", totals.held,
                       totals.through, totals.unclear, totals.not_tried);
        }
        return totals.through + totals.unclear > 0 ? 1 : 0;
}

static void show_kinds(const cJSON *kinds) {
        const cJSON *kind;

        cJSON_ArrayForEach(kind, kinds) {
                const char *possible = json_text(kind, "possible");
                const char *because = json_text(kind, "because");

                printf("jails with %s: %s%s", json_text(kind, "kind"), possible,
                       because && *because ? ": " : "");
                terminal_text(stdout, because, TEXT_SHOWN);
                putchar('\n');
        }
}

static int run_checks(const DoctorOptions *options) {
        static const char *const columns[] = { "state", "check", "found", "cost", "remedy", NULL };
        static const int widths[] = { 10, 24, 36, 0, 0 };
        SCOPED(json_free) cJSON *rows = cJSON_CreateArray(), *kinds = cJSON_CreateArray();
        unsigned missing = doctor_checks(rows);

        missing += doctor_you(options->common.socket, rows);
        doctor_policies(options->common.socket, rows);
        doctor_kinds(rows, kinds);
        if (options->common.json) {
                SCOPED(json_free) cJSON *whole = cJSON_CreateObject();

                json_add_number(whole, "missing", missing);
                json_add_consume(whole, "checks", cJSON_Duplicate(rows, true));
                json_add_consume(whole, "kinds", cJSON_Duplicate(kinds, true));
                events_result(whole);
        } else {
                show_rows(rows, columns, widths, "ok");
                show_kinds(kinds);
        }
        return missing > 0 ? 1 : 0;
}

static int run(const VerbCall *call, Error *err) {
        const DoctorOptions *options = call->options;

        if (!options->attacks && (options->attack.policy || options->attack.snapshot)) {
                (void) error_say(err, -EINVAL, "--policy and --snapshot belong to --attack.");
                return VERB_E_USAGE;
        }
        return options->attacks ? run_attack(options, err) : run_checks(options);
}

const Verb verb_doctor = {
        .name = "doctor",
        .summary = "what this host can do, and whether a jail on it holds",
        .synopsis = "[--attack [--policy P] [--snapshot S]] [--json]",
        .text = "Without --attack nothing of the host is changed: each check with what it found, "
                "what its\nabsence costs and what to do; who you are to the supervisor; which "
                "jails "
                "can be made.",
        .examples = "  warder doctor\n  sudo warder doctor --attack --policy ci",
        .exits = "  0    all that is needed is there; with --attack, every probe was held\n"
                 "  1    something needed is missing; something got through\n"
                 "  2    wrong usage\n",
        .options = doctor_options,
        .size = sizeof(DoctorOptions),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
