/*
 * task-start: see task-start.h.
 *
 * The wall clock of the task runs from here on. Both jails are made at once; the later one goes on. Their
 * own wall limits are a little longer than the task's, so that the task's limit is what ends it.
 */
#include "supervisor/front/tasks/task-start.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/egress-link.h"
#include "supervisor/front/gate/work-layer.h"
#include "supervisor/front/tasks/agent-socket.h"
#include "supervisor/front/tasks/questions.h"
#include "supervisor/front/tasks/replays.h"
#include "supervisor/front/tasks/task-model.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-progress.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/task-saves.h"

#define WALL_SLACK_USEC (30u * 1000000ull)
#define WALL_ACCURACY   100000
#define WAIT_MOST_USEC  (QUESTIONS_PER_TASK_MAX * ANSWER_WAIT_MOST)

enum { MAKING_TASK, MAKING_AGENT };

/* ---- the agent ----------------------------------------------------------------------------------- */

static void log_output(const Task *task, const CommandEnd *end) {
        autofree char *text = end->output[0] >= 0 ? command_output(end, 0) : NULL;

        if (text && *text)
                log_event(LOG_INFO, "agent says", F("TASK", task->id), F("TEXT", text));
}

static void on_agent_end(Command *command, const CommandEnd *end, void *userdata) {
        TaskRef *ref = userdata;
        const unsigned run = ref->run;
        char why[256];
        Task *task;

        (void) command;
        log_output(ref->task, end);
        task = task_ref_done(ref);
        if (task) /* on a busy host its end is seen before its last words */
                agent_socket_drain(task->socket);
        if (!task || task_is_final(task) || task->run != run ||
            task->gate.for_finish) /* it said that it is done, and went */
                return;
        if (end->cause == CAUSE_EXITED)
                (void) snprintf(why, sizeof(why),
                                "the agent exited with %d without saying that it is done",
                                end->code);
        else if (end->cause == CAUSE_NOT_STARTED)
                (void) snprintf(why, sizeof(why), "the agent could not be started (%s: %s)",
                                init_step_name(end->step), strerrordesc_np(-end->code));
        else
                (void) snprintf(why, sizeof(why), "the agent ended: %s%s", cause_name(end->cause),
                                end->signal ? " (by a signal)" : "");
        if (end->cause == CAUSE_SIGNALED) /* it was killed: another one goes on */
                task_lost(task, "agent_lost", why);
        else
                task_end(task, TASK_ERROR,
                         end->cause == CAUSE_EXITED ? "agent_lost" : cause_name(end->cause), why);
}

static int run_agent(Task *task, FrontJail *jail, int socket_fd, Error *err) {
        static const char *const argv[] = { "warder-agent", NULL };
        CommandSpec spec = COMMAND_SPEC_EMPTY;
        Command *command;
        TaskRef *ref;
        int r;

        spec.argv = argv;
        spec.cwd = "/";
        spec.stdio[2] = STDIO_MERGE;
        spec.binary_fd = task->front->agent_fd;
        spec.fd3 = socket_fd;
        /* its jail's clock ends it, which stands still while people are waited for */
        spec.wall_usec = task->budget[BUDGET_WALL_USEC] + WALL_SLACK_USEC + WAIT_MOST_USEC;
        ref = task_ref_new(task, 0);
        if (!ref)
                return error_set(err, -ENOMEM, "start the agent");
        r = command_start(jail, &spec, on_agent_end, ref, &command, err);
        if (r < 0)
                (void) task_ref_done(ref);
        return r;
}

void task_start_agent(Task *task) {
        FrontJail *jail = front_jail_find(task->front, task->agent_jail, 0);
        Error err = ERROR_EMPTY;
        int pair[2];
        int r;

        if (!jail)
                r = error_say(&err, -ESRCH, "the agent's jail has ended");
        else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                r = error_set(&err, -errno, "make the agent's socket");
        else {
                autoclose int theirs = pair[1];

                AgentSocket *past = TAKE_PTR(task->socket);

                r = agent_socket_new_consume(task, pair[0], &task->socket, &err);
                if (r == 0)
                        agent_socket_keep(task->socket, past);
                else
                        task->socket = past;
                if (r == 0)
                        r = run_agent(task, jail, theirs, &err);
        }
        if (r < 0)
                task_fail(task, "agent", &err);
        else
                task_set_state(task, TASK_RUNNING);
        if (r == 0 && task_meter_start(task, &err) < 0)
                task_fail(task, "internal", &err);
}

