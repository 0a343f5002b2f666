/*
 * verify-ask: see verify-ask.h.
 */
#include "cli/verify-ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/events.h"
#include "cli/link.h"
#include "cli/own-policy.h"
#include "cli/receipt-fetch.h"
#include "cli/terminal.h"

void verify_event(Verifying *self, const char *name, const cJSON *data) {
        SCOPED(json_free) cJSON *event = cJSON_CreateObject();
        autofree char *line = NULL;
        char time[UNITS_TEXT_MAX];

        json_add_number(event, "seq", ++self->seq);
        json_add_text(event, "time", units_format_time(units_now(), time));
        json_add_text(event, "event", name);
        json_add_consume(event, "data", data ? cJSON_Duplicate(data, true) : cJSON_CreateObject());
        line = json_print(event);
        if (line)
                (void) buf_printf(&self->events, "%s\n", line);
}

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Verifying *self = userdata;

        (void) link;
        if (strcmp(method, "verify.event") != 0)
                return;
        verify_event(self, "notice", params);
        if (self->options->common.json) {
                events_print(method, cJSON_Duplicate(params, true));
        } else {
                fprintf(stderr, "%s  ", terminal_tone(TONE_DIM));
                terminal_text(stderr, json_text(params, "phase"), 32);
                fputs(json_text(params, "id") ? " " : "", stderr);
                terminal_text(stderr, json_text(params, "id"), 64);
                fprintf(stderr, "%s\n", terminal_tone(TONE_PLAIN));
        }
}

static const char *or_environment(const char *text, const char *name) {
        const char *value = text ? text : getenv(name);

        return value && *value ? value : NULL;
}

static int make_params(Verifying *self, cJSON **ret, Error *err) {
        const VerifyOptions *options = self->options;
        const char *snapshot = or_environment(options->snapshot, "WARDER_SNAPSHOT");
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        cJSON *limits;
        int r = own_policy_choose(options->policy, params, err);

        if (r < 0)
                return r;
        json_add_consume(params, "spec", cJSON_Duplicate(self->spec, true));
        if (self->base_name[0])
                json_add_text(params, "base", self->base_name);
        if (self->held_fd >= 0)
                json_add_bool(params, "held", true);
        if (snapshot)
                json_add_text(params, "snapshot", snapshot);
        if (options->memory || options->pids) {
                limits = json_add_object(params, "limits");
                if (options->memory)
                        json_add_number(limits, "memory", options->memory);
                if (options->pids)
                        json_add_number(limits, "pids", options->pids);
        }
        *ret = TAKE_PTR(params);
        return 0;
}

/* A request that the supervisor finds wrong is wrong usage: the spec, a limit */
static int refusal(const char *code) {
        return strcmp(code, "invalid") == 0 ? EXIT_USAGE : EXIT_NOT_CARRIED_OUT;
}

int verify_ask(Verifying *self, cJSON **ret_verdict, Error *err) {
        Ask request = { .method = "verify.run",
                        .fds = { self->base_fd, self->patch_fd, self->held_fd },
                        .n_fds = self->held_fd >= 0 ? 3 : 2 };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = link_open(&link, self->options->common.socket, err);

        if (r < 0)
                return r;
        link.on_note = on_note;
        link.userdata = self;
        r = make_params(self, &request.params, err);
        if (r == 0)
                r = link_ask(&link, &request, &answer, err);
        if (r == 0) {
                *ret_verdict = cJSON_Duplicate(answer.result, true);
                json_add_text(*ret_verdict, "commit", self->repo.commit);
                r = *ret_verdict ? 0 : error_set(err, -ENOMEM, "take in the verdict");
                if (r == 0 && self->options->out)
                        receipt_fetch_beside(&link, json_text(answer.result, "receipt"),
                                             &self->receipt_fd);
        } else if (r == LINK_E_REFUSED) {
                r = spec_explain(&self->options->spec, &answer, err) ? EXIT_USAGE
                                                                     : refusal(answer.code);
        }
        answer_deinit(&answer);
        link_deinit(&link);
        return r;
}
