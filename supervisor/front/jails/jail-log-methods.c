/*
 * jail-log-methods: see jail-log-methods.h.
 */
#include "supervisor/front/jails/jail-log-methods.h"

#include "supervisor/front/jails/jail-log.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jails.h"

/* By id or name; one that has ended may be asked for by its id as long as an event of it is kept. */
static int take_jail(Front *front, Call *call, const cJSON *params, JailLogAsk *ask, Error *err) {
        FrontJail *jail;

        ask->jail = json_text(params, "jail");
        if (!ask->jail)
                return 0;
        jail = jail_method_find(front, call, params, err);
        if (!jail && !jail_log_has(front->jail_log, ask))
                return err->code;
        if (jail)
                ask->jail = front_jail_id(jail);
        ask->alive = jail != NULL;
        call_refuse(call, "", NULL, NULL); /* nothing is refused so far */
        *err = ERROR_EMPTY;
        return 0;
}

static int answer_page(Front *front, const JailLogAsk *ask, const cJSON *params, cJSON *json,
                       Error *err) {
        uint64_t limit = JAIL_LOG_PAGE_MAX;

        jail_log_describe(front->jail_log, ask, json);
        (void) json_number(params, "limit", &limit);
        return jail_log_page(front->jail_log, ask, (unsigned) limit, json) < 0
                       ? error_set(err, -ENOMEM, "read the log")
                       : 0;
}

/* What was asked for goes out behind the answer; what a client may watch was checked before it. */
static int watch(Front *front, Call *call, const JailLogAsk *ask, cJSON *json_consume, Error *err) {
        SCOPED(json_free) cJSON *json = json_consume;
        int r = jail_log_watch(front->jail_log, ask, err);

        if (r < 0)
                return r;
        jail_log_describe(front->jail_log, ask, json);
        call_answer(call, TAKE_PTR(json), NULL, 0);
        jail_log_catch_up(front->jail_log, ask);
        return 0;
}

static int run_events(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        JailLogAsk ask = { .client = call_client(call), .uid = call_uid(call) };
        bool watches = !json_get(params, "watch") || json_true(params, "watch");
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        int r = take_jail(front, call, params, &ask, err);

        if (r < 0)
                return r;
        if (!ask.client)
                return error_say(err, -EPIPE, "the client is gone");
        (void) json_number(params, "from", &ask.from);
        if (ask.jail)
                json_add_bool(json, "alive", ask.alive);
        if (watches)
                return watch(front, call, &ask, TAKE_PTR(json), err);
        r = answer_page(front, &ask, params, json, err);
        if (r == 0)
                *ret_result = TAKE_PTR(json);
        return r;
}

const MethodRow jail_log_methods[] = {
        { "jail.events", run_events },
        { NULL, NULL },
};
