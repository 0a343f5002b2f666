/*
 * still-methods: see still-methods.h. Who may end a jail may freeze it: its owner, and administrators.
 */
#include "supervisor/front/jails/still-methods.h"

#include "supervisor/front/jails/jail-log.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jails.h"

static cJSON *describe(const FrontJail *jail, bool still) {
        cJSON *json = cJSON_CreateObject();

        json_add_bool(json, "frozen", front_jail_is_frozen(jail));
        json_add_bool(json, "still", still);
        return json;
}

static int answer(const FrontJail *jail, bool still, cJSON **ret_result, Error *err) {
        *ret_result = describe(jail, still);
        return *ret_result ? 0 : error_set(err, -ENOMEM, "answer");
}

static void on_settled(FrontJail *jail, bool settled, void *userdata) {
        Call *call = userdata;
        Error err = ERROR_EMPTY;

        if (jail) {
                call_answer(call, describe(jail, settled), NULL, 0);
                return;
        }
        error_say(&err, -EPIPE, "the jail ended while it was being frozen");
        call_fail(call, NULL, &err);
}

static FrontJail *find_ready(Front *front, Call *call, const cJSON *params, Error *err) {
        FrontJail *jail = jail_method_find(front, call, params, err);

        if (!jail || front_jail_state(jail) == FRONT_JAIL_READY)
                return jail;
        call_refuse(call, "jail", "/jail", NULL);
        error_say(err, -ESRCH, "jail %s is not running", front_jail_id(jail));
        return NULL;
}

static int set(FrontJail *jail, bool on, Error *err) {
        const JailEvent event = { .kind = on ? JAIL_EVENT_FROZEN : JAIL_EVENT_THAWED };
        bool was = front_jail_is_frozen(jail);
        int r = jail_still_set(jail, on, err);

        if (r == 0 && was != on)
                jail_log_tell(jail, &event);
        return r;
}

static int run_freeze(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        FrontJail *jail = find_ready(front, call, params, err);
        int r;

        if (!jail)
                return err->code;
        r = set(jail, true, err);
        if (r < 0)
                return r;
        if (jail_still_is_settled(jail))
                return answer(jail, true, ret_result, err);
        if (jail_still_await(jail, on_settled, call, err) == 0)
                return 0;
        *err = ERROR_EMPTY; /* it is frozen; only nobody can say when the last process stops */
        return answer(jail, false, ret_result, err);
}

static int run_thaw(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = find_ready(front, call, params, err);
        int r;

        if (!jail)
                return err->code;
        r = set(jail, false, err);
        return r < 0 ? r : answer(jail, front_jail_still(jail)->holders > 0, ret_result, err);
}

const MethodRow still_methods[] = {
        { "jail.freeze", run_freeze },
        { "jail.thaw", run_thaw },
        { NULL, NULL },
};
