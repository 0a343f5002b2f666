/*
 * parked: a child that waits in its slot with its filters on. Until the command's message it has init's
 * id, so that no command can touch it; then it takes the command's ids, gives up every capability and
 * executes. What it was told is checked here: the blob is strings, and there are as many as were said.
 *
 * The policy's filter is on before the ids are taken. It has to allow what stands below take_ids() and in
 * start(): setgroups setresgid setresuid capset prctl prlimit64 umask dup3 fcntl chdir mmap pread64
 * recvmsg sendmsg close execve execveat exit_group, and ioctl for a terminal. What copy.c calls besides, every
 * command needs that reads and writes files.
 */
#include "sandbox/init/parked.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/lockdown.h"
#include "base/owned.h"
#include "filter-floor.h"
#include "filter-shared.h"
#include "sandbox/init/connect.h"
#include "sandbox/init/copy.h"
#include "sandbox/init/spawner.h"

#define SOCK_HIGH    100 /* above what a command gets */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int park_sock;
static ExecMessage message; /* not on the stack: the pages are touched only where a command comes */

_Noreturn static void give_up(uint32_t step, int code) {
        ParkWord word = { .code = code, .step = step };

        (void) fds_send(park_sock, &word, sizeof(word), NULL, 0);
        _exit(127);
}

/* ---- parking -------------------------------------------------------------------------------------- */

