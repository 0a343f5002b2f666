#pragma once
/*
 * task-receipt: what of a task goes into its receipt, line by line (receipts.h).
 */
#include "supervisor/front/tasks/questions.h"
#include "supervisor/front/tasks/task.h"

/** task_receipt_begin() - what was asked: digests of request, spec, snapshot, policy, workflow; the budgets. Returns: 0 or negative errno */
int task_receipt_begin(Task *task);
/** task_receipt_base() - the base is there: its digest, and setup's */
void task_receipt_base(Task *task);

/** task_receipt_asked() - what an agent's exec asks for, as a fresh object for task_receipt_command() */
cJSON *task_receipt_asked(const cJSON *params);
/**
 * task_receipt_command() - a command of the agent has ended
 * @asked: of task_receipt_asked(); consumed
 *
 * Where the receipt cannot take it, the task ends: what is not written down was not allowed.
 */
void task_receipt_command(Task *task, cJSON *asked, const CommandEnd *end);
/** task_receipt_test() - an event of a verify (verify.h): where a command of it has ended, that is a line */
void task_receipt_test(Front *front, Receipt *receipt, const char *phase, const cJSON *data);
/** task_receipt_setup() - a SpecRunEventFn's arguments: a command of the spec's setup has ended */
void task_receipt_setup(Front *front, Receipt *receipt, const RunCommand *run);
/** task_receipt_model() - a model call has been made; as task_receipt_command() */
void task_receipt_model(Task *task, const EgressEvent *event);
/** task_receipt_question() - people are asked; as task_receipt_command() */
void task_receipt_question(Task *task, const Question *question);
/** task_receipt_answer() - who decided what; likewise */
void task_receipt_answer(Task *task, const Question *question);
/** task_receipt_limit() - a breaker */
void task_receipt_limit(Task *task, const char *limit, const char *why);
/** task_receipt_end() - the final state, in the transaction that keeps the task's row; then it is to be signed. Returns: was it written */
bool task_receipt_end(Task *task);
/** task_receipt_sign() - that transaction is on disk */
void task_receipt_sign(Task *task);
/** task_receipt_has_room() - true, or the task has ended with the limit `receipt` */
bool task_receipt_has_room(Task *task);
