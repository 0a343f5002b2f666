#pragma once
/*
 * roles: what a process that tracer.c watches is called. A role says what the process is for, and is the same each
 * time the same work is done, whatever the supervisor does beside it:
 *
 *   monitor, front     these two; front.1 is the notary
 *   jail1, jail2       the jails of a round: each a shell that becomes init, with jail1.1 the first that it cloned,
 *                      jail1.2 its spawner, jail1.3 its builder, jail1.2.1 the first parked child
 *   jail1.unpack       that one, from the moment on in which it is warder-files and unpacks; jail1.unpack.1 its
 *                      first thread, which hashes
 *   old1               a jail that was there before the round, with old1.1 and so on
 *   commit, disk, gone jobs on the store, by the name that each gives itself
 *   job                a child of the monitor without a name: who looks into another mount namespace
 *   gone.2             the second of its name in a round
 */
#include "tests/jail/tracer.h"

/** roles_begin() - a round begins: name who lives by what it is now */
void roles_begin(Tracer *tracer);

/** roles_child() - @child was cloned by @parent, by the call that this is in */
void roles_child(Tracer *tracer, Tracee *parent, Tracee *child);

/** roles_named() - @tracee gives itself the name at @address of its memory */
void roles_named(Tracer *tracer, Tracee *tracee, unsigned long address);

/** roles_executed() - @tracee is another program now */
void roles_executed(Tracer *tracer, Tracee *tracee);

/** roles_is_of_front() - the front or a child of it: the notary lives as long */
bool roles_is_of_front(const Tracee *tracee);

/** roles_is_old() - of a jail that was there before the round */
bool roles_is_old(const Tracee *tracee);