static int load_constant(const struct sock_filter *filter, size_t n) {
        /* the kernel only reads it; the field has no const */
        const struct sock_fprog program = {
                .len = (unsigned short) n,
                .filter = (struct sock_filter *) (uintptr_t) filter,
        };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

/*
 * A slot with limits of its own on a v1 host: into its groups. It may take the kernel milliseconds (it
 * waits for RCU), and nobody waits but the command that asked for it.
 */
static void enter_limits(const int *groups, unsigned n) {
        unsigned i;

        for (i = 0; i < n; i++)
                if (write(groups[i], "0", 1) < 0)
                        give_up(INIT_STEP_GROUP, -errno);
}

/* A front that has gone, or does not read: the jail's end is near, and nothing here depends on it. */
static void show_pid(int front) {
        InitEvent event = { .kind = INIT_PARKED, .pid = (uint32_t) getpid() };

        (void) send(front, &event, sizeof(event), MSG_DONTWAIT | MSG_NOSIGNAL);
        (void) close(front);
}

static void park(int sock, const int *limits, unsigned n_limits) {
        int fds[FDS_MAX], r;
        unsigned n_fds;
        ParkFilter order;
        ParkWord word = { .pid = getpid() };

        park_sock = fcntl(sock, F_DUPFD_CLOEXEC, SOCK_HIGH);
        if (park_sock < 0)
                _exit(127);
        if (fds_send(park_sock, &word, sizeof(word), NULL, 0) < 0)
                _exit(127); /* init hears our end instead: it waits for one of the two */
        enter_limits(limits, n_limits);
        if (close_range(3, (unsigned) park_sock - 1, 0) < 0 ||
            close_range((unsigned) park_sock + 1, ~0u, 0) < 0)
                _exit(127);
        (void) prctl(PR_SET_NAME, "warder-parked");
        (void) setsid();
        (void) umask(0);
        (void) personality(PER_LINUX);
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                give_up(INIT_STEP_IDS, -errno);
        r = load_constant(filter_floor, ELEMENTS(filter_floor));
        if (r < 0)
                give_up(INIT_STEP_IDS, r);
        if (fds_recv(park_sock, &order, sizeof(order), fds, &n_fds) != sizeof(order) || n_fds != 1)
                _exit(127);
        r = order.shared ? load_constant(filter_shared, ELEMENTS(filter_shared)) : 0;
        if (r == 0)
                r = filter_load(fds[0], NULL);
        if (r < 0)
                give_up(INIT_STEP_IDS, r);
        (void) close(fds[0]);
}

/* ---- the command ---------------------------------------------------------------------------------- */

typedef struct Words {
        const char *cwd;
        char **argv; /* argc of them and NULL */
        char **envp;
} Words;

/* Where a blob came as a memfd: its bytes, mapped privately. */
static char *map_blob(int fd, size_t n) {
        char *bytes = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (bytes == MAP_FAILED || pread(fd, bytes, n, 0) != (ssize_t) n)
                return NULL;
        return bytes;
}

static char *next_word(char **at, char *end) {
        char *word = *at, *stop = word < end ? memchr(word, 0, (size_t) (end - word)) : NULL;

        if (stop) {
                *at = stop + 1;
                return word;
        }
        give_up(INIT_STEP_REQUEST, -EBADMSG);
}

static Words split(char *blob, size_t n) {
        const InitExec *exec = &message.exec;
        char *at = blob, *end = blob + n, **list;
        size_t count = (size_t) exec->argc + exec->envc + 2;
        Words words;
        uint32_t i;

        list = mmap(NULL, count * sizeof(*list), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (list == MAP_FAILED)
                give_up(INIT_STEP_REQUEST, -errno);
        words.cwd = next_word(&at, end);
        words.argv = list;
        words.envp = list + exec->argc + 1;
        for (i = 0; i < exec->argc; i++)
                words.argv[i] = next_word(&at, end);
        for (i = 0; i < exec->envc; i++)
                words.envp[i] = next_word(&at, end);
        if (at != end)
                give_up(INIT_STEP_REQUEST, -EBADMSG);
        return words;
}

static void limit(int resource, uint64_t value) {
        struct rlimit now;

        if (getrlimit(resource, &now) < 0)
                give_up(INIT_STEP_LIMITS, -errno);
        /* never above what this host gives us: narrower than asked is safe */
        if (value < now.rlim_max)
                now.rlim_max = value;
        now.rlim_cur = now.rlim_max;
        if (setrlimit(resource, &now) < 0)
                give_up(INIT_STEP_LIMITS, -errno);
}

/* All descriptors came in above 3 and are closed by exec; 0, 1, 2 and 3 are duplicates that are not. */
static void place_stdio(const int *fds) {
        const InitExec *exec = &message.exec;
        unsigned next = 3 + !!(exec->flags & INIT_EXEC_BINARY_FD);
        int i;

        for (i = 0; i < 3; i++)
                if (dup2(fds[i], i) < 0)
                        give_up(INIT_STEP_STDIO, -errno);
        if (exec->flags & INIT_EXEC_TTY && ioctl(0, TIOCSCTTY, 0) < 0)
                give_up(INIT_STEP_STDIO, -errno);
        if (exec->flags & INIT_EXEC_FD3 && dup2(fds[next], 3) < 0)
                give_up(INIT_STEP_STDIO, -errno);
}

static void take_ids(void) {
        const InitExec *exec = &message.exec;
        bool files = exec->uid == 0 && (exec->flags & EXEC_KEEP_FILES_CAPS);
        int r;

        if (syscall(SYS_setgroups, 0, NULL) < 0 ||
            syscall(SYS_setresgid, exec->gid, exec->gid, exec->gid) < 0 ||
            syscall(SYS_setresuid, exec->uid, exec->uid, exec->uid) < 0)
                give_up(INIT_STEP_IDS, -errno);
        if (!files && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                give_up(INIT_STEP_IDS, -errno);
        r = caps_keep(files ? FILES_CAPS : 0);
        if (r < 0)
                give_up(INIT_STEP_IDS, r);
        /* taking ids makes a process dumpable where fs.suid_dumpable is 1; until execve(2) it is still ours */
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                give_up(INIT_STEP_IDS, -errno);
}

/* execvp's search, with the command's own PATH. */
static int search(const Words *words) {
        const char *name = words->argv[0], *path = DEFAULT_PATH, *end;
        char file[4096];
        bool denied = false;
        char **env;

        for (env = words->envp; *env; env++)
                if (strncmp(*env, "PATH=", 5) == 0)
                        path = *env + 5;
        for (; *path; path = *end ? end + 1 : end) {
                end = strchrnul(path, ':');
                if ((size_t) snprintf(file, sizeof(file), "%.*s/%s", (int) (end - path), path,
                                      name) >= sizeof(file))
                        continue;
                (void) execve(file, words->argv, words->envp);
                if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                        return -errno;
                denied |= errno == EACCES;
        }
        return denied ? -EACCES : -ENOENT;
}

static int execute(const Words *words, int binary) {
        if (binary >= 0)
                (void) execveat(binary, "", words->argv, words->envp, AT_EMPTY_PATH);
        else if (strchr(words->argv[0], '/'))
                (void) execve(words->argv[0], words->argv, words->envp);
        else
                return search(words);
        return -errno;
}

static int run_own(unsigned argc, char *const *argv) {
        return argc == 3 && strcmp(argv[1], "connect") == 0 ? connect_run(argv[2])
                                                            : copy_run(argc, argv);
}

_Noreturn static void start(const Words *words, const int *fds) {
        const InitExec *exec = &message.exec;

        place_stdio(fds);
        limit(RLIMIT_NOFILE, exec->nofile);
        limit(RLIMIT_FSIZE, exec->fsize);
        limit(RLIMIT_STACK, exec->stack);
        limit(RLIMIT_CORE, 1); /* not 0: see stage_alone() in stages.c */
        (void) umask(exec->umask & 0777);
        take_ids();
        if (chdir(words->cwd) < 0)
                give_up(INIT_STEP_CWD, -errno);
        if (exec->flags & INIT_EXEC_COPY)
                _exit(run_own(exec->argc, words->argv));
        give_up(INIT_STEP_EXEC,
                execute(words, exec->flags & INIT_EXEC_BINARY_FD ? fds[3] : -EBADF));
}

_Noreturn static void run_command(const int *fds, unsigned n_fds, size_t inline_bytes) {
        const InitExec *exec = &message.exec;
        char *blob = message.blob;
        Words words;

        if (exec->flags & INIT_EXEC_BLOB_FD)
                blob = map_blob(fds[n_fds - 1], exec->head.blob);
        else if (inline_bytes != exec->head.blob)
                blob = NULL;
        if (blob) {
                words = split(blob, exec->head.blob);
                start(&words, fds);
        }
        give_up(INIT_STEP_REQUEST, -EBADMSG);
}

_Noreturn void parked_run(int sock, int front, const int *limits, unsigned n_limits) {
        const ParkWord word = { .code = 0 };
        int fds[FDS_MAX];
        unsigned n_fds;
        ssize_t got;

        show_pid(front);
        park(sock, limits, n_limits);
        got = fds_recv(park_sock, &message, sizeof(message), fds, &n_fds);
        if (got < (ssize_t) sizeof(message.exec) || n_fds < 3)
                _exit(127);
        (void) fds_send(park_sock, &word, sizeof(word), NULL, 0);
        run_command(fds, n_fds, (size_t) got - sizeof(message.exec));
}
