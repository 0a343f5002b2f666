/*
 * processes: see processes.h. Where process 1 is changed, it gets what it has: that the kernel accepts it is
 * enough.
 */
#include "cli/probe/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

#define INIT             1
#define IOPRIO_PROCESS   1
#define ANOTHER_ID       4242
#define LEAK_LOOKED_AT   1024
#define OWN_PROGRAM_NAME "warder-" /* init, spawner, parked children and probes all begin so */

/* r as system calls have it */
static void judge(const Probe *probe, long r, const char *text, Finding *ret) {
        if (r < 0)
                finding_refused(ret, probe->wall, errno);
        else
                finding_through(ret, text);
}

static void signal_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        judge(probe, kill(INIT, probe->flags), "a signal could be sent", ret);
}

static void signal_init_by_fd(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int fd = (int) syscall(SYS_pidfd_open, INIT, 0);

        (void) facts;
        if (fd < 0)
                finding_refused(ret, probe->wall, errno);
        else
                judge(probe, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0),
                      "a signal could be sent", ret);
}

static void take_fd_of_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int fd = (int) syscall(SYS_pidfd_open, INIT, 0);

        (void) facts;
        if (fd < 0)
                finding_refused(ret, probe->wall, errno);
        else
                judge(probe, syscall(SYS_pidfd_getfd, fd, 0, 0), "its descriptor 0 is ours", ret);
}

static void limit_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct rlimit limit;
        int r = prlimit(INIT, RLIMIT_CPU, NULL, &limit);

        (void) facts;
        if (r == 0)
                r = prlimit(INIT, RLIMIT_CPU, &limit, NULL);
        judge(probe, r, "a limit could be set", ret);
}

static void place_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        cpu_set_t cpus;
        int r = sched_getaffinity(INIT, sizeof(cpus), &cpus);

        (void) facts;
        if (r == 0)
                r = sched_setaffinity(INIT, sizeof(cpus), &cpus);
        judge(probe, r, "its processors could be set", ret);
}

static void slow_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        const struct sched_param param = { 0 };

        (void) facts;
        judge(probe, sched_setscheduler(INIT, SCHED_OTHER, &param), "its class could be set", ret);
}

static void renice_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        int now;

        (void) facts;
        errno = 0;
        now = getpriority(PRIO_PROCESS, INIT);
        judge(probe, errno ? -1 : setpriority(PRIO_PROCESS, INIT, now), "its nice could be set",
              ret);
}

static void reorder_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        judge(probe, syscall(SYS_ioprio_set, IOPRIO_PROCESS, INIT, 0), "its io class could be set",
              ret);
}

/* The kernel lets go of what is traced when the tracer ends */
static void trace_init(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        judge(probe, ptrace(PTRACE_SEIZE, INIT, NULL, NULL), "it is traced", ret);
}

/* Whatever is no process of this jail: all that we started in it, and what holds it, are named alike */
static bool is_foreign(const char *pid) {
        char path[300], name[32] = { 0 };
        int fd;
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%s/comm", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        n = read(fd, name, sizeof(name) - 1);
        (void) close(fd);
        return n > 0 && strncmp(name, OWN_PROGRAM_NAME, sizeof(OWN_PROGRAM_NAME) - 1) != 0;
}

/* The number that the process has outside may be one of the jail's own in here */
static bool is_named(const ProbeFacts *facts, Finding *ret) {
        char pid[24];

        (void) snprintf(pid, sizeof(pid), "%lld", (long long) facts->host_pid);
        if (facts->host_pid <= 0)
                finding_not_tried(ret, "no process of the host was named");
        else if (!is_foreign(pid) && kill((pid_t) facts->host_pid, 0) == 0)
                finding_held(ret, WALL_NAMESPACE, 0, "that number is the jail's own process here");
        else
                return true;
        return false;
}

static void signal_host(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        if (is_named(facts, ret))
                judge(probe, kill((pid_t) facts->host_pid, 0), "a signal could be sent", ret);
}

static void read_host(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        char path[64];

        if (!is_named(facts, ret))
                return;
        (void) snprintf(path, sizeof(path), "/proc/%lld/cmdline", (long long) facts->host_pid);
        judge(probe, access(path, R_OK), "its command line can be read", ret);
}

