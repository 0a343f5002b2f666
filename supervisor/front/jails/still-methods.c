/*
 * still-methods: see still-methods.h. Who may end a jail may freeze it: its owner, and administrators.
 */
#include "supervisor/front/jails/still-methods.h"

#include "supervisor/front/jails/jail-log.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jails.h"

#define SETTLE_USEC 2000000u /* so long somebody who freezes a jail waits for its last process */

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

/* One that cannot be waited for, or was let go meanwhile, is frozen or not as asked, and does not stand still. */
static void on_settled(FrontJail *jail, const Error *err, void *userdata) {
        Call *call = userdata;
        Error own = ERROR_EMPTY;

        if (jail) {
                call_answer(call, describe(jail, !err), NULL, 0);
                return;
        }
        error_say(&own, -EPIPE, "the jail ended while it was being frozen");
        call_fail(call, NULL, &own);
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
        r = jail_still_await(jail, SETTLE_USEC, on_settled, call, err);
        if (r == 0)
                return 0;
        if (r < 0)
                *err = ERROR_EMPTY; /* it is frozen; only nobody can say when the last process stops */
        return answer(jail, r > 0, ret_result, err);
}

static int run_thaw(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = find_ready(front, call, params, err);
        int r;

        if (!jail)
                return err->code;
        r = set(jail, false, err);
        return r < 0 ? r : answer(jail, front_jail_still(jail)->holds != NULL, ret_result, err);
}

const MethodRow still_methods[] = {
        { "jail.freeze", run_freeze },
        { "jail.thaw", run_thaw },
        { NULL, NULL },
};
