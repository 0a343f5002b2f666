#pragma once
/*
 * exec-call: a command that a call waits for: "command.started" when it is on its way, the RECORD as the
 * answer. When the caller goes first, the command is ended.
 */
#include "supervisor/front/commands/exec-params.h"

/** ExecAnswerFn - make the result of the call from the record (consumed). Returns: NULL without memory */
typedef cJSON *(*ExecAnswerFn)(FrontJail *jail, cJSON *record_consume);
/** exec_answer_in_jail() - ExecAnswerFn: "jail" and its "controls" beside the record, "command" */
cJSON *exec_answer_in_jail(FrontJail *jail, cJSON *record_consume);
/** ExecAfterFn - the call was answered; the command is over. May be NULL */
typedef void (*ExecAfterFn)(FrontJail *jail, void *userdata);

typedef struct ExecCall { /* borrowed for the call, but @call, which it answers and frees */
        Call *call;
        const CommandSpec *spec;
        ExecAnswerFn answer;
        ExecAfterFn after;
        void *userdata;
} ExecCall;

/** exec_call_start() - Returns: 0 and the call will be answered; negative errno: it was not, nothing runs */
int exec_call_start(FrontJail *jail, const ExecCall *exec, Error *err);
