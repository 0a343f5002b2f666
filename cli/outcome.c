/*
 * outcome: from the record of a command to what a shell and a person see. The exit code follows what
 * shells do; the cause on stderr is what counts, since 137 alone says nothing.
 */
#include "cli/outcome.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/verbs.h"

typedef struct CauseRow {
        const char *cause;
        int exit_code;        /* -1: the command's own, or 128 and its signal */
        const char *sentence; /* NULL: made by a function of its own */
        Limit limit;          /* that was reached; who may raise it is said behind the sentence */
} CauseRow;

static const CauseRow rows[] = {
        { "exited", -1, "", LIMIT_NONE },
        { "signaled", -1, NULL, LIMIT_NONE },
        { "wall_timeout", EXIT_TIME_LIMIT,
          "time limit: the command and all that it started were ended after %s", LIMIT_WALL },
        { "cpu_timeout", EXIT_TIME_LIMIT,
          "processor time limit: the command was ended when it had used %s", LIMIT_CPU_TIME },
        { "oom", EXIT_SIGNAL + 9, NULL, LIMIT_MEMORY },
        { "pids_limit", -1,
          "process limit: the command failed after %s when it could start no more processes",
          LIMIT_PIDS },
        { "disk_limit", -1, "disk limit: the command failed after %s when it could write no more",
          LIMIT_DISK },
        { "output_limit", -1,
          "output limit: the command was ended after %s because it printed too much; the limit is "
          "output_max of the policy",
          LIMIT_NONE },
        { "seccomp", -1, NULL, LIMIT_NONE },
        { "killed_by_client", -1, "killed after %s, as was asked for", LIMIT_NONE },
        { "jail_ended", EXIT_RUN_FAILED, "the jail ended after %s, while the command was running",
          LIMIT_NONE },
        { "supervisor_lost", EXIT_RUN_FAILED,
          "the supervisor was lost after %s, while the command was running", LIMIT_NONE },
        { "not_started", EXIT_RUN_FAILED, NULL, LIMIT_NONE },
};

static const CauseRow *find_row(const cJSON *record) {
        const char *cause = json_text(record, "cause");

        for (size_t i = 0; cause && i < ELEMENTS(rows); i++)
                if (strcmp(rows[i].cause, cause) == 0)
                        return &rows[i];
        return NULL;
}

static uint64_t number(const cJSON *record, const char *name) {
        uint64_t value = 0;

        (void) json_number(record, name, &value);
        return value;
}

/* As shells use 126 and 127; only where the last step, the execution itself, failed */
static int not_started_code(const cJSON *record) {
        const char *step = json_text(record, "step");
        uint64_t code = number(record, "errno");

        if (!step || strcmp(step, "exec") != 0)
                return EXIT_RUN_FAILED;
        if (code == ENOENT || code == ENOTDIR)
                return EXIT_NOT_FOUND;
        return EXIT_NOT_EXECUTABLE;
}

int outcome_exit_code(const cJSON *record) {
        const CauseRow *row = find_row(record);
        uint64_t signal = number(record, "signal");
        uint64_t code = number(record, "code");

        if (!row)
                return EXIT_RUN_FAILED;
        if (strcmp(row->cause, "not_started") == 0)
                return not_started_code(record);
        if (row->exit_code >= 0)
                return row->exit_code;
        if (signal > 0)
                return (int) (EXIT_SIGNAL + (signal & 0x7f));
        if (code == 0 && strcmp(row->cause, "exited") != 0)
                return EXIT_SIGNAL + 9; /* ended from outside, without a status of its own */
        return (int) (code & 0xff);
}

/* Its memory limit is what a jail may hold of it; on a busy host it may be less: uncounted.c of the front */
static void say_sockets(uint64_t bytes, Buf *text) {
        char held[UNITS_TEXT_MAX];

        (void) buf_printf(text,
                          "out of memory: sockets of the jail held up to %s that is charged to no "
                          "group (connections that nobody accepted, small parts of large buffers); "
                          "the memory limit bounds that apart from all else",
                          units_format_size(bytes, held));
}