/* ---- jails --------------------------------------------------------------------------------------- */

static void on_jail_lost(void *userdata) {
        Task *task = task_ref_done(userdata);

        if (task)
                task_lost(task, "jail_ended", "a jail of the task ended by itself");
}

void task_start_route(Task *task) {
        FrontJail *agent_jail = front_jail_find(task->front, task->agent_jail, 0);
        Error err = ERROR_EMPTY;

        if (task->state != TASK_PREPARING || !task->jail[0] || !task->agent_jail[0])
                return;
        if (task->model.provider == PROVIDER_REPLAY)
                task_start_agent(task);
        else if (!egress_link_is_there(task->front) || task->egress_open)
                return; /* the monitor starts another: tasks_renew_egress() */
        else if (!agent_jail || task_model_route(task, agent_jail, &err) < 0)
                task_fail(task, "egress", &err);
}

/* While the jail lives it is counted for on_jail_lost() */
static int watch_jail(Task *task, FrontJail *jail) {
        TaskRef *ref = task_ref_new(task, 0);

        if (ref && front_jail_watch(jail, on_jail_lost, ref) == 0)
                return 0;
        if (ref)
                (void) task_ref_done(ref);
        return -ENOMEM;
}

static void on_made(FrontJail *jail, const Error *err, void *userdata) {
        TaskRef *ref = userdata;
        unsigned which = ref->which;
        Task *task = task_ref_done(ref);
        char *id;

        if (!task) {
                if (!err)
                        front_jail_end(jail, NULL, NULL);
                return;
        }
        task->making[which] = NULL;
        if (err) {
                task_fail(task, "jail", err);
                return;
        }
        if (watch_jail(task, jail) < 0) {
                front_jail_end(jail, NULL, NULL);
                task_end(task, TASK_ERROR, "internal", "no memory to watch a jail");
                return;
        }
        id = which == MAKING_TASK ? task->jail : task->agent_jail;
        (void) snprintf(id, ID_MAX, "%s", front_jail_id(jail));
        if (which == MAKING_TASK) /* a report without curves is one, too */
                (void) samples_start(task->front, id, &task->samples, NULL);
        task_start_route(task);
}

static int make_jail(Task *task, unsigned which, const GateRoot *root, Error *err) {
        TaskRef *ref = task_ref_new(task, which);
        int r;

        if (!ref)
                return error_set(err, -ENOMEM, "make a jail of the task");
        r = gate_jail_new(task->front, root, on_made, ref, &task->making[which], err);
        if (r < 0)
                (void) task_ref_done(ref);
        return r;
}

static int make_task_jail(Task *task, Error *err) {
        GateLayers layers = work_layers(task, true);
        GateRoot root = { .snapshot = task->snapshot,
                          .policy = &task->policy,
                          .limits = &task->limits,
                          .layers = &layers,
                          .owner_uid = task->owner_uid };

        task->limits.wall_usec = task->budget[BUDGET_WALL_USEC] + WALL_SLACK_USEC;
        return make_jail(task, MAKING_TASK, &root, err);
}

static int make_agent_jail(Task *task, Error *err) {
        const Policy *policy = policies_find(task->front->policies, "agent", err);
        GateLayers none = { .n = 0 };
        GateRoot root = { .snapshot = "host",
                          .policy = &POLICY_USE("agent"),
                          .layers = &none,
                          .owner_uid = task->owner_uid };
        JailLimits limits;

        if (!policy)
                return -ENOENT;
        limits = *policy_limits(policy);
        limits.wall_usec = task->budget[BUDGET_WALL_USEC] + WALL_SLACK_USEC;
        root.limits = &limits;
        return make_jail(task, MAKING_AGENT, &root, err);
}

