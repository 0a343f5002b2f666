#pragma once
/*
 * jail-work: the directory that a jail shows at /work, brought again for a question about that jail.
 */
#include "cli/link.h"
#include "cli/verbs.h"

/** JailWorkFn - ask @ask, and show the answer. Returns: as link_ask() */
typedef int (*JailWorkFn)(Link *link, const VerbCall *call, Ask *ask, Error *err);

/**
 * jail_work_ask() - connect, and ask about the jail that is the call's first word
 * @path: the caller's word where the directory is that the jail shows; NULL: the current one
 * @ask:  gets "jail", and with that directory "work" and its descriptor; its params are consumed, whatever happens
 * @go:   called with it
 *
 * Asks first whether the jail shows such a directory. Returns: 0 or negative errno.
 */
int jail_work_ask(const VerbCall *call, const char *path, Ask *ask, JailWorkFn go, Error *err);
