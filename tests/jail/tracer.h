#pragma once
/*
 * tracer: one process and all that it clones, watched by ptrace(2); one system call of one of them can be
 * made to fail, or be its process's last.
 *
 * A process is named by its role (roles.h): so the same step of the same work has the same name each time. The
 * front is let go when it is executed, unless it was asked for.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ROLE_MAX     24
#define MONITOR_ROLE "monitor"
#define FRONT_ROLE   "front"
#define PASSER_BY    "-" /* of programs that are not what is tested */
#define TRACEES_MAX  256
#define ROLES_MAX    128

typedef struct Role { /* what one process of a round did */
        char name[ROLE_MAX];
        unsigned n_calls; /* of those that can fail */
} Role;

typedef struct Tracee {
        pid_t pid; /* 0: free */
        char role[ROLE_MAX];
        pid_t parent;
        unsigned order; /* when it was cloned: after all with a smaller one; 0: the first */
        unsigned n_children;
        long call;     /* that it is in, or was last */
        bool has_role; /* else it waits for its parent's event */
        bool stopped;
        bool steps;    /* every system call stops it */
        int fail_with; /* what the call that it is in shall answer */
        bool dies;     /* when the call that it is in has been made */
} Tracee;

typedef struct Tracer {
        pid_t first;
        bool ended;       /* the first one */
        bool with_front;  /* set before the start: watch the front too */
        bool kills;       /* set before the start: the call is made, then its process is killed */
        bool front_ended; /* the front, since somebody set it to false */
        bool armed;
        Tracee tracees[TRACEES_MAX];
        unsigned n_cloned;
        unsigned n_jails; /* of this round */
        Role roles[ROLES_MAX];
        unsigned n_roles;
        const char *fail_role; /* borrowed; NULL: none */
        unsigned fail_n;       /* the so manieth call of that role, from 0 */
        long failed_call;      /* its number, -1: it has not come */
        int failed_with;
} Tracer;

/** tracer_start() - @argv under watch; @tracer: but for with_front and kills all is new. Returns: its pid, or negative errno */
pid_t tracer_start(Tracer *tracer, char *const *argv);

/** tracer_unblock() - in a child: no signal is blocked, as in who waits for SIGCHLD */
void tracer_unblock(void);

/** tracer_arm() - from now on count, and let call @n of @role fail, or kill (NULL: none); then count no more where it killed */
void tracer_arm(Tracer *tracer, const char *role, unsigned n);

/** tracer_disarm() - count no more */
void tracer_disarm(Tracer *tracer);

/**
 * tracer_pump() - handle what has happened
 * @ret_status: wait status of a child that is not watched, where @ret_pid is not 0
 *
 * Returns: false where nothing has happened.
 */
bool tracer_pump(Tracer *tracer, pid_t *ret_pid, int *ret_status);

/** tracer_is_dying() - is there one that was told to die and has not yet come to it */
bool tracer_is_dying(const Tracer *tracer);

/** tracer_end_dying() - one that waits amid its last call does so no more */
void tracer_end_dying(const Tracer *tracer);

/**
 * tracer_alive() - how many are watched, but for the front and its children
 * @with_old: and those of jails that were there before the round
 */
unsigned tracer_alive(const Tracer *tracer, bool with_old);