static void find_processes(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        DIR *dir = opendir("/proc");
        const struct dirent *entry;
        char text[FINDING_TEXT_MAX];
        unsigned foreign = 0, all = 0;

        (void) probe;
        (void) facts;
        while (dir && (entry = readdir(dir))) {
                if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
                        continue;
                all++;
                foreign += is_foreign(entry->d_name);
        }
        if (dir)
                (void) closedir(dir);
        (void) snprintf(text, sizeof(text), "%u processes, %u of others", all, foreign);
        if (all == 0)
                finding_not_tried(ret, "/proc lists no process");
        else if (foreign > 0)
                finding_through(ret, text);
        else
                finding_held(ret, WALL_NAMESPACE, 0, text);
}

static void enter_namespace(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int fd = open(probe->path, O_RDONLY | O_CLOEXEC);

        (void) facts;
        if (fd < 0)
                finding_refused(ret, WALL_IDS, errno);
        else
                judge(probe, syscall(SYS_setns, fd, 0), "it could be entered", ret);
        if (ret->outcome == OUTCOME_HELD && syscall(SYS_setns, -1, 0) < 0 && errno == ret->error)
                ret->wall = WALL_FILTER;
}

/* ---- rights -------------------------------------------------------------------------------------- */

static void find_capability(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        char line[256];
        unsigned long long bits = 0;
        bool found = false;
        FILE *file = fopen("/proc/self/status", "re");

        (void) facts;
        while (file && fgets(line, sizeof(line), file))
                if (strncmp(line, probe->path, strlen(probe->path)) == 0)
                        found = sscanf(line + strlen(probe->path), "%llx", &bits) == 1;
        if (!found)
                finding_not_tried(ret, "no such line in /proc/self/status");
        else if (bits)
                finding_through(ret, "the set is not empty");
        else
                finding_held(ret, WALL_CAPABILITY, 0, "the set is empty");
        if (file)
                (void) fclose(file);
}

static void raise_capabilities(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { .effective = BIT(CAP_SYS_CHROOT),
                                                    .permitted = BIT(CAP_SYS_CHROOT) } };

        (void) facts;
        judge(probe, syscall(SYS_capset, &head, data), "a capability could be raised", ret);
}

static void become(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        judge(probe, syscall(probe->number, probe->args[0], probe->args[1], probe->args[2]),
              "the kernel accepted it", ret);
}

static void raise_limit(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct rlimit limit;

        (void) facts;
        (void) getrlimit((__rlimit_resource_t) probe->flags, &limit);
        if (limit.rlim_max == RLIM_INFINITY) {
                finding_not_tried(ret, "it is unlimited: the jail's own limit counts");
                return;
        }
        limit.rlim_max++;
        judge(probe, setrlimit((__rlimit_resource_t) probe->flags, &limit), "it could be raised",
              ret);
}

static void be_urgent(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        const struct sched_param param = { .sched_priority = 1 };

        (void) facts;
        judge(probe, sched_setscheduler(0, SCHED_FIFO, &param), "it is a real-time process", ret);
}

static void be_first(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        judge(probe, setpriority(PRIO_PROCESS, 0, -10), "it goes before others", ret);
}

static void be_spared(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        (void) facts;
        judge(probe, fd < 0 ? -1 : write(fd, "-900", 4), "others are killed first", ret);
}

static void unlock_securebits(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        judge(probe, prctl(PR_SET_SECUREBITS, 0, 0, 0, 0), "they could be set", ret);
}

static void lack_promise(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        (void) probe;
        if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
                finding_held(ret, WALL_CAPABILITY, 0, "no_new_privs is set");
        else
                finding_through(ret, "no_new_privs is not set");
}

/* What was left open for us, beside stdio; the pipe to our parent is closed on execution, and known */
static void find_descriptor(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        char text[FINDING_TEXT_MAX];

        (void) probe;
        (void) facts;
        finding_held(ret, WALL_ABSENT, 0, "none but stdio");
        for (int fd = 3; fd < LEAK_LOOKED_AT; fd++) {
                int flags = fcntl(fd, F_GETFD);

                if (flags < 0 || flags & FD_CLOEXEC)
                        continue;
                (void) snprintf(text, sizeof(text), "descriptor %d is open", fd);
                finding_through(ret, text);
        }
}

