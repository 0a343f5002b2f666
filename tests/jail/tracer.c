/*
 * tracer: see tracer.h. Registers are those of x86-64.
 */
#include "tests/jail/tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/jail/roles.h"

#define OPTIONS                                                                                   \
        (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
         PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
#define EVENT_STOP 128 /* PTRACE_EVENT_STOP; linux/ptrace.h and sys/ptrace.h exclude each other */

/* The kernel has no failure for these as they are used here: to make one up would test no kernel there is */
static const long never_fail[] = {
        SYS_close,
        SYS_close_range,
        SYS_exit,
        SYS_exit_group,
        SYS_kill,
        SYS_pidfd_send_signal,
        SYS_getpid,
        SYS_getppid,
        SYS_gettid,
        SYS_getuid,
        SYS_geteuid,
        SYS_umask,
        SYS_alarm,
        SYS_munmap,
        SYS_rt_sigprocmask,
        SYS_rt_sigaction,
        SYS_rt_sigreturn,
        SYS_restart_syscall,
        SYS_futex,
        SYS_clock_gettime,
        SYS_gettimeofday,
        SYS_arch_prctl,
        SYS_set_tid_address,
        SYS_timerfd_settime,
        SYS_set_robust_list,
        SYS_rseq,
        SYS_getcpu,
        SYS_getrandom,
        SYS_brk, /* its failure is no negative number, and malloc(3) goes on with mmap(2) */
};

/* What a call may really answer, where the usual ENOMEM would be odd */
static const struct {
        long call;
        int code;
} codes[] = {
        { SYS_epoll_wait, EINTR }, { SYS_ppoll, EINTR },     { SYS_poll, EINTR },
        { SYS_waitid, EINTR },     { SYS_wait4, EINTR },     { SYS_pause, EINTR },
        { SYS_openat, EMFILE },    { SYS_dup2, EINTR },      { SYS_clone3, EAGAIN },
        { SYS_clone, EAGAIN },     { SYS_write, EIO },       { SYS_mkdirat, ENOSPC },
        { SYS_recvmsg, EINTR }, /* that of a local socket takes no memory */
        { SYS_execveat, ENOMEM },  { SYS_nanosleep, EINTR },
};

static Tracee *find(Tracer *tracer, pid_t pid, bool make) {
        Tracee *empty = NULL;

        for (unsigned i = 0; i < TRACEES_MAX; i++) {
                if (tracer->tracees[i].pid == pid)
                        return &tracer->tracees[i];
                if (tracer->tracees[i].pid == 0 && !empty)
                        empty = &tracer->tracees[i];
        }
        if (!make || !empty)
                return NULL;
        *empty = (Tracee){ .pid = pid };
        return empty;
}

static bool is_front(const Tracee *tracee) {
        return strcmp(tracee->role, FRONT_ROLE) == 0;
}

static void go_on(const Tracer *tracer, Tracee *tracee, int sig) {
        tracee->stopped = false;
        tracee->steps = tracer->armed && strcmp(tracee->role, PASSER_BY) != 0;
        (void) ptrace(tracee->steps ? PTRACE_SYSCALL : PTRACE_CONT, tracee->pid, NULL,
                      (void *) (intptr_t) sig);
}

static Role *role_of(Tracer *tracer, const char *name) {
        for (unsigned i = 0; i < tracer->n_roles; i++)
                if (strcmp(tracer->roles[i].name, name) == 0)
                        return &tracer->roles[i];
        if (tracer->n_roles == ROLES_MAX)
                return NULL;
        tracer->roles[tracer->n_roles] = (Role){ .n_calls = 0 };
        (void) snprintf(tracer->roles[tracer->n_roles].name, ROLE_MAX, "%s", name);
        return &tracer->roles[tracer->n_roles++];
}

static bool can_fail(long call) {
        for (unsigned i = 0; i < ELEMENTS(never_fail); i++)
                if (never_fail[i] == call)
                        return false;
        return true;
}

/* What the loop reads to know how often it rang: the kernel has it, and needs nothing to say so. */
static bool is_clock(const Tracee *tracee, int fd) {
        char path[64], name[32] = "";

        (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d", tracee->pid, fd);
        if (readlink(path, name, sizeof(name) - 1) < 0)
                return false;
        return strcmp(name, "anon_inode:[timerfd]") == 0 ||
               strcmp(name, "anon_inode:[signalfd]") == 0 ||
               strcmp(name, "anon_inode:[eventfd]") == 0;
}

static int code_of(const Tracee *tracee, long call, int fd) {
        if (call == SYS_read && is_clock(tracee, fd))
                return EAGAIN;
        for (unsigned i = 0; i < ELEMENTS(codes); i++)
                if (codes[i].call == call)
                        return codes[i].code;
        return ENOMEM;
}

/*
 * At its entry the call becomes getpid(2), at its exit the answer becomes the failure. One that kills is made as it
 * is; those that cannot fail (close(2), say) need no round: without them the process's end finds the same.
 */
static void make_fail(Tracer *tracer, Tracee *tracee, struct user_regs_struct *regs) {
        tracer->failed_with = tracee->fail_with =
                code_of(tracee, (long) regs->orig_rax, (int) regs->rdi);
        regs->orig_rax = SYS_getpid;
        (void) ptrace(PTRACE_SETREGS, tracee->pid, NULL, regs);
}

static void on_entry(Tracer *tracer, Tracee *tracee, struct user_regs_struct *regs) {
        long call = tracee->call = (long) regs->orig_rax;
        Role *role;

        if (call == SYS_prctl && regs->rdi == PR_SET_NAME)
                roles_named(tracer, tracee, (unsigned long) regs->rsi);
        role = can_fail(call) ? role_of(tracer, tracee->role) : NULL;
        if (!role)
                return;
        if (tracer->fail_role && tracer->failed_call < 0 && role->n_calls == tracer->fail_n &&
            strcmp(tracer->fail_role, tracee->role) == 0) {
                tracer->failed_call = call;
                if (tracer->kills)
                        tracee->dies = true;
                else
                        make_fail(tracer, tracee, regs);
        }
        role->n_calls++;
}

static void on_call(Tracer *tracer, Tracee *tracee) {
        struct user_regs_struct regs;
        struct __ptrace_syscall_info info;

        if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), &info) <= 0 ||
            ptrace(PTRACE_GETREGS, tracee->pid, NULL, &regs) < 0)
                return;
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY && tracer->armed) {
                on_entry(tracer, tracee, &regs);
        } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->dies) {
                (void) kill(tracee->pid, SIGKILL);
                tracer->armed = false;
        } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->fail_with) {
                regs.rax = (unsigned long long) -(long long) tracee->fail_with;
                tracee->fail_with = 0;
                (void) ptrace(PTRACE_SETREGS, tracee->pid, NULL, &regs);
        }
}

