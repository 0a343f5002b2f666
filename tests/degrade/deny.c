/*
 * deny: runs a program on a kernel that lacks system calls: a filter answers them with ENOSYS, or with EPERM as
 * a container's profile does; all that the program starts inherits it.
 *
 *     deny NAME[,NAME...] ENOSYS|EPERM PROGRAM [ARGUMENT...]
 *     deny NAME           check           prints the errno of the call, made with arguments that are wrong
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 16

static const struct {
        const char *name;
        unsigned number;
} calls[] = {
        { "openat2", SYS_openat2 },
        { "clone3", SYS_clone3 },
        { "landlock", SYS_landlock_create_ruleset },
        { "mount_setattr", SYS_mount_setattr },
        { "fsopen", SYS_fsopen },
        { "fsmount", SYS_fsmount },
        { "open_tree", SYS_open_tree },
        { "move_mount", SYS_move_mount },
        { "pidfd_open", SYS_pidfd_open },
        { "close_range", SYS_close_range },
        { "fgetxattr", SYS_fgetxattr },
};

static int number_of(const char *name) {
        for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
                if (strcmp(calls[i].name, name) == 0)
                        return (int) calls[i].number;
        return -1;
}

static int load(char *names, unsigned answer) {
        struct sock_filter program[2 * CALLS_MAX + 2];
        struct sock_fprog filter = { 0, program };
        unsigned short n = 0;

        program[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                     offsetof(struct seccomp_data, nr));
        for (char *name = strtok(names, ","); name && n < 2 * CALLS_MAX; name = strtok(NULL, ",")) {
                int number = number_of(name);

                if (number < 0)
                        return -EINVAL;
                program[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                             (unsigned) number, 0, 1);
                program[n++] =
                        (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | answer);
        }
        program[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        filter.len = n;
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0 ? -errno : 0;
}

int main(int argc, char **argv) {
        int r;

        if (argc == 3 && strcmp(argv[2], "check") == 0) {
                r = number_of(argv[1]);
                errno = 0;
                (void) syscall(r, -1L, NULL, -1L, NULL, 0L);
                return puts(strerrorname_np(errno)) < 0 || r < 0;
        }
        if (argc < 4)
                return 2;
        r = load(argv[1], strcmp(argv[2], "EPERM") == 0 ? EPERM : ENOSYS);
        if (r < 0) {
                (void) fprintf(stderr, "deny: %s\n", strerror(-r));
                return 2;
        }
        (void) execvp(argv[3], argv + 3);
        return 127;
}
