/*
 * causes: see causes.h. No side effects: unit tests call cause_decide() with made-up evidence.
 */
#include "supervisor/front/commands/causes.h"

#include <errno.h>
#include <signal.h>

#include "base/owned.h"

static const char *const cause_names[] = {
        [CAUSE_EXITED] = "exited",
        [CAUSE_SIGNALED] = "signaled",
        [CAUSE_WALL_TIMEOUT] = "wall_timeout",
        [CAUSE_CPU_TIMEOUT] = "cpu_timeout",
        [CAUSE_OOM] = "oom",
        [CAUSE_PIDS_LIMIT] = "pids_limit",
        [CAUSE_DISK_LIMIT] = "disk_limit",
        [CAUSE_OUTPUT_LIMIT] = "output_limit",
        [CAUSE_SECCOMP] = "seccomp",
        [CAUSE_KILLED_BY_CLIENT] = "killed_by_client",
        [CAUSE_JAIL_ENDED] = "jail_ended",
        [CAUSE_SUPERVISOR_LOST] = "supervisor_lost",
        [CAUSE_NOT_STARTED] = "not_started",
};
_Static_assert(ELEMENTS(cause_names) == _CAUSE_MAX, "a name for each cause");

static const char *const hit_names[] = {
        [HIT_MEMORY] = "memory", [HIT_PIDS] = "pids",       [HIT_DISK] = "disk",
        [HIT_INODES] = "inodes", [HIT_WALL] = "wall",       [HIT_CPU] = "cpu",
        [HIT_OUTPUT] = "output", [HIT_SOCKETS] = "sockets", [HIT_LOCKS] = "locks",
};
_Static_assert(ELEMENTS(hit_names) == _HIT_MAX, "a name for each hit");

static const char *const step_names[] = {
        [INIT_STEP_NONE] = "none",   [INIT_STEP_REQUEST] = "request", [INIT_STEP_FORK] = "fork",
        [INIT_STEP_GROUP] = "group", [INIT_STEP_LIMITS] = "limits",   [INIT_STEP_IDS] = "ids",
        [INIT_STEP_STDIO] = "stdio", [INIT_STEP_CWD] = "cwd",         [INIT_STEP_EXEC] = "exec",
};
_Static_assert(ELEMENTS(step_names) == _INIT_STEP_MAX, "a name for each step");

bool cause_is_limit(Cause cause) {
        const unsigned limits = BIT(CAUSE_WALL_TIMEOUT) | BIT(CAUSE_CPU_TIMEOUT) | BIT(CAUSE_OOM) |
                                BIT(CAUSE_PIDS_LIMIT) | BIT(CAUSE_DISK_LIMIT) |
                                BIT(CAUSE_OUTPUT_LIMIT);

        return (unsigned) cause < _CAUSE_MAX && (limits & BIT(cause));
}

const char *cause_name(Cause cause) {
        return (unsigned) cause < _CAUSE_MAX ? cause_names[cause] : "unknown";
}

const char *hit_name(Hit hit) {
        return (unsigned) hit < _HIT_MAX ? hit_names[hit] : "unknown";
}

const char *init_step_name(uint32_t step) {
        return step < _INIT_STEP_MAX ? step_names[step] : "unknown";
}

/* Which limit's counter explains a failed command; the first that rose. */
static const struct {
        uint32_t hits;
        Cause cause;
} explained[] = {
        { BIT(HIT_MEMORY), CAUSE_OOM },
        { BIT(HIT_PIDS), CAUSE_PIDS_LIMIT },
        { BIT(HIT_DISK) | BIT(HIT_INODES), CAUSE_DISK_LIMIT },
};

/*
 * Where the kernel killed a process of the jail for memory, and the command's own was ended by a SIGKILL
 * that none of us sent, that was it. LIMIT: a command with company that kills itself in the very moment in
 * which another one runs out of memory is said to have done so too.
 */
static bool is_victim(const CommandEnd *end) {
        return (end->hits & BIT(HIT_MEMORY)) && end->signal == SIGKILL;
}

static Cause of_ended(const CommandEnd *end, Cause ordered) {
        if (end->code == 0 && end->signal == 0)
                return CAUSE_EXITED; /* also where a limit came a moment too late to matter */
        if (ordered != _CAUSE_MAX)
                return ordered;
        if (end->filtered && end->signal == SIGSYS)
                return CAUSE_SECCOMP;
        if (is_victim(end))
                return CAUSE_OOM;
        for (unsigned i = 0; i < ELEMENTS(explained); i++)
                if (end->proved & explained[i].hits)
                        return explained[i].cause;
        return end->signal ? CAUSE_SIGNALED : CAUSE_EXITED;
}

/*
 * A full file system has no counter. What there is: it was full when the command ended, and it was not
 * when it began. Filled and freed again leaves no trace; full from the start is listed, and no cause.
 */
static void take_disk(CommandEnd *end, const InitEvent *event) {
        uint32_t rose = event->disk_full & ~event->disk_before;
        static const Hit hits[] = { HIT_DISK, HIT_INODES };

        end->disk_before = event->disk_before != 0;
        for (unsigned i = 0; i < ELEMENTS(hits); i++) {
                if (event->disk_full & BIT(i))
                        end->hits |= BIT(hits[i]);
                if ((rose & BIT(i)) && !end->others)
                        end->proved |= BIT(hits[i]);
        }
}

static void copy_figures(CommandEnd *end, const InitEvent *event) {
        end->wall_usec = event->wall_usec;
        end->user_usec = event->user_usec;
        end->sys_usec = event->sys_usec;
        end->io_read = event->io_read;
        end->io_written = event->io_written;
        for (unsigned i = 0; i < 2; i++) {
                end->seen[i] = event->seen[i];
                end->kept[i] = event->kept[i];
                end->cut_at[i] = event->cut_at[i];
        }
        take_disk(end, event);
}

/*
 * Commands can fill the jail's memory with what no kill gives back (System V segments); then the kernel goes
 * on to kill, and takes the spawner too, which is counted with them. That jail ended for memory.
 */
static Cause of_jail(const CommandEnd *end) {
        return end->gave_up && (end->hits & BIT(HIT_MEMORY)) ? CAUSE_OOM : CAUSE_JAIL_ENDED;
}

void cause_decide(CommandEnd *end, const InitEvent *event, Cause ordered) {
        if (!event) {
                end->cause = ordered == _CAUSE_MAX ? of_jail(end) : ordered;
                end->signal = SIGKILL;
                return;
        }
        copy_figures(end, event);
        if (event->step != INIT_STEP_NONE || event->code < 0) {
                end->step = event->step < _INIT_STEP_MAX ? event->step : INIT_STEP_REQUEST;
                end->code = event->code < 0 ? event->code : -EPROTO;
                end->cause = CAUSE_NOT_STARTED;
                return;
        }
        end->code = event->code & 0xff;
        end->signal = event->signal > 0 && event->signal < 65 ? event->signal : 0;
        end->cause = of_ended(end, ordered);
}
