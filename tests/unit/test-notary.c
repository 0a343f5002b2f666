/*
 * The notary as a front that has fallen sees it: what it signs, what it refuses, and that its memory and its
 * descriptors are out of reach for a process of the same id. Each attack works on another child first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/anchor.h"
#include "base/fds.h"
#include "base/owned.h"
#include "filter-notary.h"
#include "supervisor/front/gate/notary.h"
#include "tests/tap.h"
#include "tests/unit/bpf.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif
#define NOBODY    65534
#define WAIT_MSEC 60000 /* of a test that fails then */

static Tap *shared; /* what checks in a child came to */
static char dir[] = "/tmp/warder-notary-XXXXXX";

static int open_at(const char *name, int flags, mode_t mode) {
        char path[64];

        (void) snprintf(path, sizeof path, "%s/%s", dir, name);
        return open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, mode);
}

static NotaryFds open_files(void) {
        return (NotaryFds){ open_at("key", 0, 0600), open_at("pub", 0, 0644),
                            open_at("anchors", O_APPEND, 0600) };
}

static unsigned count_anchors(void) {
        autoclose int fd = open_at("anchors", 0, 0600);
        autofree char *text = NULL;
        unsigned lines = 0;
        size_t n = 0;

        if (fd_read_all(fd, 1 << 24, &text, &n) < 0)
                return 0;
        for (size_t i = 0; i < n; i++)
                lines += text[i] == '\n';
        return lines;
}

static NotaryRequest request(const char *subject) {
        NotaryRequest one = { .kind = NOTARY_SIGN };

        (void) snprintf(one.statement.subject, sizeof one.statement.subject, "%s", subject);
        (void) snprintf(one.statement.state, sizeof one.statement.state, "running");
        (void) snprintf(one.statement.verdict, sizeof one.statement.verdict, "passed");
        one.statement.lines = 3;
        one.statement.present = BIT(STATEMENT_PATCH);
        return one;
}

static int ask(int fd, const NotaryRequest *one, NotaryReply *reply) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };

        if (send(fd, one, sizeof *one, MSG_NOSIGNAL) != (ssize_t) sizeof *one)
                return -EPIPE;
        if (poll(&wait, 1, WAIT_MSEC) != 1 ||
            recv(fd, reply, sizeof *reply, 0) != (ssize_t) sizeof *reply)
                return -EPIPE;
        return reply->code;
}

/* Is it the signature of what the front puts together from the reply */
static bool is_signed(const NotaryRequest *one, const NotaryReply *reply, const char *pem) {
        SCOPED(sign_key_free) SignKey *key = NULL;
        autobuf Buf bytes = BUF_EMPTY(8192);
        Statement statement = one->statement;
        char text[STATEMENT_TEXT_MAX];
        Error err = ERROR_EMPTY;
        int n;

        statement.anchor = reply->anchor;
        statement.time_usec = reply->time_usec;
        n = statement_text(&statement, text);
        return n > 0 && sign_key_read_public(pem, strlen(pem), &key, &err) == 0 &&
               statement_signed_bytes(text, (size_t) n, &bytes) == 0 &&
               sign_is_good(key, bytes.data, bytes.len, reply->signature);
}

/* ---- what it answers ----------------------------------------------------------------------------- */

static void signs(int fd, const NotaryHello *hello, uint64_t first) {
        NotaryRequest one = request("t-7f3kq2m4ab"), sync = { .kind = NOTARY_SYNC };
        NotaryReply reply, next;

        is_number(ask(fd, &sync, &reply), 0, "a sync is answered");
        is_number(ask(fd, &one, &reply), 0, "a head is signed");
        is_number((long long) reply.anchor, (long long) first, "with the next number");
        ok(is_signed(&one, &reply, hello->pem), "by the key that it says it has");
        one.statement.lines++;
        ok(!is_signed(&one, &reply, hello->pem), "of this statement and no other");
        one.statement.anchor = 77; /* neither is the front's to choose */
        one.statement.time_usec = 1;
        is_number(ask(fd, &one, &next), 0, "another");
        ok(next.anchor == first + 1 && next.time_usec >= reply.time_usec,
           "number and time are the notary's own");
}

