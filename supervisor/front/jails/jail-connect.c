/*
 * jail-connect: see jail-connect.h.
 *
 * A jail has a network of its own, with nothing but lo; so this leads to that jail's servers and nowhere else. It is
 * carried by a command that executes nothing (sandbox/init/connect.c), between pipes of the caller's.
 *
 * Rejected: a connected socket from init, handed on. It would keep the jail's network alive for as long as the caller likes,
 * charged to nobody, and closing one that a fallen init made may wait: a door that this process keeps shut.
 */
#include "supervisor/front/jails/jail-connect.h"

#include <stdio.h>

#include "supervisor/front/jails/jail-copy.h"
#include "supervisor/front/jails/jail-methods.h"

static cJSON *exec_of(const cJSON *params) {
        cJSON *exec = cJSON_CreateObject();
        cJSON *argv = json_add_array(exec, "argv"), *stdio = json_add_array(exec, "stdio");
        uint64_t port = 0;
        char text[16];

        (void) json_number(params, "port", &port);
        (void) snprintf(text, sizeof(text), "%u", (unsigned) port);
        json_push_text(argv, "warder-connect");
        json_push_text(argv, "connect");
        json_push_text(argv, text);
        for (unsigned i = 0; i < 3; i++)
                json_push_text(stdio, "fd");
        if (cJSON_GetArraySize(argv) != 3 || cJSON_GetArraySize(stdio) != 3)
                exec = json_free(exec);
        return exec;
}

static int run_connect(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                       Error *err) {
        FrontJail *jail = jail_method_find_own(front, call, params, err);

        (void) ret_result;
        return jail ? jail_copy_start(front, call, jail, exec_of(params), err) : err->code;
}

const MethodRow jail_connect_row = { "jail.connect", run_connect };
