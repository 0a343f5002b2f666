/*
 * agent-socket: what a hostile agent writes to its task's socket. Methods are played: one answers at once, one
 * later, one refuses. Input: a byte that says where the bytes after it are cut in two. What comes back is JSON,
 * a line each, no more than came in; a closed socket answers nothing.
 */
#include "supervisor/front/closer.h"
#include "supervisor/front/egress-link.h"
#include "supervisor/front/tasks/agent-socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "supervisor/front/tasks/agent-methods.h"
#include "supervisor/front/tasks/task-still.h"
#include "tests/fuzz/fuzz.h"

static sd_event *event;
static AgentSocket *asked;
static AgentCall *waiting[AGENT_CALLS_MAX];
static unsigned n_waiting;
static bool failed;

static void must(bool good) {
        if (!good)
                abort();
}

/* ---- the front's other parts, played --------------------------------------------------------------- */

/* The door of a front without threads: whatever comes is one that may stay */
static bool is_open(void *userdata, uint64_t who) {
        (void) userdata;
        (void) who;
        return true;
}

static int admit(void *userdata, uint64_t who, int fd) {
        (void) userdata;
        (void) who;
        return fd;
}

static void close_peer(void *userdata, uint64_t who, int fd) {
        (void) userdata;
        (void) who;
        (void) close(fd);
}

void closer_jail_door(Closer *closer, uint32_t uid, RpcDoor *ret) {
        (void) closer;
        *ret = (RpcDoor){ is_open, admit, close_peer, NULL, uid };
}

void task_fail(Task *task, const char *cause, const Error *err) {
        (void) task;
        must(strcmp(cause, "agent_protocol") == 0 && err->text[0]);
        failed = true;
        n_waiting = 0; /* closing frees what waits */
        agent_socket_close(asked);
}

void egress_link_close(Front *front, uint64_t number) {
        (void) front;
        (void) number;
        must(false); /* no method played here opens a route */
}

FilesJob *files_job_cancel(FilesJob *job) {
        must(!job);
        return NULL;
}

static int run_now(AgentCall *call, const cJSON *params, Error *err) {
        (void) err;
        agent_call_answer(call, params ? cJSON_Duplicate(params, true) : cJSON_CreateObject(), NULL,
                          0);
        return 0;
}

static int run_later(AgentCall *call, const cJSON *params, Error *err) {
        (void) params;
        (void) err;
        must(n_waiting < AGENT_CALLS_MAX);
        waiting[n_waiting++] = call;
        return 0;
}

static int run_refuse(AgentCall *call, const cJSON *params, Error *err) {
        (void) call;
        (void) params;
        return error_say(err, -EBUSY, "not now");
}

bool agent_method_waits(const AgentMethod *method) {
        return strcmp(method->name, "later") == 0;
}

bool task_still_wake(Task *task) {
        must(task);
        return true;
}

static const char any[] = "{\"type\":\"object\"}";
static const char one[] =
        "{\"type\":\"object\",\"required\":[\"a\"],\"additionalProperties\":false,"
        "\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":8}}}";
static const AgentMethod methods[] = { { "now", any, "", run_now },
                                       { "later", one, "", run_later },
                                       { "event", any, "", run_refuse } };

const AgentMethod *agent_method_find(const char *name) {
        for (size_t i = 0; i < ELEMENTS(methods); i++)
                if (strcmp(methods[i].name, name) == 0)
                        return &methods[i];
        return NULL;
}

unsigned agent_method_number(const AgentMethod *method) {
        return (unsigned) (method - methods);
}

/* ---- the target ------------------------------------------------------------------------------------ */

static void give(int agent, const uint8_t *data, size_t n) {
        while (n > 0 && !failed) {
                ssize_t sent = send(agent, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (sent <= 0)
                        return;
                data += sent;
                n -= (size_t) sent;
                while (!failed && sd_event_run(event, 0) > 0)
                        ;
        }
}

/* Everything that came back: whole lines of JSON. */
static void check_answers(int agent, size_t n) {
        Buf buf = BUF_EMPTY(64u << 20);
        const char *line, *end;
        size_t answers = 0;

        (void) fd_set_nonblock(agent, true);
        while (buf_read(&buf, agent, 1 << 16) > 0)
                ;
        for (line = buf.data; buf.len > 0 && line < buf.data + buf.len; line = end + 1) {
                SCOPED(json_free) cJSON *json = NULL;

                end = memchr(line, '\n', (size_t) (buf.data + buf.len - line));
                must(end != NULL);
                must(json_parse(line, (size_t) (end - line), 0, &json, NULL) == 0);
                must(json_get(json, "result") || json_get(json, "error"));
                answers++;
        }
        must(answers <= n);
        buf_deinit(&buf);
}

static void answer_waiting(void) {
        while (n_waiting > 0)
                agent_call_answer(waiting[--n_waiting], cJSON_CreateObject(), NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        Front front = { 0 };
        Task *task = calloc(1, sizeof(*task));
        int ends[2];
        size_t cut;

        if (!event)
                must(sd_event_new(&event) >= 0);
        must(task != NULL);
        front.event = event;
        task->front = &front;
        failed = false;
        n_waiting = 0;
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        must(agent_socket_new_consume(task, ends[0], &asked, NULL) == 0);
        if (n > 0) {
                cut = data[0] % n;
                data++;
                n--;
                give(ends[1], data, cut);
                give(ends[1], data + cut, n - cut);
        }
        if (!failed)
                answer_waiting();
        check_answers(ends[1], n);
        agent_socket_close(asked);
        agent_socket_free(asked);
        (void) close(ends[1]);
        free(task);
        return 0;
}