static void refuses(int fd) {
        static const char *const subjects[] = { "", "t-\"},{\"a", "j-7f3kq2m4ab", "t-7f3kq2m4a",
                                                "t-7f3kq2m4ab\n" };
        NotaryRequest one;
        NotaryReply reply;
        unsigned before = count_anchors();

        for (unsigned i = 0; i < ELEMENTS(subjects); i++) {
                one = request(subjects[i]);
                is_number(ask(fd, &one, &reply), -EINVAL, "a subject that is none");
        }
        one = request("t-7f3kq2m4ab");
        memset(one.statement.state, 'a', sizeof one.statement.state);
        is_number(ask(fd, &one, &reply), -EINVAL, "a word without an end");
        one = request("t-7f3kq2m4ab");
        memset(one.statement.subject, 'a', sizeof one.statement.subject);
        is_number(ask(fd, &one, &reply), -EINVAL, "a subject without an end");
        one = request("t-7f3kq2m4ab");
        (void) snprintf(one.statement.verdict, sizeof one.statement.verdict, "a\",\"b");
        is_number(ask(fd, &one, &reply), -EINVAL, "a verdict that would be more JSON");
        one = request("t-7f3kq2m4ab");
        one.statement.present = UINT32_MAX;
        is_number(ask(fd, &one, &reply), -EINVAL, "digests that there are not");
        one = request("t-7f3kq2m4ab");
        one.kind = 99;
        is_number(ask(fd, &one, &reply), -EINVAL, "a request that it does not know");
        is_number(count_anchors(), before, "none of it is in the list");
}

static void bounded(int fd) {
        NotaryRequest one = request("v-7f3kq2m4ab");
        NotaryReply reply;
        unsigned busy = 0, before = count_anchors();

        for (unsigned i = 0; i < 1500; i++)
                busy += ask(fd, &one, &reply) == -EBUSY;
        ok(busy > 300 && busy < 1400, "a flood is signed in part only");
        is_number(count_anchors(), before + 1500 - busy, "what was signed is in the list");
}

static void ends(int fd) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        char byte;

        ok(send(fd, "short", 5, MSG_NOSIGNAL) == 5 && poll(&wait, 1, WAIT_MSEC) == 1 &&
                   recv(fd, &byte, 1, 0) == 0,
           "what no front says ends it");
}

/* ---- what is out of reach ------------------------------------------------------------------------ */

static pid_t other_child(void) {
        pid_t pid = fork();

        if (pid == 0)
                for (;;)
                        (void) pause();
        return pid;
}

/* The child of ours that is not @other */
static pid_t notary_pid(pid_t other) {
        autoclose int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
        autofree char *text = NULL;
        char *at;
        size_t n = 0;

        if (fd < 0 || fd_read_all(fd, 4096, &text, &n) < 0)
                return -1;
        at = text;
        for (pid_t pid = (pid_t) strtol(at, &at, 10); pid > 0; pid = (pid_t) strtol(at, &at, 10))
                if (pid != other)
                        return pid;
        return -1;
}

static bool opens(pid_t pid, const char *what) {
        char path[64];
        autoclose int fd = -EBADF;

        (void) snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0;
}

static bool lists(pid_t pid) {
        char path[64];
        DIR *fds;

        (void) snprintf(path, sizeof path, "/proc/%d/fd", pid);
        fds = opendir(path);
        if (fds)
                (void) closedir(fds);
        return fds;
}

static bool reads_memory(pid_t pid) {
        char byte;
        struct iovec here = { &byte, 1 }, there = { dir, 1 };

        return process_vm_readv(pid, &here, 1, &there, 1, 0) == 1;
}

static bool takes_descriptor(pid_t pid) {
        autoclose int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        autoclose int fd = pidfd < 0 ? -EBADF : (int) syscall(SYS_pidfd_getfd, pidfd, 0, 0);

        return fd >= 0;
}

