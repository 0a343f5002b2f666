/*
 * session: start and end of a run.
 */
#include "agent/session.h"

#include "agent/model/providers.h"
#include "agent/tools/output.h"
#include "base/fds.h"

#define JOURNAL_BYTES_MAX ((size_t) 160 << 20)
#define FINISH_AGAIN_USEC 200000u

int session_fail(Session *session, Cause cause, int code) {
        if (session->cause == CAUSE_NONE)
                session->cause = cause == CAUSE_NONE ? CAUSE_INTERNAL : cause;
        return code;
}

/* What earlier runs of the task committed stands in the answer, or where it is large behind a descriptor */
static int take_journal(Session *session, LinkAnswer *answer, Error *err) {
        autoclose int fd = -EBADF;
        autofree char *text = NULL;
        cJSON *journal = NULL;
        uint64_t number;
        size_t n;
        int r;

        if (json_number(answer->result, "journal_fd", &number) < 0 || number > UINT32_MAX)
                return 0;
        fd = link_take_fd_at(answer, (unsigned) number);
        r = fd < 0 ? fd : fd_read_all_at(fd, 0, JOURNAL_BYTES_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read the journal of earlier commits");
        r = json_parse(text, n, 0, &journal, err);
        if (r < 0)
                return r;
        return json_add_consume(session->info, "journal", journal)
                       ? 0
                       : error_set(err, -ENOMEM, "take the journal of earlier commits");
}

static int ask_info(Session *session, int *ret_transcript, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        int r;

        r = link_call(session->link, "task.info", NULL, &answer, err);
        if (r != 0)
                return session_fail(session, r < 0 ? CAUSE_SUPERVISOR_LOST : CAUSE_REFUSED,
                                    r < 0 ? r : -ECANCELED);
        session->info = cJSON_Duplicate(answer.result, true);
        if (!session->info)
                return session_fail(session, CAUSE_INTERNAL, -ENOMEM);
        r = take_journal(session, &answer, err);
        if (r < 0)
                return session_fail(session, CAUSE_INTERNAL, r);
        *ret_transcript =
                link_take_fd(&answer); /* where there is no transcript: none that is left */
        return 0;
}

/* A wait of the provider, for people. */
static void send_notice(void *userdata, const char *text) {
        Session *session = userdata;
        cJSON *data = cJSON_CreateObject();

        session_text(data, "text", text);
        (void) session_event(session, "notice", NULL, 0, data);
}

int session_open(Session *session, Link *link_consume, Error *err) {
        autoclose int transcript = -EBADF;
        int r;

        *session = (Session){ .link = link_consume };
        if (loop_new(session->link, &session->loop) < 0)
                return session_fail(session, CAUSE_INTERNAL, error_set(err, -ENOMEM, "start"));
        r = ask_info(session, &transcript, err);
        if (r < 0)
                return r;
        r = roles_load(&session->roles, json_get(session->info, "roles"), err);
        if (r < 0)
                return session_fail(session, CAUSE_WORKFLOW, r);
        r = providers_new(json_get(session->info, "model"), transcript, session->loop,
                          &session->provider, err);
        if (r < 0)
                return session_fail(session, CAUSE_WORKFLOW, r);
        session->provider->notice = send_notice;
        session->provider->userdata = session;
        return 0;
}

void session_close(Session *session) {
        provider_free(session->provider);
        roles_deinit(&session->roles);
        json_free(session->info);
        json_free(session->claims);
        loop_free(session->loop);
        link_free(session->link);
        *session = (Session){ 0 };
}

void session_text(cJSON *data, const char *name, const char *text) {
        autofree char *clipped = output_clip(text, EVENT_TEXT_MAX);

        if (clipped)
                (void) json_add_text(data, name, clipped);
}

int session_event(Session *session, const char *event, const char *step, unsigned iteration,
                  cJSON *data_consume) {
        cJSON *params = cJSON_CreateObject();

        (void) json_add_text(params, "event", event);
        if (step && *step)
                (void) json_add_text(params, "step", step);
        if (iteration > 0)
                (void) json_add_number(params, "iteration", iteration);
        if (!data_consume)
                data_consume = cJSON_CreateObject();
        (void) json_add_consume(params, "data", data_consume);
        return link_notify(session->link, "event", params);
}

/* What the provider has to say at the end, for people. */
static void send_remark(Session *session) {
        char text[256] = "";

        if (!session->provider || !session->provider->kind->remark)
                return;
        session->provider->kind->remark(session->provider, text, sizeof(text));
        if (*text)
                send_notice(session, text);
}

/* How often what ended the run was seen, and how often is the end. */
static void add_figures(const Session *session, cJSON *params) {
        for (unsigned i = 0; i < _GUARD_MAX; i++) {
                const GuardHit *hit = &session->guard_hits[i];
                cJSON *figures;

                if (guard_cause((Guard) i) != session->cause || hit->word != GUARD_END)
                        continue;
                figures = json_add_object(params, "figures");
                (void) json_add_number(figures, "used", hit->n);
                (void) json_add_number(figures, "most", hit->end);
        }
}

/* A verify that a step left behind when it was ended comes to its own end first. */
static int finish(Session *session, const cJSON *params, Error *err) {
        for (;;) {
                SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
                int r = link_call(session->link, "finish", cJSON_Duplicate(params, true), &answer,
                                  err);

                if (!link_is_busy(r, &answer))
                        return r;
                r = loop_sleep(session->loop, FINISH_AGAIN_USEC, err);
                if (r < 0)
                        return r;
        }
}

int session_finish(Session *session, const char *summary, Error *err) {
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();

        send_remark(session);
        (void) json_add_text(params, "state", session->cause == CAUSE_NONE ? "done" : "failed");
        if (session->cause != CAUSE_NONE)
                (void) json_add_text(params, "cause", cause_name(session->cause));
        add_figures(session, params);
        (void) json_add_text(params, "summary", summary);
        return finish(session, params, err);
}