static void say_locks(uint64_t bytes, Buf *text) {
        char held[UNITS_TEXT_MAX];

        (void) buf_printf(
                text,
                "out of memory: the jail held thousands of locks of files, %s and more that "
                "is charged to no group, while the host's kernel memory was short",
                units_format_size(bytes, held));
}

static bool is_hit(const cJSON *record, const char *hit) {
        const cJSON *at;

        cJSON_ArrayForEach(at, json_get(record, "hits")) {
                if (cJSON_IsString(at) && strcmp(at->valuestring, hit) == 0)
                        return true;
        }
        return false;
}

static void say_oom(const cJSON *record, uint64_t memory, Buf *text) {
        char peak[UNITS_TEXT_MAX], files[UNITS_TEXT_MAX], limit[UNITS_TEXT_MAX];
        uint64_t most;

        if (json_number(json_get(record, "evidence"), "uncounted", &most) == 0) {
                (is_hit(record, "locks") ? say_locks : say_sockets)(most, text);
                return;
        }
        (void) buf_printf(text, "out of memory: a process of the command was killed");
        if (memory)
                (void) buf_printf(text, "; limit %s", units_format_size(memory, limit));
        if (json_number(record, "memory_peak", &most) == 0)
                (void) buf_printf(text, "%speak %s (%s of it files)", memory ? ", " : "; ",
                                  units_format_size(most, peak),
                                  units_format_size(number(record, "memory_files"), files));
}

static void say_signal(const cJSON *record, Buf *text) {
        int signal = (int) number(record, "signal");

        (void) buf_printf(text, "ended by signal %d (SIG%s)", signal,
                          sigabbrev_np(signal) ? sigabbrev_np(signal) : "?");
        if (signal == SIGSYS)
                (void) buf_printf(text,
                                  ": no record of the kernel says that a filter did it; a program "
                                  "can do it itself, and 'warder doctor' says whether records "
                                  "come");
        if (signal == SIGXFSZ)
                (void) buf_printf(text, ": a file grew beyond the policy's fsize");
}

static void say_filter(const cJSON *record, const char *time, Buf *text) {
        const cJSON *evidence = json_get(record, "seccomp"), *number = json_get(evidence, "number");
        const char *call = json_text(evidence, "call"), *arch = json_text(evidence, "arch");
        const char *filter = json_text(evidence, "filter");
        bool floor = filter && strcmp(filter, "floor") == 0;

        (void) buf_printf(
                text,
                "forbidden system call: %s (number %.0f, %s); the command was ended after %s by %s",
                call ? call : "one without a name",
                cJSON_IsNumber(number) ? number->valuedouble : -1.0, arch ? arch : "unknown", time,
                floor ? "the floor, the filter below every policy: it takes calls of no other "
                        "architecture"
                      : "the filter of its policy");
}

/* A limit that was hit, but not provably by this command: said beside the cause, not in its place. */
static void say_shared(const cJSON *record, Buf *text) {
        const cJSON *evidence = json_get(record, "evidence");
        const char *cause = json_text(record, "cause"), *between = "";
        const cJSON *hit;

        if (!evidence || !cause || (number(record, "code") == 0 && number(record, "signal") == 0) ||
            (strcmp(cause, "exited") != 0 && strcmp(cause, "signaled") != 0))
                return;
        (void) buf_printf(text, "%sthe jail was at its limit of ",
                          strcmp(cause, "exited") == 0 ? "" : "; ");
        cJSON_ArrayForEach(hit, json_get(record, "hits")) {
                if (cJSON_IsString(hit))
                        (void) buf_printf(text, "%s%s", between, hit->valuestring);
                between = ", ";
        }
        (void) buf_printf(text, json_true(evidence, "others")
                                        ? " while this command and others ran in it: the kernel "
                                          "does not say whose doing it was"
                                        : " already before this command began");
}

