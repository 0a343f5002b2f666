#pragma once
/*
 * answer-methods: task.approve, task.reject, task.answer, task.waiting: what people say to tasks that wait.
 */
#include "supervisor/front/calls.h"

extern const MethodRow answer_methods[];

/**
 * answer_may_see() - is somebody of @call's kind asked by this task, now or before
 *
 * Who may answer a task of another's may read what is asked and what the task has changed.
 */
bool answer_may_see(Front *front, const Call *call, const char *task);
