/*
 * Profiles become filters: an allow-list, arguments, unknown names, and what holds whatever a profile says.
 */
#include "sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/lockdown.h"
#include "base/owned.h"
#include "tests/tap.h"

static const char *const needed[] = { "exit_group", "write", "rt_sigreturn" };
static const char *const chown_call[] = { "chown" };
static const char *const clone3_call[] = { "clone3" };
static const char *const socket_call[] = { "socket" };
static const char *const odd[] = { "getppid", "no_such_call", "other_missing" };
static const char *const newer[] = { "fchmodat2" };

static const SeccompRule rules[] = {
        { needed, 3, SECCOMP_DO_ALLOW, 0, 0, { { 0 } } },
        { chown_call, 1, SECCOMP_DO_ERRNO, EXDEV, 0, { { 0 } } },
        { clone3_call, 1, SECCOMP_DO_ALLOW, 0, 0, { { 0 } } },
        { socket_call, 1, SECCOMP_DO_ALLOW, 0, 1, { { 0, SECCOMP_OP_EQ, AF_UNIX, 0 } } },
        { socket_call, 1, SECCOMP_DO_ERRNO, EDOM, 1, { { 0, SECCOMP_OP_EQ, AF_INET, 0 } } },
        /* two tests of one argument, and both must hold */
        { socket_call,
          1,
          SECCOMP_DO_ERRNO,
          EXDEV,
          2,
          { { 0, SECCOMP_OP_GE, AF_INET6, 0 }, { 0, SECCOMP_OP_LT, AF_INET6 + 2, 0 } } },
        { odd, 3, SECCOMP_DO_ALLOW, 0, 0, { { 0 } } },
        { newer, 1, SECCOMP_DO_ERRNO, EXDEV, 0, { { 0 } } },
};

static const SeccompProfile profile = { SECCOMP_DO_ERRNO, EPERM, rules, ELEMENTS(rules), 0, 0 };

/* errno of a call under @filter; negative: the signal that ended it */
static int call_under(int filter, long number, long a, long b, long c) {
        pid_t pid = fork();
        int status = 0;

        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_load(filter, NULL) < 0)
                        _exit(255);
                errno = 0;
                (void) syscall(number, a, b, c, 0, 0, 0);
                /* before _exit() a sanitizer asks for the signal stack, which the filter refuses */
                (void) syscall(SYS_exit_group, errno);
                _exit(255);
        }
        (void) waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_rules(int filter) {
        is_number(call_under(filter, SYS_getppid, 0, 0, 0), 0, "what is allowed works");
        is_number(call_under(filter, SYS_getuid, 0, 0, 0), EPERM,
                  "what is not named has the default");
        is_number(call_under(filter, SYS_chown, 0, 0, 0), EXDEV, "a rule has its own errno");
        is_number(call_under(filter, SYS_socket, AF_UNIX, SOCK_STREAM, 0), 0,
                  "an argument is allowed");
        is_number(call_under(filter, SYS_socket, AF_INET, SOCK_STREAM, 0), EDOM, "and refused");
        is_number(call_under(filter, SYS_socket, AF_INET6, SOCK_STREAM, 0), EXDEV,
                  "two conditions of one argument");
        is_number(call_under(filter, SYS_socket, AF_PACKET, SOCK_RAW, 0), EPERM,
                  "another argument");
        is_number(call_under(filter, 452, 0, 0, 0), EXDEV,
                  "a call newer than the library is known");
        is_number(call_under(filter, SYS_clone3, 0, 0, 0), ENOSYS, "clone3 cannot be allowed");
}

static void test_form(void) {
        const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
        autoclose int fd = -EBADF;
        autofree char *unknown = NULL;
        Error err = ERROR_EMPTY;
        struct stat st;

        is_number(seccomp_compile(&profile, &fd, &unknown, &err), 0, "a profile compiles");
        is_text(unknown,
                "clone3: answers ENOSYS, for no filter can read its flags\n"
                "calls that are not known here: no_such_call, other_missing",
                "what could not be done is noted");
        ok(fstat(fd, &st) == 0 && st.st_size > 0 &&
                   st.st_size % (off_t) sizeof(struct sock_filter) == 0,
           "it is whole instructions");
        ok((fcntl(fd, F_GET_SEALS) & seals) == seals, "it is sealed");
        test_rules(fd);
}

static void refuse(const SeccompRule *rule, const char *what) {
        const SeccompProfile bad = { SECCOMP_DO_ALLOW, 0, rule, 1, 0, 0 };
        Error err = ERROR_EMPTY;
        int fd = -2;

        is_number(seccomp_compile(&bad, &fd, NULL, &err), -EINVAL, what);
        is_number(fd, -2, "and gives nothing back");
}

static void test_bad(void) {
        SeccompRule rule = {
                chown_call, 1, SECCOMP_DO_ERRNO, 1, 1, { { 6, SECCOMP_OP_EQ, 0, 0 } }
        };
        const SeccompProfile no_default = { 99, 0, &rule, 1, 0, 0 };
        int fd = -2;

        refuse(&rule, "a seventh argument is refused");
        rule.args[0] = (SeccompArg){ 0, 0, 0, 0 };
        refuse(&rule, "an unknown comparison is refused");
        rule.args[0] = (SeccompArg){ 0, SECCOMP_OP_EQ, 0, 0 };
        rule.n_args = 7;
        refuse(&rule, "seven conditions are refused");
        rule.n_args = 0;
        rule.action = 99;
        refuse(&rule, "an unknown action is refused");
        is_number(seccomp_compile(&no_default, &fd, NULL, NULL), -EINVAL,
                  "an unknown default action is refused");
}

int main(void) {
        test_form();
        test_bad();
        return tap_end();
}
