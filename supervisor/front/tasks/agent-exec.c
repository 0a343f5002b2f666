/*
 * agent-exec: see agent-exec.h.
 *
 *   exec -> [ init listens -> egress has the listener -> ] the command starts -> its end; the route closes
 *
 * The route is closed with the call (call_free()), whichever way that ends: a command that cannot be started, its
 * end, the jail's, the task's. Where a handler ends the task, the call is gone with the socket.
 */
#include "supervisor/front/tasks/agent-exec.h"

#include <string.h>

#include "supervisor/front/egress-link.h"
#include "supervisor/front/jails/jail-image.h"
#include "supervisor/front/tasks/task-commit.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-model.h"
#include "supervisor/front/tasks/task-progress.h"
#include "supervisor/front/tasks/task-receipt.h"

#define LAST_WORDS_MAX 2048 /* of another agent that failed, in the event of its end */

/* ---- the command --------------------------------------------------------------------------------- */

static void add_model(cJSON *json, const AgentCall *call) {
        cJSON *model = call->route ? json_add_object(json, "model") : NULL;

        json_add_number(model, "calls", call->model.calls);
        json_add_number(model, "tokens_in", call->model.tokens_in);
        json_add_number(model, "tokens_out", call->model.tokens_out);
}

/* The end of what another agent printed that failed: its step goes on, and nothing else would say why it did nothing. */
static void add_last_words(cJSON *data, const AgentCall *call, const CommandEnd *end) {
        bool well = end->cause == CAUSE_EXITED && end->code == 0;
        autofree char *text = call->route && !well ? command_output(end, 0) : NULL;
        size_t n = text ? strlen(text) : 0, from = n > LAST_WORDS_MAX ? n - LAST_WORDS_MAX : 0;

        while (from < n && ((unsigned char) text[from] & 0xc0) == 0x80)
                from++;
        if (n > 0)
                json_add_text(data, "text", text + from);
}

static void tell_command(const AgentCall *call, const cJSON *asked, const cJSON *record,
                         const CommandEnd *end) {
        static const char *const copied[] = { "cause", "code", "signal", "wall_usec" };
        const EventHead head = { .event = "command.end", .step = call->step, .from_agent = true };
        const char *line = json_text(asked, "command");
        cJSON *data;

        if (task_is_final(call->task))
                return;
        data = cJSON_CreateObject();
        if (call->path)
                json_add_text(data, "path", call->path);
        json_add_text(data, "command", line ? line : json_text(asked, "argv"));
        for (unsigned i = 0; i < ELEMENTS(copied); i++)
                if (json_get(record, copied[i]))
                        json_add_consume(data, copied[i],
                                         cJSON_Duplicate(json_get(record, copied[i]), true));
        add_last_words(data, call, end);
        events_emit(call->task, &head, data);
}

int agent_exec_take_step(AgentCall *call, const cJSON *params, Error *err) {
        const char *path = json_text(params, "path");

        if (!path)
                return 0;
        call->path = strdup(path);
        call->step = strdup(path);
        if (!call->path || !call->step)
                return error_set(err, -ENOMEM, "note where a command runs");
        events_place(call->step);
        return 0;
}

/*
 * The task's own jail is lost: the step has not ended, the task goes on, or ends, for that. A fork's is its command's
 * affair, which is answered. Where the run is over, nobody else frees the call.
 */
static void lose(AgentCall *call, Error *err) {
        if (call->fork)
                error_say(err, -ESRCH, "the fork's jail has ended");
        if (call->fork || !agent_call_is_wanted(call))
                agent_call_fail(call, NULL, err);
}

static void on_exec(Command *command, const CommandEnd *end, void *userdata) {
        AgentCall *call = userdata;
        cJSON *json = call->id ? command_record(command, end) : NULL;
        cJSON *asked = TAKE_PTR(call->result);
        Task *task = call->task;
        Error err = ERROR_EMPTY;

        if (json)
                add_model(json, call);
        if (!call->fork)
                task_touched(task);
        tell_command(call, asked, json, end);
        task_receipt_command(task, asked, end); /* may end the task: then nobody is answered */
        call->jail_call = false;                /* until here its socket's end leaves it to us */
        call->command = NULL;
        task->meter.output_bytes += end->seen[0] + end->seen[1];
        error_set(&err, -ENOMEM, "tell how the command ended");
        if (end->cause == CAUSE_JAIL_ENDED || end->cause == CAUSE_SUPERVISOR_LOST) {
                json_free(json);
                lose(call, &err);
                return;
        }
        if (json || !call->id)
                agent_call_answer(call, json, NULL, 0);
        else
                agent_call_fail(call, NULL, &err);
        (void) task_meter_read(task);
}

/* One command may print what is left of the task's output: what is seen beyond ends both */
static uint64_t output_left(const Task *task, uint64_t most) {
        uint64_t all = task->budget[BUDGET_OUTPUT_BYTES], used = task->meter.output_bytes;
        uint64_t left = used < all ? all - used : 1;

        return most == 0 || left < most ? left : most;
}

static int fill_argv(const cJSON *params, const char **argv, Error *err) {
        const char *line = json_text(params, "command");
        const cJSON *word;
        unsigned n = 0;

        if (line) {
                argv[n++] = "/bin/sh";
                argv[n++] = "-c";
                argv[n++] = line;
        }
        cJSON_ArrayForEach(word, json_get(params, "argv")) {
                if (n < EXEC_ARGS_MAX)
                        argv[n++] = word->valuestring;
        }
        argv[n] = NULL;
        return n > 0 && argv[0][0] ? 0 : error_say(err, -EINVAL, "the program's name is empty");
}

