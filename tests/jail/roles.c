/*
 * roles: see roles.h.
 */
#include "tests/jail/roles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define PREFIX    "warder-"
#define OLD       "old"
#define NAME_SIZE 16 /* of a process, as the kernel keeps it */
#define ARGS_MAX  128

static Tracee *find(Tracer *tracer, pid_t pid) {
        for (unsigned i = 0; i < TRACEES_MAX; i++)
                if (pid > 0 && tracer->tracees[i].pid == pid)
                        return &tracer->tracees[i];
        return NULL;
}

/* One that has no room for its role is not what is tested. */
static void call_it(Tracee *tracee, const char *role) {
        if (strlen(role) >= ROLE_MAX)
                role = PASSER_BY;
        (void) memcpy(tracee->role, role, strlen(role) + 1);
}

static void call_it_child(Tracee *tracee, const Tracee *parent, unsigned n) {
        char role[ROLE_MAX + 16];

        (void) snprintf(role, sizeof(role), "%s.%u", parent->role, n);
        call_it(tracee, strcmp(parent->role, PASSER_BY) == 0 ? PASSER_BY : role);
}

static bool is_taken(const Tracer *tracer, const char *role) {
        for (unsigned i = 0; i < tracer->n_roles; i++)
                if (strcmp(tracer->roles[i].name, role) == 0)
                        return true;
        return false;
}

/* The first of that name in a round has it, the second has ".2" behind it. */
static void call_it_next(const Tracer *tracer, Tracee *tracee, const char *name) {
        char role[ROLE_MAX + NAME_SIZE];

        (void) snprintf(role, sizeof(role), "%s", name);
        for (unsigned n = 2; is_taken(tracer, role) && n < ROLES_MAX; n++)
                (void) snprintf(role, sizeof(role), "%s.%u", name, n);
        call_it(tracee, role);
}

bool roles_is_of_front(const Tracee *tracee) {
        return strncmp(tracee->role, FRONT_ROLE, strlen(FRONT_ROLE)) == 0;
}

bool roles_is_old(const Tracee *tracee) {
        return strncmp(tracee->role, OLD, strlen(OLD)) == 0;
}

/* ---- by descent ---------------------------------------------------------------------------------- */

void roles_child(Tracer *tracer, Tracee *parent, Tracee *child) {
        char role[ROLE_MAX];

        child->parent = parent->pid;
        child->order = ++tracer->n_cloned;
        if (strcmp(parent->role, MONITOR_ROLE) != 0) {
                call_it_child(child, parent, ++parent->n_children);
                return;
        }
        /* only a shell is cloned by clone3(2); a job of the store names itself by its first call */
        if (parent->call == SYS_clone3)
                (void) snprintf(role, sizeof(role), "jail%u", ++tracer->n_jails);
        else
                (void) snprintf(role, sizeof(role), "job");
        call_it(child, role);
}

/* The next one of those that were cloned after @order. */
static Tracee *next_in_order(Tracer *tracer, unsigned order) {
        Tracee *best = NULL;

        for (unsigned i = 0; i < TRACEES_MAX; i++) {
                Tracee *tracee = &tracer->tracees[i];

                if (tracee->pid > 0 && tracee->order > order &&
                    (!best || tracee->order < best->order))
                        best = tracee;
        }
        return best;
}

static void name_old(Tracer *tracer, Tracee *tracee) {
        Tracee *parent = find(tracer, tracee->parent);
        char role[ROLE_MAX];

        if (!parent) {
                call_it(tracee, PASSER_BY);
        } else if (parent->pid != tracer->first) {
                call_it_child(tracee, parent, ++parent->n_children);
        } else {
                (void) snprintf(role, sizeof(role), OLD "%u", ++parent->n_children);
                call_it(tracee, role);
        }
}

void roles_begin(Tracer *tracer) {
        Tracee *tracee;

        tracer->n_jails = 0;
        for (unsigned i = 0; i < TRACEES_MAX; i++)
                tracer->tracees[i].n_children = 0;
        for (unsigned order = 0; (tracee = next_in_order(tracer, order)); order = tracee->order)
                if (strcmp(tracee->role, FRONT_ROLE) != 0 && tracee->has_role)
                        name_old(tracer, tracee);
}

/* ---- by what it says ----------------------------------------------------------------------------- */

void roles_named(Tracer *tracer, Tracee *tracee, unsigned long address) {
        char name[NAME_SIZE + 1] = "";
        const Tracee *parent = find(tracer, tracee->parent);

        if (!parent || parent->pid != tracer->first || strcmp(tracee->role, "job") != 0)
                return;
        for (unsigned i = 0; i < NAME_SIZE; i += sizeof(long)) {
                long word;

                errno = 0;
                word = ptrace(PTRACE_PEEKDATA, tracee->pid, (void *) (address + i), NULL);
                if (errno != 0)
                        return;
                memcpy(name + i, &word, sizeof(word));
        }
        if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
                call_it_next(tracer, tracee, name + strlen(PREFIX));
}

static size_t read_args(const Tracee *tracee, char *args) {
        char path[32];
        size_t n;
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/%d/cmdline", tracee->pid);
        file = fopen(path, "re");
        if (!file)
                return 0;
        n = fread(args, 1, ARGS_MAX - 1, file);
        (void) fclose(file);
        args[n] = 0;
        return n;
}

void roles_executed(Tracer *tracer, Tracee *tracee) {
        char args[ARGS_MAX] = "", role[ROLE_MAX + ARGS_MAX];
        size_t n = read_args(tracee, args), at = strlen(args) + 1;

        if (n <= at || strcmp(args, PREFIX "files") != 0 || strcmp(tracee->role, PASSER_BY) == 0)
                return;
        (void) snprintf(role, sizeof(role), "%.*s.%s", (int) strcspn(tracee->role, "."),
                        tracee->role, args + at);
        if (strlen(role) < ROLE_MAX)
                call_it_next(tracer, tracee, role);
}
