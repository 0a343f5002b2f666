/*
 * jail-copy: see jail-copy.h.
 *
 * A copy is a command like others, with the same user, limits, clocks and record, but that its child
 * executes nothing: it writes, or reads, the stream of base/copy.h (sandbox/init/copy.c). The stream goes
 * between that child and the caller's descriptor; nothing here sees a byte of it.
 */
#include "supervisor/front/jails/jail-copy.h"

#include <string.h>

#include "supervisor/front/commands/exec-call.h"
#include "supervisor/front/jails/jail-methods.h"

static cJSON *answer(FrontJail *jail, cJSON *record_consume) {
        (void) jail;
        return record_consume;
}

/* The EXEC object that the request stands for; its directory is that of any command */
static cJSON *exec_of(const cJSON *params) {
        const char *direction = json_text(params, "direction");
        bool out = strcmp(direction, "out") == 0;
        const char *name = json_text(params, "name");
        SCOPED(json_free) cJSON *exec = cJSON_CreateObject();
        cJSON *argv = json_add_array(exec, "argv"), *stdio = json_add_array(exec, "stdio");

        json_push_text(argv, "warder-copy");
        json_push_text(argv, direction);
        json_push_text(argv, json_text(params, "path"));
        if (!out)
                json_push_text(argv, name ? name : "");
        json_push_text(stdio, out ? "null" : "fd");
        json_push_text(stdio, out ? "fd" : "null");
        json_push_text(stdio, "capture");
        if (json_get(params, "user"))
                json_add_consume(exec, "user", cJSON_Duplicate(json_get(params, "user"), true));
        return cJSON_GetArraySize(argv) == (out ? 3 : 4) && cJSON_GetArraySize(stdio) == 3
                       ? TAKE_PTR(exec)
                       : NULL;
}

int jail_copy_start(Front *front, Call *call, FrontJail *jail, cJSON *exec_consume, Error *err) {
        SCOPED(json_free) cJSON *exec = exec_consume;
        ExecFrom from = { .front = front, .call = call, .json = exec, .at = "" };
        ExecParams command = { 0 };
        const ExecCall call_of = { .call = call, .spec = &command.spec, .answer = answer };
        int r;

        if (!exec)
                return error_set(err, -ENOMEM, "start what carries it");
        from.limits = front_jail_limits(jail);
        from.plan = front_jail_plan(jail);
        from.has_work = plan_has_view(from.plan, VIEW_WORK);
        r = exec_params_init(&command, &from, err);
        command.spec.copy = true;
        if (r >= 0)
                r = exec_call_start(jail, &call_of, err);
        exec_params_deinit(&command);
        return r;
}

static int run_copy(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = jail_method_find_own(front, call, params, err);

        (void) ret_result;
        return jail ? jail_copy_start(front, call, jail, exec_of(params), err) : err->code;
}

const MethodRow jail_copy_row = { "jail.copy", run_copy };