static int run(AgentCall *call, FrontJail *jail, CommandSpec *spec, const cJSON *params,
               Error *err) {
        const cJSON *asked = json_get(params, "env");
        char **env = NULL;
        int r;

        if (asked) {
                env = environment_new(front_jail_image(jail), asked);
                if (!env)
                        return error_say(err, -E2BIG,
                                         "no memory for the environment, or a "
                                         "variable that is too long");
                spec->env = (const char *const *) env;
        }
        r = command_start(jail, spec, on_exec, call, &call->command, err);
        call->jail_call = r == 0;
        if (!call->fork)
                task_touched(call->task);
        environment_free(env);
        return r;
}

/* Returns: as AgentMethod's run. */
static int start(AgentCall *call, const cJSON *params, Error *err) {
        const char *argv[EXEC_ARGS_MAX + 1];
        CommandSpec spec = COMMAND_SPEC_EMPTY;
        const char *cwd = json_text(params, "cwd");
        TaskPlace place;
        int r;

        r = task_place(call->task, params, &place, err);
        if (r == 0)
                r = fill_argv(params, argv, err);
        if (r == 0)
                r = agent_exec_take_step(call, params, err);
        if (r < 0)
                return r;
        if (!task_receipt_has_room(call->task) || !task_spend(call->task, BUDGET_COMMANDS, 1))
                return 0;
        call->result = task_receipt_asked(params);
        call->fork = place.fork;
        spec.argv = argv;
        spec.cwd = cwd ? cwd : "/work";
        spec.stdio[2] = STDIO_MERGE;
        spec.alone = call->route != 0; /* nothing of it is left when its route is closed */
        spec.output_keep = EXEC_OUTPUT_KEEP;
        spec.output_max = output_left(call->task, front_jail_limits(place.jail)->output_max);
        (void) json_number(params, "timeout_usec", &spec.wall_usec);
        return run(call, place.jail, &spec, params, err);
}

/* ---- its way to the model ------------------------------------------------------------------------ */

static int branch(AgentCall *call, int listener_fd, Error *err) {
        Task *task = call->task;
        uint64_t all = task->budget[BUDGET_CALLS], used = task->used[BUDGET_CALLS];
        EgressOpen open = { .listener_fd = listener_fd,
                            .calls_max = all > used ? all - used : 0,
                            .reply_bytes_max = TASK_REPLY_BYTES_MAX,
                            .like = task->number };
        int r;

        if (open.calls_max == 0)
                return error_say(err, -EDQUOT, "the task's model calls are used up");
        open.number = ++task->front->next_id;
        r = egress_link_branch(task->front, &open, err);
        if (r == 0)
                call->route = open.number;
        return r;
}

static void on_listening(int fd, uint32_t port, const Error *err, void *userdata) {
        autoclose int listener_fd = fd;
        AgentCall *call = userdata;
        Error why = ERROR_EMPTY;

        (void) port;
        call->jail_call = false;
        if (err)
                agent_call_fail(call, err->code == -EADDRINUSE ? "exists" : NULL, err);
        else if (!agent_call_is_wanted(call) || call->cancelled || /* nobody hears it */
                 branch(call, listener_fd, &why) < 0)
                agent_call_fail(call, NULL, &why);
}

static int listen_first(AgentCall *call, const cJSON *params, Error *err) {
        TaskPlace place;
        uint64_t port = 0;
        int r;

        r = task_place(call->task, params, &place, err);
        if (r < 0)
                return r;
        if (!call->task->egress_open)
                return error_say(err, -ENOTSUP,
                                 "this task has a recorded model, which answers warder-agent and "
                                 "no other program");
        call->params = cJSON_Duplicate(params, true);
        if (!call->params)
                return error_set(err, -ENOMEM, "take in a command");
        (void) json_number(json_get(params, "model"), "port", &port);
        r = front_jail_listen(place.jail, (uint32_t) port, on_listening, call, err);
        call->jail_call = r == 0;
        return r;
}

void agent_exec_opened(AgentCall *call, const EgressEvent *event) {
        Error err = ERROR_EMPTY;
        cJSON *params;
        int r;

        if (!call->params)
                return; /* said twice: it runs */
        params = TAKE_PTR(call->params);
        if (call->cancelled)
                r = error_say(&err, -ECANCELED, "nobody waits for this command any more");
        else if (event->code < 0)
                r = error_say(&err, event->code, "the model cannot be reached through egress: %s",
                              event->text);
        else
                r = start(call, params, &err);
        json_free(params);
        if (r < 0)
                agent_call_fail(call, NULL, &err);
}

static void add(uint64_t *sum, uint64_t n) {
        if (__builtin_add_overflow(*sum, n, sum))
                *sum = UINT64_MAX;
}

void agent_exec_called(AgentCall *call, const EgressEvent *event) {
        add(&call->model.calls, 1);
        add(&call->model.tokens_in, event->tokens_in);
        add(&call->model.tokens_out, event->tokens_out);
}

int agent_exec(AgentCall *call, const cJSON *params, Error *err) {
        return json_get(params, "model") ? listen_first(call, params, err)
                                         : start(call, params, err);
}
