/*
 * egress-link: see egress-link.h. Egress has an identity for each task: the listener that it got. What it
 * reports is charged to that task.
 */
#include "supervisor/front/egress-link.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/fds.h"
#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/tasks/agent-exec.h"
#include "supervisor/front/tasks/task-model.h"
#include "supervisor/front/tasks/task.h"

#define PATIENCE_USEC 120000000ull /* that a client may let a request or an answer stand */

bool egress_link_is_there(const Front *front) {
        return front->egress_fd >= 0;
}

static int send_request(Front *front, const EgressRequest *request, const int *fds, unsigned n_fds,
                        Error *err) {
        ssize_t n = -ENOTCONN;

        if (front->egress_fd >= 0)
                n = fds_send(front->egress_fd, request, sizeof(*request), fds, n_fds);
        if (n == (ssize_t) sizeof(*request))
                return 0;
        return error_set(err, n < 0 ? (int) n : -EIO, "speak to warder-egress");
}

int egress_link_open(Front *front, const EgressOpen *open, Error *err) {
        EgressRequest request = { .kind = EGRESS_OPEN,
                                  .id = open->number,
                                  .requests_max = open->calls_max,
                                  .tokens_max = open->tokens_max,
                                  .money_max = open->money_max,
                                  .price = open->price,
                                  .bytes_max = open->reply_bytes_max,
                                  .patience_usec = PATIENCE_USEC };
        const int fds[] = { open->listener_fd, open->key_fd };

        if (strlen(open->base_url) >= sizeof(request.base_url) ||
            strlen(open->model) >= sizeof(request.model))
                return error_say(err, -EINVAL, "the model's address or name is too long");
        (void) snprintf(request.base_url, sizeof(request.base_url), "%s", open->base_url);
        (void) snprintf(request.model, sizeof(request.model), "%s", open->model);
        (void) snprintf(request.allowed, sizeof(request.allowed), "%s", open->allowed);
        return send_request(front, &request, fds, ELEMENTS(fds), err);
}

int egress_link_branch(Front *front, const EgressOpen *open, Error *err) {
        EgressRequest request = { .kind = EGRESS_BRANCH,
                                  .id = open->number,
                                  .bytes_max = open->reply_bytes_max,
                                  .like = open->like,
                                  .patience_usec = PATIENCE_USEC };

        return send_request(front, &request, &open->listener_fd, 1, err);
}

void egress_link_close(Front *front, uint64_t number) {
        EgressRequest request = { .kind = EGRESS_CLOSE, .id = number };
        Error err = ERROR_EMPTY;

        if (front->egress_fd >= 0 && send_request(front, &request, NULL, 0, &err) < 0)
                log_event(LOG_WARNING, "egress was not told that a task has ended", F_ERR(&err));
}

/* About a command's route. */
static void take_call_event(AgentCall *call, const EgressEvent *event) {
        if (event->kind == EGRESS_OPENED)
                agent_exec_opened(call, event);
        if (event->kind == EGRESS_CALL)
                agent_exec_called(call, event);
}

/* A call counts also where the task was parked in the middle of it. */
static bool has_way(const Task *task, const EgressEvent *event) {
        return task->egress_open ||
               (event->kind == EGRESS_CALL && task->model.provider == PROVIDER_OPENAI);
}

static void take_event(Front *front, EgressEvent *event) {
        AgentCall *call = tasks_find_call(front->tasks, event->id);
        uint64_t number = event->like ? event->like : event->id;
        Task *task = call ? call->task : tasks_find_number(front->tasks, number);
        bool by_command = call || event->like; /* which may have ended before its model's answer */

        event->text[sizeof(event->text) - 1] = 0;
        if (!task || task_is_final(task) || !has_way(task, event))
                return; /* it has ended in the meantime, or egress speaks of what it was never told */
        if (call)
                take_call_event(call, event);
        switch (event->kind) {
        case EGRESS_OPENED:
                if (!by_command)
                        task_model_opened(task, event);
                break;
        case EGRESS_CALL:
                task_model_called(task, event, by_command);
                break;
        case EGRESS_LIMIT:
                task_model_limit(task, event);
                break;
        case EGRESS_REFUSED: /* our own agent says itself what it was told */
                if (by_command)
                        task_model_refused(task, event, call ? call->path : NULL);
                break;
        default:
                log_event(LOG_WARNING, "egress says something unknown");
        }
}

/* The process is gone: no task that needs it can go on, even if the monitor starts another. */
static void lose(Front *front) {
        log_event(LOG_ERR, "warder-egress is gone");
        fds_close(&front->egress_fd, 1);
        task_model_lost(front);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Front *front = userdata;
        int fds[FDS_MAX];
        EgressEvent event;
        unsigned n_fds = 0;
        ssize_t n;

        (void) events;
        n = fds_recv(fd, &event, sizeof(event), fds, &n_fds);
        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n > 0)
                fds_close(fds, n_fds);
        if (n == (ssize_t) sizeof(event)) {
                take_event(front, &event);
                return 0;
        }
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (fd == front->egress_fd)
                lose(front);
        return 0;
}

void egress_link_renew_consume(Front *front, int fd) {
        if (front->egress_fd >= 0) /* its end was not yet heard */
                lose(front);
        front->egress_fd = fd;
        front->has_egress = true;
        log_event(LOG_INFO, "warder-egress is there again");
}

int egress_link_start(Front *front, sd_event_source **ret_source, Error *err) {
        sd_event_source *source = NULL;
        int r;

        *ret_source = NULL;
        if (front->egress_fd < 0)
                return 0;
        r = fd_set_nonblock(front->egress_fd, true);
        if (r == 0)
                r = sd_event_add_io(front->event, &source, front->egress_fd, EPOLLIN, on_io, front);
        /* what a call cost is counted before its client says what it did with the answer */
        if (r >= 0)
                r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0) {
                sd_event_source_disable_unref(source);
                return error_set(err, r, "listen to warder-egress");
        }
        (void) sd_event_source_set_description(source, "egress");
        *ret_source = source;
        return 0;
}
