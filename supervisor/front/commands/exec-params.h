#pragma once
/*
 * exec-params: the EXEC object of jail.exec and jail.create, with its descriptors, as a CommandSpec.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/commands/commands.h"

#define EXEC_ARGS_MAX 65536
#define EXEC_FDS_MAX  3

typedef struct ExecParams {
        CommandSpec spec;  /* points into this struct, the JSON and the call */
        const char **argv; /* owned */
        char **env;        /* owned, as what it points to */
} ExecParams;

typedef struct ExecFrom { /* all borrowed; what ExecParams points to must stay as long as it */
        const Front *front;
        Call *call;
        const cJSON *json; /* the EXEC object, of its schema; without "argv": the image's command */
        const char *at;    /* its pointer in the request: "", "/exec" */
        unsigned first_fd; /* of the call's descriptors, the first that is the command's */
        const JailLimits *limits; /* of the jail: a request may only tighten them */
        const Plan *plan;         /* for the jail's user */
        const cJSON *image;       /* how the snapshot wants to be run, or NULL */
        bool has_work;            /* the caller's files are at /work */
        bool own_tty;             /* a terminal is the jail's own, none that comes along */
} ExecFrom;

/** exec_user_take() - what USER names; what it does not stays. @user: may be NULL */
void exec_user_take(const cJSON *user, uint32_t *uid, uint32_t *gid);
/** exec_params_init() - Returns: 0; -EINVAL, -EPERM with call_refuse() done. Deinit it after a failure too */
int exec_params_init(ExecParams *params, const ExecFrom *from, Error *err);
/** exec_params_deinit() - release it */
void exec_params_deinit(ExecParams *params);
