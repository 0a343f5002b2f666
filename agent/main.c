/*
 * warder-agent: runs one task's workflow. It starts as a command of an agent jail: no network but a
 * listener of the supervisor's on loopback, no key, the host's files read-only, descriptor 3 its task
 * socket. What it is told comes by task.info; what it wants, it asks for; what it says about itself is a
 * claim (warder-agent(7)).
 *
 * Exit code: 0 where `finish` was delivered, whatever it said; 1 where it could not be.
 */
#include <stdio.h>
#include <string.h>

#include "agent/check.h"
#include "agent/filter.h"
#include "agent/session.h"
#include "agent/workflow/jq-worker.h"
#include "agent/workflow/run.h"
#include "base/lockdown.h"
#include "base/log.h"

#define TASK_FD 3
#define JQ_FD   4

static int run_workflow(Session *session, JqWorker *jq, Error *err) {
        SCOPED(workflow_free) Workflow *workflow = NULL;
        SCOPED(json_free) cJSON *input = cJSON_CreateObject();
        int r;

        r = workflow_load(json_get(session->info, "workflow"), &session->roles, &workflow, err);
        if (r < 0)
                return session_fail(session, CAUSE_WORKFLOW, r);
        expressions_set_worker(workflow->expressions, jq);
        jq_worker_set_vital(jq);
        if (!json_add_text(input, "request", json_text(session->info, "request")))
                return session_fail(session, CAUSE_INTERNAL, -ENOMEM);
        return run_task(session, workflow, input,
                        cJSON_DetachItemFromObjectCaseSensitive(session->info, "journal"), err);
}

static int serve(Link *link_consume, JqWorker *jq) {
        Session session;
        Error err = ERROR_EMPTY, late = ERROR_EMPTY;
        int r;

        r = session_open(&session, link_consume, &err);
        if (r >= 0)
                r = run_workflow(&session, jq, &err);
        if (r < 0)
                log_event(LOG_WARNING, "run failed", F("CAUSE", cause_name(session.cause)),
                          F_ERR(&err));
        r = session.cause == CAUSE_SUPERVISOR_LOST
                    ? -ECONNRESET
                    : session_finish(&session, r < 0 ? err.text : "the workflow ran to its end",
                                     &late);
        session_close(&session);
        return r;
}

int main(int argc, char **argv) {
        SCOPED(jq_worker_free) JqWorker *jq = NULL;
        Error err = ERROR_EMPTY;
        Link *link = NULL;
        int r, filter;

        log_open("warder-agent", LOG_INFO);
        /* libjq reads ~/.jq, which would make a workflow mean something else here than elsewhere */
        (void) unsetenv("HOME");
        if (argc == 2 && strcmp(argv[1], "--check") == 0)
                return check_main(argv[0]);
        if (jq_worker_new(argv[0], &jq, &err) < 0 ||
            jq_worker_place(jq, JQ_FD, &err) < 0) /* a workflow that needs none runs all the same */
                log_event(LOG_WARNING, "expressions of jq cannot be evaluated", F_ERR(&err));
        r = link_new_consume(TASK_FD, &link);
        if (r < 0)
                (void) error_set(&err, r, "task socket");
        if (r >= 0)
                r = filter = filter_agent_fd(&err);
        if (r >= 0)
                r = lock_down(JQ_FD, filter, &err);
        if (r < 0) {
                log_event(LOG_ERR, "agent does not start", F_ERR(&err));
                link_free(link);
                return 1;
        }
        return serve(link, jq) == 0 ? 0 : 1;
}