/* As root this makes ("plant") a set-id copy of this program; whoever comes then runs it */
static void run_set_id(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct stat st;
        int status = 0;
        pid_t pid;

        (void) probe;
        (void) facts;
        if (stat(SET_ID_PROGRAM, &st) < 0 || st.st_uid != 0 || !(st.st_mode & S_ISUID)) {
                finding_not_tried(ret, "no set-id program lies there");
                return;
        }
        if (geteuid() == 0 && (syscall(SYS_setgroups, 0, NULL) < 0 || setgid(ANOTHER_ID) < 0 ||
                               setuid(ANOTHER_ID) < 0)) {
                finding_not_tried(ret, "this is id 0 already");
                return;
        }
        pid = fork();
        if (pid == 0) {
                (void) execl(SET_ID_PROGRAM, SET_ID_PROGRAM, "euid", (char *) NULL);
                _exit(2);
        }
        (void) waitpid(pid, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                finding_through(ret, "it ran as its owner");
        else if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
                finding_held(ret, WALL_MOUNT, 0, "it ran as its caller");
        else
                finding_refused(ret, WALL_MOUNT, EACCES);
}

#define ROW(NAME, TRIED, RUN, ...) \
        { .name = NAME, .tried = TRIED, .run = RUN, __VA_ARGS__ }
#define SET(NAME, WORD) \
        ROW("caps-" NAME, "a capability in the " NAME " set", find_capability, .path = WORD)
#define ENTER(NAME, PATH) \
        ROW("setns-" NAME, "enter the own " NAME " namespace", enter_namespace, .path = PATH)

const Probe process_probes[] = {
        ROW("kill-init", "signal process 1", signal_init, .harm = SCRATCH, .wall = WALL_IDS),
        ROW("kill-init-fd", "signal process 1 by descriptor", signal_init_by_fd, .harm = SCRATCH,
            .wall = WALL_IDS),
        ROW("fd-of-init", "take a descriptor of process 1", take_fd_of_init, .harm = SCRATCH,
            .wall = WALL_IDS),
        ROW("limit-init", "limits of process 1", limit_init, .harm = SCRATCH, .wall = WALL_IDS),
        ROW("place-init", "processors of process 1", place_init, .harm = SCRATCH, .wall = WALL_IDS),
        ROW("schedule-init", "scheduling class of process 1", slow_init, .harm = SCRATCH,
            .wall = WALL_IDS),
        ROW("nice-init", "nice of process 1", renice_init, .harm = SCRATCH, .wall = WALL_IDS),
        ROW("ioprio-init", "io priority of process 1", reorder_init, .harm = SCRATCH,
            .wall = WALL_IDS),
        ROW("trace-init", "trace process 1", trace_init, .harm = SCRATCH, .wall = WALL_IDS),
        ROW("signal-host", "signal a process of the host", signal_host, .wall = WALL_IDS),
        ROW("read-host", "the command line of a process of the host", read_host),
        ROW("other-processes", "see processes of others", find_processes),
        ENTER("net", "/proc/self/ns/net"),
        ENTER("uts", "/proc/self/ns/uts"),
        ENTER("ipc", "/proc/self/ns/ipc"),
        ENTER("cgroup", "/proc/self/ns/cgroup"),
        ENTER("mount", "/proc/self/ns/mnt"),
        SET("effective", "CapEff:"),
        SET("permitted", "CapPrm:"),
        SET("bounding", "CapBnd:"),
        ROW("capset", "raise a capability", raise_capabilities),
        ROW("setuid", "become another user", become, .number = SYS_setresuid,
            .args = { ANOTHER_ID, ANOTHER_ID, ANOTHER_ID }),
        ROW("setgid", "become another group", become, .number = SYS_setresgid,
            .args = { ANOTHER_ID, ANOTHER_ID, ANOTHER_ID }),
        ROW("setgroups", "give up or take groups", become, .number = SYS_setgroups),
        ROW("securebits", "give id 0 its powers back", unlock_securebits),
        ROW("new-privileges", "privileges by executing", lack_promise),
        ROW("set-id", "become root by a set-id program", run_set_id),
        ROW("raise-nofile", "more open files than the limit", raise_limit, .flags = RLIMIT_NOFILE),
        ROW("raise-core", "core dumps", raise_limit, .flags = RLIMIT_CORE),
        ROW("raise-fsize", "larger files than the limit", raise_limit, .flags = RLIMIT_FSIZE),
        ROW("real-time", "real-time scheduling", be_urgent),
        ROW("nice", "go before others", be_first, .wall = WALL_CAPABILITY),
        ROW("oom-score", "be spared when memory is short", be_spared, .wall = WALL_CAPABILITY),
        ROW("descriptors", "a descriptor that was left open", find_descriptor),
        { 0 },
};
