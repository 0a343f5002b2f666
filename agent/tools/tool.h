#pragma once
/*
 * tool: what a model may call. One table: name, description, JSON Schema of the arguments, handler. The
 * names and parameters are those that models already know. A role's ToolBox is the part of the table
 * that it may use. A tool decides nothing about safety: whatever it asks of the supervisor, the
 * supervisor checks.
 */
#include "agent/link.h"
#include "agent/memory/thread.h"
#include "agent/tools/output.h"

#define TOOL_RESULT_MAX (96 * 1024) /* bytes that a model gets to see of one call */

/* How a tool asks people: parameters of the method `ask` but for path. Returns: 0 and an answer, or negative errno */
typedef int (*ToolAskFn)(void *asker, cJSON *question_consume, cJSON **ret_answer, Error *err);

/* One call while it runs. */
typedef struct ToolRun {
        Link *link;         /* borrowed */
        uint64_t fork;      /* of the workspace, that it works in; 0: the task's own */
        const char *path;   /* borrowed: the step instance, for events; NULL: not said */
        ToolAskFn ask;      /* NULL: nobody can be asked */
        void *asker;        /* borrowed */
        OutputRules output; /* how much of it is kept */
        Buf result;         /* text for the model */
        bool failed;        /* the tool ran and says no: no such file, exit code 2, … */
        bool wrong;         /* the call itself was wrong: unknown tool, arguments that do not fit */
        bool limit;         /* the supervisor refused because a budget is spent */
} ToolRun;

typedef struct Tool {
        const char *name;
        const char *description;
        const char *schema; /* JSON */
        /* Returns: 0 (also where the tool failed), or negative errno: the run cannot go on. */
        int (*run)(ToolRun *run, const cJSON *arguments, Error *err);
        bool by_name; /* only of a role that names it */
} Tool;

typedef struct ToolBox ToolBox;

/**
 * toolbox_new() - the tools that a role may use
 * @names: JSON list of names; NULL: all
 *
 * Returns: 0, -EINVAL with the name that is no tool and the list of those that are, -ENOMEM.
 */
int toolbox_new(const cJSON *names, ToolBox **ret_box, Error *err);
/** toolbox_free() - release it. Returns: NULL */
ToolBox *toolbox_free(ToolBox *box);
DEFINE_SCOPED(ToolBox *, toolbox_free);

/** toolbox_describe() - [{name, description, parameters}], borrowed from the box */
const cJSON *toolbox_describe(const ToolBox *box);

/** toolbox_has() - is there a tool of this name in the box */
bool toolbox_has(const ToolBox *box, const char *name);

/**
 * toolbox_call() - check one call and run it
 * @run: zeroed but for link, path and output; its result is owned by the caller (buf_deinit())
 *
 * A call that cannot be run (malformed JSON, unknown tool, arguments that do not fit) is a result that
 * says what was wrong and what would be right, with run->wrong set.
 *
 * Returns: 0, or negative errno: the supervisor is gone or there is no memory.
 */
int toolbox_call(const ToolBox *box, const ToolCall *call, ToolRun *run, Error *err);

/** tool_call() - link_call() for the workspace of the run; @params_consume may be NULL. Returns: as link_call() */
int tool_call(const ToolRun *run, const char *method, cJSON *params_consume, LinkAnswer *ret,
              Error *err);

/** tool_refuse() - an answer with LINK_E_REFUSED becomes a failed result. Returns: 0 or negative errno */
int tool_refuse(ToolRun *run, const LinkAnswer *answer, const Error *reason);

/** tool_path() - @path as an absolute path in the jail, relative ones below /work; fresh; NULL: no memory */
char *tool_path(const char *path);