static void name_child(Tracer *tracer, Tracee *parent) {
        unsigned long pid = 0;
        Tracee *child;

        if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) < 0)
                return;
        child = find(tracer, (pid_t) pid, true);
        if (!child)
                return;
        roles_child(tracer, parent, child);
        child->has_role = true;
        if (child->stopped)
                go_on(tracer, child, 0);
}

/* Egress is not what is tested, nor is the front unless it was asked for: that is for their own tests. */
static void on_exec(const Tracer *tracer, Tracee *tracee) {
        char path[32], name[32] = "";
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/%d/comm", tracee->pid);
        file = fopen(path, "re");
        if (!file)
                return;
        if (!fgets(name, sizeof(name), file))
                name[0] = 0;
        if (strncmp(name, "warder-front", 12) == 0 && tracer->with_front) {
                (void) snprintf(tracee->role, ROLE_MAX, FRONT_ROLE);
        } else if (strncmp(name, "warder-front", 12) == 0 ||
                   strncmp(name, "warder-egress", 13) == 0) {
                (void) ptrace(PTRACE_DETACH, tracee->pid, NULL, NULL);
                tracee->pid = 0;
        }
        (void) fclose(file);
}

static void on_stop(Tracer *tracer, Tracee *tracee, int status) {
        int sig = WSTOPSIG(status), event = status >> 16;

        tracee->stopped = true;
        if (sig == (SIGTRAP | 0x80)) {
                on_call(tracer, tracee);
                sig = 0;
        } else if (event == PTRACE_EVENT_EXEC) {
                on_exec(tracer, tracee);
                if (tracee->pid > 0 && tracer->armed)
                        roles_executed(tracer, tracee);
                sig = 0;
        } else if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
                   event == PTRACE_EVENT_VFORK) {
                name_child(tracer, tracee);
                sig = 0;
        } else if (event == EVENT_STOP && sig == SIGSTOP) {
                /* it has stopped as anybody may see: its parent waits for that */
                (void) ptrace(PTRACE_LISTEN, tracee->pid, NULL, NULL);
                return;
        } else if (event != 0) {
                sig = 0;
        }
        /* a crash of process 1 of a pid namespace ends it, but not while it is traced: then it crashes on */
        if (event == 0 && (sig == SIGSEGV || sig == SIGILL || sig == SIGBUS || sig == SIGFPE))
                (void) kill(tracee->pid, SIGKILL);
        if (tracee->pid > 0 && tracee->has_role)
                go_on(tracer, tracee, sig);
}

