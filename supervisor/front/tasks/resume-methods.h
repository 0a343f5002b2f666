#pragma once
/*
 * resume-methods: task.resume, task.undo, task.steps: a task that has stopped goes on from its last commit, or from an
 * earlier one.
 */
#include "supervisor/front/clients.h"

/** resume_methods - rows of the method table, ended by a NULL name */
extern const MethodRow resume_methods[];