static bool traces(pid_t pid) {
        int status;

        if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
                return false;
        (void) waitpid(pid, &status, 0);
        (void) ptrace(PTRACE_DETACH, pid, NULL, NULL);
        return true;
}

static bool opens_key(void) {
        autoclose int fd = open_at("key", 0, 0600);

        return fd >= 0;
}

static void out_of_reach(void) {
        pid_t other = other_child(), notary = notary_pid(other);

        ok(notary > 0, "the notary is a child of the front");
        ok(opens(other, "mem") && !opens(notary, "mem"),
           "its memory is no file that can be opened");
        ok(lists(other) && !lists(notary), "its descriptors cannot be listed");
        ok(opens(other, "environ") && !opens(notary, "environ"), "nor its environment");
        ok(reads_memory(other) && !reads_memory(notary), "its memory cannot be read");
        ok(takes_descriptor(other) && !takes_descriptor(notary),
           "no descriptor of it can be taken");
        ok(traces(other) && !traces(notary), "it cannot be traced");
        ok(!opens_key(), "the key's file cannot be opened by its name");
        (void) kill(other, SIGKILL);
}

static int start_and_hear(NotaryFds *fds, NotaryHello *hello, Error *err) {
        autoclose int fd = notary_start(fds, err);
        int r = fd < 0 ? fd : notary_hear(fd, hello, err);

        return r < 0 ? r : TAKE_FD(fd);
}