void tracer_unblock(void) {
        sigset_t none;

        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

pid_t tracer_start(Tracer *tracer, char *const *argv) {
        int gate[2];
        char byte;
        pid_t pid;

        *tracer = (Tracer){ .failed_call = tracer->failed_call,
                            .with_front = tracer->with_front,
                            .kills = tracer->kills };
        if (pipe(gate) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                (void) close(gate[1]);
                tracer_unblock();
                if (read(gate[0], &byte, 1) == 1)
                        (void) execv(argv[0], argv);
                _exit(127);
        }
        if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *) (uintptr_t) OPTIONS) < 0)
                return -errno;
        tracer->first = pid;
        *find(tracer, pid, true) = (Tracee){ .pid = pid, .role = MONITOR_ROLE, .has_role = true };
        (void) close(gate[0]);
        if (write(gate[1], "g", 1) != 1)
                return -errno;
        (void) close(gate[1]);
        return pid;
}

void tracer_arm(Tracer *tracer, const char *role, unsigned n) {
        tracer->armed = true;
        tracer->n_roles = 0;
        tracer->fail_role = role;
        tracer->fail_n = n;
        tracer->failed_call = -1;
        roles_begin(tracer);
        for (unsigned i = 0; i < TRACEES_MAX; i++)
                if (tracer->tracees[i].pid > 0)
                        (void) ptrace(PTRACE_INTERRUPT, tracer->tracees[i].pid, NULL, NULL);
}

void tracer_disarm(Tracer *tracer) {
        tracer->armed = false;
}

bool tracer_pump(Tracer *tracer, pid_t *ret_pid, int *ret_status) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);
        Tracee *tracee;

        *ret_pid = 0;
        if (pid <= 0)
                return false;
        tracee = find(tracer, pid, WIFSTOPPED(status));
        if (WIFSTOPPED(status) && tracee) {
                on_stop(tracer, tracee, status);
                return true;
        }
        if (tracee) {
                tracee->pid = 0;
                tracer->front_ended |= is_front(tracee);
        }
        tracer->ended |= pid == tracer->first;
        *ret_pid = pid;
        *ret_status = status;
        return true;
}

bool tracer_is_dying(const Tracer *tracer) {
        for (unsigned i = 0; i < TRACEES_MAX; i++)
                if (tracer->tracees[i].pid > 0 && tracer->tracees[i].dies)
                        return true;
        return false;
}

void tracer_end_dying(const Tracer *tracer) {
        for (unsigned i = 0; i < TRACEES_MAX; i++)
                if (tracer->tracees[i].pid > 0 && tracer->tracees[i].dies)
                        (void) kill(tracer->tracees[i].pid, SIGKILL);
}

unsigned tracer_alive(const Tracer *tracer, bool with_old) {
        unsigned n = 0;

        for (unsigned i = 0; i < TRACEES_MAX; i++) {
                const Tracee *tracee = &tracer->tracees[i];

                n += tracee->pid > 0 && !roles_is_of_front(tracee) &&
                     (with_old || !roles_is_old(tracee));
        }
        return n;
}