static void make_jails(Task *task) {
        Error err = ERROR_EMPTY;

        if (make_task_jail(task, &err) < 0 || make_agent_jail(task, &err) < 0)
                task_fail(task, "jail", &err);
}

/* ---- the base ------------------------------------------------------------------------------------ */

static void on_base(const WorkBaseEnd *end, void *userdata) {
        Task *task = userdata;
        char why[TASK_SUMMARY_MAX];
        Error err = ERROR_EMPTY;

        task->base_job = NULL;
        if (end->err) {
                (void) snprintf(why, sizeof(why), "%s%s%.3000s", end->err->text,
                                end->detail ? "\n" : "", end->detail ? end->detail : "");
                task_end(task, end->limit ? TASK_LIMIT : TASK_ERROR, work_refusal_name(end->phase),
                         why);
                return;
        }
        task->base = *end->base;
        task_receipt_base(task);
        replay_keep(task);
        if (task_saves_given(task, &err) < 0) {
                task_fail(task, "ledger", &err);
                return;
        }
        make_jails(task);
}

static void on_phase(WorkPhase phase, void *userdata) {
        EventHead head = { .event = "notice" };
        cJSON *data = cJSON_CreateObject();

        json_add_text(data, "phase", work_phase_name(phase));
        events_emit(userdata, &head, data);
}

static void on_setup(const char *id, const RunCommand *run, void *userdata) {
        Task *task = userdata;

        (void) id;
        task_receipt_setup(task->front, &task->receipt, run);
}

static int start_base(Task *task, Error *err) {
        WorkBaseSpec spec = { .tar_fd = task->tar_fd,
                              .base = task->is_replay ? task->replay_base : NULL,
                              .held_fd = task->held_fd,
                              .spec = task->spec,
                              .snapshot = task->snapshot,
                              .policy = &task->verify_policy,
                              .limits = &task->verify_limits,
                              .owner_uid = task->owner_uid,
                              .phase = on_phase,
                              .setup = on_setup,
                              .done = on_base,
                              .userdata = task };
        int r;

        r = work_base_start(task->front, tasks_holds(task->front->tasks), &spec, &task->base_job,
                            err);
        owned_close(&task->tar_fd);
        owned_close(&task->held_fd);
        task->tar_fd = task->held_fd = -EBADF;
        return r;
}

static int on_wall(sd_event_source *source, uint64_t usec, void *userdata) {
        Task *task = userdata;
        char why[96], text[UNITS_TEXT_MAX];

        (void) source;
        (void) usec;
        (void) snprintf(why, sizeof(why), "the task's time is used up (%s)",
                        units_format_duration(task->budget[BUDGET_WALL_USEC], text));
        task_trip(task, "wall", why);
        return 0;
}

int task_start_clock(Task *task, Error *err) {
        uint64_t most = task->budget[BUDGET_WALL_USEC], used = task->used[BUDGET_WALL_USEC];
        int r;

        task->started_usec = units_monotonic() - used;
        r = sd_event_add_time_relative(task->front->event, &task->wall, CLOCK_MONOTONIC,
                                       used < most ? most - used : 0, WALL_ACCURACY, on_wall, task);
        return r < 0 ? error_set(err, r, "start the task's clock") : 0;
}

void task_stop_clock(Task *task) {
        if (task->started_usec)
                task->used[BUDGET_WALL_USEC] = units_monotonic() - task->started_usec;
        task->started_usec = 0;
        task->wall = sd_event_source_disable_unref(task->wall);
}

/* One that goes on has its base, and what it had made of it is a layer (work_layers()) */
void task_start(Task *task) {
        Error err = ERROR_EMPTY;
        int r;

        task_set_state(task, TASK_PREPARING);
        task->number = ++task->front->next_id; /* what egress says of an earlier run finds nobody */
        r = task_start_clock(task, &err);
        if (r >= 0 && task->base.has_base)
                make_jails(task);
        else if (r >= 0)
                r = start_base(task, &err);
        if (r < 0)
                task_fail(task, "jail", &err);
}
