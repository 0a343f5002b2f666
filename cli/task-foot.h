#pragma once
/*
 * task-foot: what stands below a task's steps: the last verdict with what failed, what waits for a person, the
 * last notice, budgets as bars, how it ended.
 */
#include "cli/pen.h"

/** task_foot() - at most @most lines, the least important ones left out; 0: all */
void task_foot(Pen *pen, const TaskTree *tree, unsigned most);