/* A front as the monitor starts it: an id of its own, root's files as descriptors */
static void as_front(uint64_t first, bool whole) {
        NotaryFds fds = open_files();
        int copies[] = { fds.key, fds.public_key, fds.anchors };
        NotaryHello hello;
        Error err = ERROR_EMPTY;
        autoclose int fd = -EBADF;
        unsigned open_ones = 0;

        if (geteuid() == 0 &&
            (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
                return;
        (void) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* a change of ids took it */
        fd = start_and_hear(&fds, &hello, &err);
        ok(fd >= 0, "it starts: %s", err.text);
        for (unsigned i = 0; i < ELEMENTS(copies); i++)
                open_ones += fcntl(copies[i], F_GETFD) >= 0;
        is_number(open_ones, 0, "the front has closed key and list");
        if (fd < 0)
                return;
        (void) fd_set_nonblock(fd, false);
        signs(fd, &hello, first);
        if (whole) {
                out_of_reach();
                ends(fd);
        }
}

static void in_child(uint64_t first, bool whole) {
        int status = 1;
        pid_t pid;

        (void) fflush(stdout);
        pid = fork();
        if (pid == 0) {
                as_front(first, whole);
                *shared = tap_state;
                _exit(0);
        }
        (void) waitpid(pid, &status, 0);
        tap_state = *shared;
        ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a front went through all its checks");
}

/* ---- its files ----------------------------------------------------------------------------------- */

static void write_list(const char *text) {
        autoclose int fd = open_at("anchors", O_APPEND, 0600);

        (void) !write(fd, text, strlen(text));
}

static int start(NotaryHello *hello, Error *err) {
        NotaryFds fds = open_files();
        int fd = start_and_hear(&fds, hello, err);

        if (fd >= 0)
                (void) fd_set_nonblock(fd, false);
        return fd;
}

static void answers(void) {
        NotaryHello hello;
        Error err = ERROR_EMPTY;
        autoclose int fd = start(&hello, &err);

        ok(fd >= 0, "started again");
        refuses(fd);
        bounded(fd);
}

static void cut_line(void) {
        NotaryHello hello, again;
        NotaryRequest one = request("t-7f3kq2m4ab");
        NotaryReply reply;
        Error err = ERROR_EMPTY;
        autoclose int fd = start(&hello, &err), next = -EBADF;
        uint64_t last;

        is_number(ask(fd, &one, &reply), 0, "a head");
        last = reply.anchor;
        write_list("99999 2026-01-");
        next = start(&again, &err);
        is_number(ask(next, &one, &reply), 0, "after a line that a crash cut");
        is_number((long long) reply.anchor, (long long) last + 1, "the numbers go on");
        ok(strcmp(hello.key, again.key) == 0, "the key is the same one");
}

/* What a crash left is ended by the first start; the second must not take it for a head. */
static void cut_and_started_twice(const char *what, const char *torn, off_t zeros) {
        autoclose int list = open_at("anchors", 0, 0600), fd = -EBADF;
        NotaryHello hello;
        NotaryRequest one = request("t-7f3kq2m4ab");
        NotaryReply reply = { 0 };
        Error err = ERROR_EMPTY;
        struct stat st;
        uint64_t last;

        fd = start(&hello, &err);
        is_number(ask(fd, &one, &reply), 0, "a head");
        last = reply.anchor;
        write_list(torn);
        ok(fstat(list, &st) == 0 && ftruncate(list, st.st_size + zeros) == 0, "the list ends in %s",
           what);
        for (unsigned i = 0; i < 2; i++) {
                (void) close(fd);
                fd = start(&hello, &err);
                ok(fd >= 0, "a start after it: %s", err.text);
        }
        is_number(ask(fd, &one, &reply), 0, "the next head");
        is_number((long long) reply.anchor, (long long) last + 1, "has the next number");
        (void) close(fd);
        fd = start(&hello, &err);
        is_number(ask(fd, &one, &reply), 0, "and the one after another start");
        is_number((long long) reply.anchor, (long long) last + 2, "the one after it");
}

static pid_t newest_child(void) {
        autoclose int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
        autofree char *text = NULL;
        pid_t last = -1;
        char *at;
        size_t n = 0;

        if (fd < 0 || fd_read_all(fd, 4096, &text, &n) < 0)
                return -1;
        at = text;
        for (pid_t pid = (pid_t) strtol(at, &at, 10); pid > 0; pid = (pid_t) strtol(at, &at, 10))
                last = pid;
        return last;
}

static bool may_write(pid_t pid, rlim_t bytes) {
        struct rlimit limit;

        if (prlimit(pid, RLIMIT_FSIZE, NULL, &limit) < 0)
                return false;
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        return prlimit(pid, RLIMIT_FSIZE, &limit, NULL) == 0;
}

/* Is the last line, from its first byte on, the head @number */
static bool ends_in(uint64_t number) {
        autoclose int fd = open_at("anchors", 0, 0600);
        autofree char *text = NULL;
        Anchor anchor;
        char *before;
        size_t n = 0;

        if (fd_read_all(fd, 1 << 24, &text, &n) < 0 || n == 0 || text[n - 1] != '\n')
                return false;
        before = memrchr(text, '\n', n - 1);
        return before &&
               anchor_parse(before + 1, (size_t) (text + n - 1 - (before + 1)), &anchor) == 0 &&
               anchor.number == number;
}

/* Room for a part of the next line only, and then room again */
static void short_write(void) {
        autoclose int list = open_at("anchors", 0, 0600), fd = -EBADF;
        NotaryHello hello;
        NotaryRequest one = request("t-7f3kq2m4ab");
        NotaryReply reply = { 0 };
        Error err = ERROR_EMPTY;
        struct stat st = { 0 };
        pid_t notary;
        uint64_t last;

        (void) signal(SIGXFSZ, SIG_IGN);
        fd = start(&hello, &err);
        notary = newest_child();
        is_number(ask(fd, &one, &reply), 0, "a head");
        last = reply.anchor;
        ok(fstat(list, &st) == 0 && may_write(notary, (rlim_t) st.st_size + 20),
           "room for 20 bytes more");
        ok(ask(fd, &one, &reply) < 0, "a head that was written in part is not signed");
        ok(fstat(list, &st) == 0 && ask(fd, &one, &reply) < 0, "nor is the next one");
        ok(may_write(notary, RLIM_INFINITY), "there is room again");
        is_number(ask(fd, &one, &reply), 0, "then a head is signed");
        is_number((long long) reply.anchor, (long long) last + 1, "with the next number");
        ok(ends_in(last + 1), "on a line of its own");
}

static void full_list(void) {
        autoclose int list = open_at("anchors", 0, 0600);
        NotaryHello hello;
        NotaryRequest one = request("t-7f3kq2m4ab");
        NotaryReply reply;
        Error err = ERROR_EMPTY;
        autoclose int fd = -EBADF;

        ok(ftruncate(list, ANCHORS_BYTES_MAX - 50) == 0, "a list that is nearly full");
        fd = start(&hello, &err);
        is_number(ask(fd, &one, &reply), -EFBIG, "takes no more, and nothing is signed");
        ok(memcmp(reply.signature, (uint8_t[SIGNATURE_SIZE]){ 0 }, SIGNATURE_SIZE) == 0,
           "no signature is given away");
}

static void damaged_key(void) {
        autoclose int key = open_at("key", O_TRUNC, 0600);
        NotaryHello hello;
        Error err = ERROR_EMPTY;
        autoclose int fd = -EBADF;
        struct stat st;

        (void) !write(key, "not a key\n", 10);
        fd = start(&hello, &err);
        ok(fd < 0 && strstr(err.text, "the key of receipts"), "a damaged key is no key: %s",
           err.text);
        ok(fstat(key, &st) == 0 && st.st_size == 10, "and is not replaced");
}

/* ---- its filter ---------------------------------------------------------------------------------- */

static void filtered(void) {
        static const struct {
                const char *name;
                int number;
        } refused[] = {
                { "openat", SYS_openat },       { "openat2", SYS_openat2 },
                { "ftruncate", SYS_ftruncate }, { "pwrite64", SYS_pwrite64 },
                { "fcntl", SYS_fcntl },         { "fallocate", SYS_fallocate },
                { "lseek", SYS_lseek },         { "kill", SYS_kill },
                { "tgkill", SYS_tgkill },       { "ptrace", SYS_ptrace },
                { "socket", SYS_socket },       { "connect", SYS_connect },
                { "clone", SYS_clone },         { "execve", SYS_execve },
                { "prctl", SYS_prctl },         { "mprotect", SYS_mprotect },
                { "prlimit64", SYS_prlimit64 }, { "read", SYS_read },
                { "unlinkat", SYS_unlinkat },   { "memfd_create", SYS_memfd_create },
        };
        struct seccomp_data data = { .arch = NATIVE, .nr = SYS_write };

        ok(bpf_run(filter_notary, ELEMENTS(filter_notary), &data) == SECCOMP_RET_ALLOW,
           "it writes");
        for (unsigned i = 0; i < ELEMENTS(refused); i++) {
                data.nr = refused[i].number;
                ok(bpf_run(filter_notary, ELEMENTS(filter_notary), &data) != SECCOMP_RET_ALLOW,
                   "%s is not allowed", refused[i].name);
        }
}

int main(void) {
        (void) signal(SIGPIPE, SIG_IGN);
        filtered();
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                      0);
        if (shared == MAP_FAILED || !mkdtemp(dir))
                return 1;
        if (geteuid() == 0 && chmod(dir, 0711) == 0) {
                in_child(1, true);
                in_child(3, false);
        } else {
                tap_skip("out of reach of an id of its own", "root");
        }
        answers();
        cut_line();
        cut_and_started_twice("the beginning of a line", "2", 0);
        cut_and_started_twice("a line without its end", "99999 2026-01-01T00:00:00Z t-7f3kq2m4ab 3",
                              0);
        cut_and_started_twice("zeros of a crash", "", 40);
        short_write();
        full_list();
        damaged_key();
        for (unsigned i = 0; i < 3; i++) {
                char path[64];

                (void) snprintf(path, sizeof path, "%s/%s", dir,
                                ((const char *const[]){ "key", "pub", "anchors" })[i]);
                (void) unlink(path);
        }
        (void) rmdir(dir);
        return tap_end();
}
