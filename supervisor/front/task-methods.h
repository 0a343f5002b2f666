#pragma once
/*
 * task-methods: task.*, what clients may ask about tasks.
 */
#include "supervisor/front/clients.h"

/** task_methods - rows of the method table, ended by a NULL name */
extern const MethodRow task_methods[];
