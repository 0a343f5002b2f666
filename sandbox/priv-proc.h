#pragma once
/*
 * priv-proc: what a jail sees of /proc. Masked, the default: processes, and of the rest what stands in a
 * list of names; everything else is covered. With PLAN_PROC_PID: processes alone.
 */
#include "base/error.h"
#include "sandbox/stages.h"

/** proc_mask() - cover what tells about the host in /proc, which stands; /dev/null and /empty stand too */
int proc_mask(const Shell *shell, Error *err);

/**
 * proc_new_pid() - a /proc of processes alone, of which a reader sees those that it may look into
 *
 * Returns: detached mount owned by the caller, or negative errno.
 * Source:  proc(5), subset=pid, hidepid=invisible; Linux >= 5.8.
 */
int proc_new_pid(Error *err);
