#pragma once
/*
 * exec-params: the EXEC object of jail.exec and jail.create, with its descriptors, as a CommandSpec.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/commands.h"

#define EXEC_ARGS_MAX 65536
#define EXEC_FDS_MAX  3

/* Properties of the EXEC object, for the schemas of jail.exec and jail.create */
#define USER_PROPERTY                                                     \
        "\"user\":{\"type\":\"object\",\"required\":[\"uid\",\"gid\"],"   \
        "\"additionalProperties\":false,\"properties\":{"                 \
        "\"uid\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":65531}," \
        "\"gid\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":65531}}}"
#define EXEC_PROPERTIES                                                                      \
        "\"argv\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":65536,"                    \
        "\"items\":{\"type\":\"string\"}},"                                                  \
        "\"env\":{\"type\":\"object\",\"maxProperties\":4096,"                               \
        "\"propertyNames\":{\"pattern\":\"^[^=]+$\"},"                                       \
        "\"additionalProperties\":{\"type\":[\"string\",\"null\"]}},"                        \
        "\"cwd\":{\"type\":\"string\",\"pattern\":\"^/\",\"maxLength\":4095}," USER_PROPERTY \
        ",\"stdio\":{\"type\":\"array\",\"minItems\":3,\"maxItems\":3,"                      \
        "\"items\":{\"enum\":[\"fd\",\"null\",\"capture\",\"merge\"]}},"                     \
        "\"tty\":{\"type\":\"boolean\"},"                                                    \
        "\"limits\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"    \
        "\"wall\":{\"type\":\"integer\",\"minimum\":1},"                                     \
        "\"cpu_time\":{\"type\":\"integer\",\"minimum\":1},"                                 \
        "\"output_keep\":{\"type\":\"integer\",\"minimum\":1},"                              \
        "\"output_max\":{\"type\":\"integer\",\"minimum\":1},"                               \
        "\"nofile\":{\"type\":\"integer\",\"minimum\":3},"                                   \
        "\"fsize\":{\"type\":\"integer\",\"minimum\":1},"                                    \
        "\"memory\":{\"type\":\"integer\",\"minimum\":1},"                                   \
        "\"pids\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65536}}}"

/* How a terminal of the jail's own begins, for the schema of jail.exec */
#define TERMINAL_PROPERTY                                                                   \
        "\"terminal\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" \
        "\"rows\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535},"                  \
        "\"columns\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535},"               \
        "\"modes\":{\"type\":\"array\",\"minItems\":4,\"maxItems\":4,"                      \
        "\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295}},"           \
        "\"keys\":{\"type\":\"array\",\"minItems\":19,\"maxItems\":19,"                     \
        "\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":255}}}}"

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

/** exec_params_init() - Returns: 0; -EINVAL, -EPERM with call_refuse() done. Deinit it after a failure too */
int exec_params_init(ExecParams *params, const ExecFrom *from, Error *err);
/** exec_params_deinit() - release it */
void exec_params_deinit(ExecParams *params);
