#pragma once
/*
 * task-request: what "task run" and "task start" ask for: options, the files they name, the request.
 */
#include "cli/link.h"
#include "cli/report-write.h"
#include "cli/spec.h"

typedef struct TaskOptions {
        Common common;
        SpecOptions spec;
        const char *request;
        const char *workflow;
        const char *replay;
        const char *model;
        const char *models;
        const char *snapshot;
        const char *policy;
        const char *verify_policy;
        const char *out;
        bool plain; /* of task run */
        ReportOptions report;
        OptionList limits;
} TaskOptions;

#define OPTIONS_TASK                                                                               \
        { "request",   'm',                                                                        \
          OPTION_TEXT, offsetof(TaskOptions, request),                                             \
          "TEXT|-",    "What is to be done (default: make the failing tests pass)" },              \
                { "workflow",  'w',                                                                \
                  OPTION_TEXT, offsetof(TaskOptions, workflow),                                    \
                  "NAME|FILE", "How it is done (default: fix)" },                                  \
                { "replay",    0,                                                                  \
                  OPTION_TEXT, offsetof(TaskOptions, replay),                                      \
                  "FILE",      "A recorded model: its replies are read from this transcript" },    \
                { "model",     0,                                                                  \
                  OPTION_TEXT, offsetof(TaskOptions, model),                                       \
                  "NAME",      "A model of models.json" },                                         \
                { "models",                                                                        \
                  0,                                                                               \
                  OPTION_TEXT,                                                                     \
                  offsetof(TaskOptions, models),                                                   \
                  "FILE",                                                                          \
                  "Where models are written down (default: $WARDER_MODELS, "                       \
                  "~/.config/warder/models.json)" },                                               \
                OPTIONS_SPEC(offsetof(TaskOptions, spec)),                                         \
                { "snapshot",  's',                                                                \
                  OPTION_TEXT, offsetof(TaskOptions, snapshot),                                    \
                  "NAME",      "Root file system (default: $WARDER_SNAPSHOT, else host)" },        \
                { "policy",                                                                        \
                  'p',                                                                             \
                  OPTION_TEXT,                                                                     \
                  offsetof(TaskOptions, policy),                                                   \
                  "NAME|FILE",                                                                     \
                  "Policy of the task's jail, or a file that tightens one (default: "              \
                  "$WARDER_POLICY, else default)" },                                               \
                { "verify-policy",                                                                 \
                  0,                                                                               \
                  OPTION_TEXT,                                                                     \
                  offsetof(TaskOptions, verify_policy),                                            \
                  "NAME|FILE",                                                                     \
                  "Policy of its tests (default: as --policy; where neither is named, ci)" },      \
        {                                                                                          \
                "limit", 'l', OPTION_LIST, offsetof(TaskOptions, limits), "NAME=N",                \
                        "verifies, no_progress, calls, commands, tokens, wall, cpu, output, money" \
                        ", as verifies=5, wall=30m or money=2.50"                                  \
        }

typedef struct TaskRequest {
        const TaskOptions *options; /* borrowed */
        Repository repo;
        PackTotals totals;
        bool is_replay; /* of a transcript that was named */
        bool no_model;  /* no step asks one */
        cJSON *params;  /* owned: of task.start, without "keep" */
        int base_fd;    /* owned: archive of the workspace */
        int model_fd;   /* owned: transcript or key */
        int held_fd;    /* owned: held-back tests; -EBADF: none */
} TaskRequest;

#define TASK_REQUEST_EMPTY \
        ((TaskRequest){ .base_fd = -EBADF, .model_fd = -EBADF, .held_fd = -EBADF })

/**
 * task_request_make() - read and pack all that the call names
 * @dir: a directory of the repository
 *
 * Returns: 0, VERB_E_USAGE with a sentence, or negative errno.
 */
int task_request_make(const TaskOptions *options, const char *dir, TaskRequest *ret, Error *err);

/** task_request_deinit() - release it */
void task_request_deinit(TaskRequest *request);

/** task_request_send() - task.start. Returns: 0 and the task's id in @ret_task of ID_MAX; LINK_E_REFUSED; negative errno */
int task_request_send(TaskRequest *request, Link *link, bool keep, char *ret_task, Error *err);
