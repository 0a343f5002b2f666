/*
 * task-progress: see task-progress.h.
 */
#include "supervisor/front/tasks/task-progress.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fds.h"
#include "base/units.h"
#include "supervisor/front/gate/verdict-json.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-saves.h"

#define METER_USEC     1000000
#define METER_ACCURACY 250000
#define LINES_MAX      1024u

/* ---- processor time and output ------------------------------------------------------------------- */

/* The jail's counter only grows while it lives; what was read last stays when it has ended */
void task_meter_jail(const Task *task, const char *id, uint64_t *usec) {
        FrontJail *jail = id[0] ? front_jail_find(task->front, id, 0) : NULL;
        uint64_t now = 0;

        if (jail && front_jail_state(jail) == FRONT_JAIL_READY &&
            front_jail_cpu_usec(jail, &now) == 0 && now > *usec)
                *usec = now;
}

bool task_meter_read(Task *task) {
        if (task_is_final(task))
                return false;
        task_meter_jail(task, task->jail, &task->jail_cpu_usec[0]);
        task_meter_jail(task, task->agent_jail, &task->jail_cpu_usec[1]);
        task->used[BUDGET_CPU_USEC] = task->meter.cpu_usec + task->jail_cpu_usec[0] +
                                      task->jail_cpu_usec[1] + task_forks_meter(task);
        task->used[BUDGET_OUTPUT_BYTES] = task->meter.output_bytes;
        /* what is used is used already: only what goes beyond ends it */
        return task_spend(task, BUDGET_CPU_USEC, 0) && task_spend(task, BUDGET_OUTPUT_BYTES, 0);
}

static int on_meter(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) usec;
        if (!task_meter_read(userdata))
                return 0;                           /* it has ended, and the source with it */
        (void) task_saves_counters(userdata, NULL); /* its clock goes on: told again in a second */
        (void) sd_event_source_set_time_relative(source, METER_USEC);
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

int task_meter_start(Task *task, Error *err) {
        int r = sd_event_add_time_relative(task->front->event, &task->meter_timer, CLOCK_MONOTONIC,
                                           METER_USEC, METER_ACCURACY, on_meter, task);

        return r < 0 ? error_set(err, r, "watch what the task uses") : 0;
}

/* ---- progress ------------------------------------------------------------------------------------ */

static int by_text(const void *one, const void *other) {
        return strcmp(*(const char *const *) one, *(const char *const *) other);
}

/* The order in which tests report is no fact about them */
static void add_names(Digest *digest, const cJSON *names) {
        const char *sorted[VERDICT_NAMES_MAX];
        const cJSON *name;
        size_t n = 0;

        cJSON_ArrayForEach(name, names) {
                if (n < ELEMENTS(sorted))
                        sorted[n++] = name->valuestring;
        }
        /* cppcheck-suppress uninitvar ; the first n are set */
        qsort(sorted, n, sizeof(sorted[0]), by_text);
        for (size_t i = 0; i < n; i++)
                digest_add(digest, sorted[i], strlen(sorted[i]) + 1);
        digest_add(digest, "", 1);
}

static int digest_failure(const VerifyEnd *end, uint8_t *ret) {
        const Verdict *verdict = end->verdict;
        int named = cJSON_GetArraySize(verdict->failing) + cJSON_GetArraySize(verdict->missing) +
                    cJSON_GetArraySize(verdict->skipped);
        const uint64_t numbers[] = { verdict->kind, verdict->tests.failed };
        Digest *digest = NULL;

        if (digest_new(&digest) < 0)
                return -ENOMEM;
        digest_add(digest, numbers, sizeof(numbers));
        digest_add(digest, verdict->cause, strlen(verdict->cause) + 1);
        add_names(digest, verdict->failing);
        add_names(digest, verdict->missing);
        add_names(digest, verdict->skipped);
        if (named == 0 && verdict->kind == VERDICT_FAILED && end->detail)
                digest_add(digest, end->detail, strlen(end->detail));
        digest_end(digest, ret);
        digest_free(digest);
        return 0;
}

static bool is_known(const TaskGate *gate, const uint8_t *digest) {
        for (size_t i = 0; i < gate->n_seen; i++)
                if (memcmp(gate->seen[i], digest, DIGEST_SIZE) == 0)
                        return true;
        return false;
}

/* A task has no more of them than two for each verify */
static int remember(TaskGate *gate, const uint8_t *digest) {
        uint8_t(*more)[DIGEST_SIZE] = realloc(gate->seen, (gate->n_seen + 1) * sizeof(*more));

        if (!more)
                return -ENOMEM;
        gate->seen = more;
        memcpy(gate->seen[gate->n_seen++], digest, DIGEST_SIZE);
        return 0;
}

int task_progress_note(Task *task, const VerifyEnd *end) {
        TaskGate *gate = &task->gate;
        uint8_t failure[DIGEST_SIZE];
        bool known;

        if (end->verdict->kind == VERDICT_PASSED) {
                task->used[BUDGET_NO_PROGRESS] = 0;
                return 0;
        }
        if (digest_failure(end, failure) < 0)
                return -ENOMEM;
        known = is_known(gate, failure) || is_known(gate, gate->patch);
        task->used[BUDGET_NO_PROGRESS] = known ? task->used[BUDGET_NO_PROGRESS] + 1 : 1;
        return known                                                            ? 0
               : remember(gate, failure) < 0 || remember(gate, gate->patch) < 0 ? -ENOMEM
                                                                                : 0;
}

/* ---- told to the agent --------------------------------------------------------------------------- */

static void say_left(Buf *buf, const Task *task, TaskBudget budget) {
        uint64_t most = task->budget[budget], used = task->used[budget];
        uint64_t left = used < most ? most - used : 0;
        char text[TASK_BUDGET_TEXT_MAX], of[TASK_BUDGET_TEXT_MAX];

        (void) buf_printf(buf, "%s%s %s of %s", buf->len ? ", " : "Left: ", task_limit_name(budget),
                          task_budget_text(task, budget, left, text),
                          task_budget_text(task, budget, most, of));
}

char *task_budget_line(const Task *task) {
        Buf buf = BUF_EMPTY(LINES_MAX);

        for (unsigned i = 0; i < _TASK_BUDGET_MAX; i++)
                if (i != BUDGET_NO_PROGRESS && task_has_budget(task, (TaskBudget) i))
                        say_left(&buf, task, (TaskBudget) i);
        (void) buf_printf(&buf, ".");
        return buf_take(&buf);
}

char *task_progress_text(const Task *task, const char *detail) {
        uint64_t run = task->used[BUDGET_NO_PROGRESS], most = task->budget[BUDGET_NO_PROGRESS];
        Buf buf = BUF_EMPTY(VERDICT_DETAIL_MAX + LINES_MAX);

        (void) buf_printf(&buf, "%s\nThis was verify %llu of %llu.\n", detail,
                          (unsigned long long) task->used[BUDGET_VERIFIES],
                          (unsigned long long) task->budget[BUDGET_VERIFIES]);
        if (run > 1)
                (void) buf_printf(&buf,
                                  "%llu verdicts running brought nothing new (a patch or a failure "
                                  "that was there before); %llu end the task.\n",
                                  (unsigned long long) run, (unsigned long long) most);
        return buf_take(&buf);
}
