#pragma once
/*
 * task-ask: a task asks people, and waits. The question goes to the ledger before anybody hears of it, with
 * what the task has changed so far; then the task is suspended. What people say comes back by task_ask_decide();
 * the agent cannot say it for them: its socket has no method for that.
 */
#include "supervisor/front/tasks/agent-socket.h"
#include "supervisor/front/tasks/questions.h"

/** task_ask_schema - JSON Schema of what an agent may ask */
extern const char task_ask_schema[];

/**
 * task_ask() - the agent's `ask`
 *
 * What was asked before at the same place in the same words is not asked again: an answer that is there is
 * given at once; so an agent that goes on after its end, or the supervisor's, asks as if nothing had been.
 *
 * Returns: 0 and the call is answered, now or when somebody has decided; negative errno.
 */
int task_ask(AgentCall *call, const cJSON *params, Error *err);
/** task_ask_cancel() - nobody waits for this question any more: it is withdrawn, and the call freed, now or soon */
void task_ask_cancel(AgentCall *call);
/** task_ask_idle() - the agent says that nothing of it runs but questions: the task may be suspended */
void task_ask_idle(Task *task);
/** task_ask_tell() - what was decided is told to whoever of the agent still waits for it */
void task_ask_tell(Task *task);

/**
 * task_ask_decide() - a decision about an open question
 * @question: with decision, answer, comment, by_uid filled in; decided_usec is set here
 *
 * It is on disk, and in the receipt, before the agent hears of it.
 *
 * Returns: 0; -EALREADY: it is not open any more; negative errno.
 */
int task_ask_decide(Front *front, Question *question, Error *err);
/**
 * task_ask_is_over() - does a task that was taken from the ledger wait for nobody any more: a front that was lost has
 * written the decision down, and not that the task goes on
 */
bool task_ask_is_over(const Task *task);
/** task_ask_end() - the task has ended: what it asked is withdrawn */
void task_ask_end(Task *task);
