/*
 * landlock: the second wall alone, without the first: landlock_confine() on a process of the host, with a
 * directory in place of a jail's root. Each attack works before it, from the same place; what a command
 * needs works after it. Needs root, because the domain opens the message queues of its namespace.
 */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/tap.h"

static char scratch[] = "/var/tmp/warder-landlock-XXXXXX";
static Shell shell;
static int outside;   /* a directory that does not belong to the jail, as a leaked descriptor */
static int read_only; /* a file in it, open for reading */
static pid_t victim;
static struct sockaddr_un theirs = { .sun_family = AF_UNIX,
                                     .sun_path = "\0warder-landlock-theirs" };
static struct sockaddr_un ours = { .sun_family = AF_UNIX, .sun_path = "\0warder-landlock-ours" };

static bool opens(int dir, const char *name, int flags) {
        autoclose int fd = openat(dir, name, flags | O_CLOEXEC, 0644);

        return fd >= 0;
}

/* ---- attacks: each true where it got through ------------------------------------------------------ */

static bool read_file(void) {
        return opens(outside, "secret", O_RDONLY);
}

static bool read_path(void) {
        return opens(AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static bool write_file(void) {
        return opens(outside, "secret", O_WRONLY);
}

static bool cut_file(void) {
        return opens(outside, "secret", O_WRONLY | O_TRUNC);
}

static bool cut_path(void) {
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d/secret", outside);
        return truncate(path, 0) == 0;
}

static bool make_file(void) {
        return opens(outside, "new", O_WRONLY | O_CREAT);
}

static bool list_dir(void) {
        return opens(outside, ".", O_RDONLY | O_DIRECTORY);
}

static bool remove_file(void) {
        return unlinkat(outside, "secret", 0) == 0;
}

static bool remove_dir(void) {
        return unlinkat(outside, "dir", AT_REMOVEDIR) == 0;
}

static bool rename_file(void) {
        return renameat(outside, "secret", outside, "other") == 0;
}

static bool move_in(void) {
        return renameat(outside, "secret", shell.stand, "stolen") == 0;
}

static bool link_in(void) {
        return linkat(outside, "secret", shell.stand, "linked", 0) == 0;
}

static bool make_dir(void) {
        return mkdirat(outside, "made", 0755) == 0;
}

static bool make_link(void) {
        return symlinkat("secret", outside, "sym") == 0;
}

static bool make_fifo(void) {
        return mknodat(outside, "fifo", S_IFIFO | 0644, 0) == 0;
}

static bool make_whiteout(void) {
        return mknodat(outside, "white", S_IFCHR, 0) == 0;
}

static bool bind_socket(void) {
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        autoclose int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/sock", outside);
        return bind(sock, (const struct sockaddr *) &at, sizeof(at)) == 0;
}

static bool execute(void) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                (void) execl("/bin/true", "true", (char *) NULL);
                _exit(127);
        }
        return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool reopen_for_writing(void) {
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", read_only);
        return opens(AT_FDCWD, path, O_RDWR);
}

static bool make_block(
        void) { /* in the jail's own directory: makedev(7, 200) is no device of anybody */
        return mknodat(shell.stand, "block", S_IFBLK | 0600, 7 << 8 | 200) == 0;
}

static bool signal_other(void) {
        return kill(victim, SIGCONT) == 0;
}

static bool connect_other(void) {
        autoclose int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return connect(sock, (const struct sockaddr *) &theirs, sizeof(theirs)) == 0;
}

static bool trace_other(void) {
        return ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0;
}

static bool read_other(void) {
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/%d/mem", (int) victim);
        return opens(AT_FDCWD, path, O_RDONLY);
}

/* ---- what a command needs: each true where it works ----------------------------------------------- */

static bool use_files(void) {
        int at = shell.stand;

        return opens(at, "file", O_RDWR | O_CREAT) && mkdirat(at, "a", 0755) == 0 &&
               mkdirat(at, "b", 0755) == 0 && renameat(at, "file", at, "a/file") == 0 &&
               linkat(at, "a/file", at, "b/file", 0) == 0 && symlinkat("a", at, "s") == 0 &&
               renameat(at, "a", at, "b/a") == 0 && opens(at, "b/a/file", O_RDWR | O_TRUNC) &&
               mknodat(at, "fifo", S_IFIFO | 0600, 0) == 0 &&
               mknodat(at, "white", S_IFCHR, 0) == 0 && unlinkat(at, "b/file", 0) == 0 &&
               opens(at, "b", O_RDONLY | O_DIRECTORY);
}

static bool use_device(void) {
        autoclose int null = openat(shell.root, "dev/null", O_RDWR | O_CLOEXEC);

        return null < 0 && errno == ENOENT; /* none is there; but the look is not refused */
}

static bool use_handed_file(void) {
        char byte;

        return pread(read_only, &byte, 1, 0) == 1;
}

static bool use_pipe_by_name(void) {
        char path[32];
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return false;
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
        return opens(AT_FDCWD, path, O_WRONLY);
}

static bool use_queue(void) {
        autoclose int queue = mq_open("/warder-landlock", O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL);

        return queue >= 0 && mq_unlink("/warder-landlock") == 0;
}

static bool use_sibling(void) { /* a process of the same domain */
        autoclose int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        autoclose int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;
        int status;
        bool good;

        if (bind(sock, (const struct sockaddr *) &ours, sizeof(ours)) < 0 || listen(sock, 1) < 0)
                return false;
        pid = fork();
        if (pid == 0)
                for (;;)
                        (void) pause();
        good = connect(peer, (const struct sockaddr *) &ours, sizeof(ours)) == 0 &&
               ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 && kill(pid, SIGKILL) == 0;
        return waitpid(pid, &status, 0) == pid && good;
}

static bool use_memory_file(void) { /* as programs for jails are */
        autoclose int memory = memfd_create("program", MFD_CLOEXEC);
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
        return memory >= 0 && opens(AT_FDCWD, path, O_RDONLY);
}

typedef struct Row {
        const char *name;
        bool (*run)(void);
        uint32_t abi; /* that the kernel must have */
} Row;

static const Row attacks[] = {
        { "read by a leaked directory", read_file, 2 },
        { "read by a path", read_path, 2 },
        { "write by a leaked directory", write_file, 2 },
        { "cut a file by opening", cut_file, 2 },
        { "cut a file by its path", cut_path, 3 },
        { "make a file", make_file, 2 },
        { "list a directory", list_dir, 2 },
        { "rename a file", rename_file, 2 },
        { "move a file in", move_in, 2 },
        { "link a file in", link_in, 2 },
        { "make a directory", make_dir, 2 },
        { "make a link", make_link, 2 },
        { "make a fifo", make_fifo, 2 },
        { "make a whiteout", make_whiteout, 2 },
        { "bind a socket", bind_socket, 2 },
        { "execute a program", execute, 2 },
        { "open a handed file for more", reopen_for_writing, 2 },
        { "make a block device", make_block, 2 },
        { "remove a directory", remove_dir, 2 },
        { "remove a file", remove_file, 2 },
        { "signal another process", signal_other, 6 },
        { "connect to another's abstract socket", connect_other, 6 },
        { "trace another process", trace_other, 2 },
        { "open the memory of another process", read_other, 2 },
};

static const Row needs[] = {
        { "its own files", use_files, 2 },
        { "its own devices", use_device, 2 },
        { "a file that it was handed", use_handed_file, 2 },
        { "a pipe by its name", use_pipe_by_name, 2 },
        { "a message queue", use_queue, 2 },
        { "another process of its domain", use_sibling, 2 },
        { "a file in memory", use_memory_file, 2 },
};

/* ---- the run -------------------------------------------------------------------------------------- */

static void fill(void) {
        static const char *const dirs[] = { "in", "in/dev", "in/stand", "out", "out/dir" };
        char path[96];
        unsigned i;

        for (i = 0; i < ELEMENTS(dirs); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", scratch, dirs[i]);
                (void) mkdir(path, 0755);
        }
        (void) snprintf(path, sizeof(path), "%s/in", scratch);
        shell.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        shell.stand = openat(shell.root, "stand", O_PATH | O_DIRECTORY | O_CLOEXEC);
        (void) snprintf(path, sizeof(path), "%s/out", scratch);
        outside = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        read_only = openat(outside, "secret", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        (void) !write(read_only, "s", 1);
        (void) close(read_only);
        read_only = openat(outside, "secret", O_RDONLY | O_CLOEXEC);
}

static void empty(void) {
        char command[128];

        (void) close(read_only);
        (void) close(outside);
        (void) close(shell.stand);
        (void) close(shell.root);
        (void) snprintf(command, sizeof(command), "rm -rf %s/in %s/out", scratch, scratch);
        (void) !system(command);
}

/* Runs @row in a child, with everything made afresh. Returns: its answer, -1 where it could not be confined. */
static int answer_of(const Row *row, bool confined) {
        int status = -1;
        pid_t pid;

        fill();
        pid = fork();
        if (pid == 0) {
                Error err = ERROR_EMPTY;

                if (confined && landlock_confine(&shell, &err) < 0) {
                        tap_show("confine", err.text);
                        _exit(2);
                }
                _exit(row->run());
        }
        (void) waitpid(pid, &status, 0);
        empty();
        return WIFEXITED(status) && WEXITSTATUS(status) < 2 ? WEXITSTATUS(status) : -1;
}

static void start_others(void) {
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) bind(sock, (const struct sockaddr *) &theirs, sizeof(theirs));
        (void) listen(sock, 8);
        victim = fork();
        if (victim == 0)
                for (;;)
                        (void) pause();
}

int main(void) {
        unsigned i;

        shell.landlock_abi = landlock_abi();
        if (geteuid() != 0 || shell.landlock_abi == 0) {
                tap_skip_all(geteuid() != 0 ? "root" : "a Landlock that serves in this kernel");
                return tap_end();
        }
        (void) !mkdtemp(scratch);
        start_others();
        for (i = 0; i < ELEMENTS(attacks); i++) {
                if (attacks[i].abi > shell.landlock_abi)
                        continue;
                is_number(answer_of(&attacks[i], false), 1, attacks[i].name);
                is_number(answer_of(&attacks[i], true), 0, "and is held in the domain");
        }
        for (i = 0; i < ELEMENTS(needs); i++)
                is_number(answer_of(&needs[i], true), 1, needs[i].name);
        (void) kill(victim, SIGKILL);
        (void) rmdir(scratch);
        return tap_end();
}
