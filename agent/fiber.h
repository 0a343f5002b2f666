#pragma once
/*
 * fiber: a function on a stack of its own that can stand still. A branch of a workflow is one, so that a
 * step stays written straight down while it waits. Fibers share one thread: nothing else runs between two
 * waits. Only agent/loop.c resumes and yields; everyone else waits by loop_until() and what is built on it
 * (link_call(), a model call, loop_sleep()).
 */
#include <stdbool.h>

#include "base/error.h"

#define FIBER_STACK_BYTES (512 * 1024) /* of which only what is touched costs memory */

typedef struct Fiber Fiber;
typedef void (*FiberFn)(void *userdata);

/**
 * fiber_new() - a fiber that will call @run(@userdata) on its own stack; nothing runs yet
 *
 * Below the stack lies a page that nobody may touch: an overflow ends the agent instead of changing the
 * memory of another branch.
 *
 * Returns: 0, -ENOMEM.
 */
int fiber_new(FiberFn run, void *userdata, Fiber **ret_fiber);

/** fiber_free() - release one that has ended, or was never resumed. Returns: NULL */
Fiber *fiber_free(Fiber *fiber);

/** fiber_resume() - run it until it yields or ends; called from outside of every fiber */
void fiber_resume(Fiber *fiber);

/** fiber_yield() - stand still until the next fiber_resume(); called from inside of @fiber */
void fiber_yield(Fiber *fiber);

/** fiber_is_ended() - has its function returned */
bool fiber_is_ended(const Fiber *fiber);