/* Every kernel has execve(2): only a filter answers that there is none */
static bool is_filtered(const cJSON *record) {
        const char *step = json_text(record, "step");

        return step && strcmp(step, "exec") == 0 && number(record, "errno") == ENOSYS;
}

static void say_not_started(const cJSON *record, const char *name, Buf *text) {
        const char *step = json_text(record, "step");
        const char *error = json_text(record, "error");
        int code = not_started_code(record);

        if (code == EXIT_NOT_FOUND)
                (void) buf_printf(text, "%s: not found in the jail (%s)",
                                  name ? name : "the command", error ? error : "no such file");
        else if (step && strcmp(step, "cwd") == 0)
                (void) buf_printf(text,
                                  "the directory to start in cannot be entered: %s; "
                                  "choose another with --cwd",
                                  error ? error : "unknown");
        else if (is_filtered(record))
                (void) buf_printf(text,
                                  "%s: the filter of this policy lets no program be executed: the "
                                  "policy is for a program of warder's own; choose another",
                                  name ? name : "the command");
        else if (step && strcmp(step, "exec") == 0 && number(record, "errno") == EACCES)
                (void) buf_printf(text,
                                  "%s: may not be executed: it is a directory, not executable "
                                  "(chmod +x), or out of reach of the jail's user",
                                  name ? name : "the command");
        else
                (void) buf_printf(text, "%s: could not be started (step %s): %s",
                                  name ? name : "the command", step ? step : "unknown",
                                  error ? error : "unknown");
}

/* A request may only tighten: an option that was not given cannot raise what a policy says */
static void say_remedy(const OutcomeFacts *facts, Limit limit, Buf *text) {
        static const char *const options[_LIMIT_MAX] = {
                [LIMIT_MEMORY] = "--memory",     [LIMIT_PIDS] = "--pids",
                [LIMIT_DISK] = "--disk",         [LIMIT_WALL] = "--time",
                [LIMIT_CPU_TIME] = "--cpu-time",
        };

        if (limit == LIMIT_NONE)
                return;
        if (facts->given & BIT(limit))
                (void) buf_printf(text, "; raise with %s", options[limit]);
        else if (limit == LIMIT_DISK && facts->given & BIT(LIMIT_MEMORY))
                (void) buf_printf(text,
                                  "; a disk has half of the memory at most: raise with --memory");
        else if (facts->is_verify)
                (void) buf_printf(text, "; the limit is the verify spec's or its policy's");
        else if (facts->is_in_jail)
                (void) buf_printf(text, "; the limit is its jail's or its policy's");
        else
                (void) buf_printf(text,
                                  "; the limit is the policy's: choose another with --policy");
}

void outcome_sentence(const cJSON *record, const OutcomeFacts *facts, Buf *text) {
        const CauseRow *row = find_row(record);
        uint64_t usec = number(record, "wall_usec");
        char time[UNITS_TEXT_MAX];

        if (row && row->limit == LIMIT_CPU_TIME)
                usec = number(record, "user_usec") + number(record, "sys_usec");
        units_format_duration(usec, time);
        if (!row) {
                (void) buf_printf(text, "the supervisor gave no cause that this command knows");
        } else if (strcmp(row->cause, "signaled") == 0) {
                say_signal(record, text);
        } else if (strcmp(row->cause, "seccomp") == 0) {
                say_filter(record, time, text);
        } else if (strcmp(row->cause, "oom") == 0) {
                say_oom(record, facts->memory, text);
        } else if (strcmp(row->cause, "not_started") == 0) {
                say_not_started(record, facts->name, text);
        } else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
                (void) buf_printf(text, row->sentence, time);
#pragma GCC diagnostic pop
        }
        if (row)
                say_remedy(facts, row->limit, text);
        say_shared(record, text);
}
