/*
 * event-table: see event-table.h. What an agent says may have other members as well: they are its own.
 */
#include "supervisor/front/tasks/event-table.h"

#include <stddef.h>
#include <string.h>

#include "base/owned.h"

#define MEMBERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const EventRow rows[] = {
        { "task.state", false, false, MEMBERS("state", "cause", "summary") },
        { "step.start", true, false, MEMBERS("path", "kind", "role", "of") },
        { "step.end", true, false,
          MEMBERS("path", "kind", "role", "of", "state", "wall_usec", "error") },
        { "model.call", true, false,
          MEMBERS("path", "role", "of", "turn", "call", "status", "attempts", "tokens_in",
                  "tokens_out", "tokens_cached", "guessed", "money", "tool_calls", "wall_usec",
                  "text", "model") },
        { "tool.call", true, false, MEMBERS("path", "role", "of", "tool", "arguments") },
        { "tool.result", true, false,
          MEMBERS("path", "role", "of", "tool", "ok", "wall_usec", "text") },
        { "command.end", false, false,
          MEMBERS("path", "command", "cause", "code", "signal", "wall_usec", "text") },
        { "verify.start", false, false, MEMBERS("path", "n") },
        { "verify.end", false, false,
          MEMBERS("path", "n", "verdict", "cause", "reason", "tests", "failing", "restored",
                  "dangerous", "patch", "digest") },
        { "ask", false, false,
          MEMBERS("phase", "question", "n", "about", "text", "who", "patch", "asked", "until",
                  "owner_uid", "decision", "answer", "comment", "decided", "by_uid") },
        { "limit", false, false, MEMBERS("limit", "used", "most", "text") },
        { "notice", true, true, MEMBERS("path", "of", "phase", "text", "id") },
};

const EventRow *event_row_find(const char *name) {
        for (size_t i = 0; name && i < ELEMENTS(rows); i++)
                if (strcmp(rows[i].name, name) == 0)
                        return &rows[i];
        return NULL;
}
