/*
 * landlock: see landlock.h.
 *
 * Theory of operation. The spawner enters one domain before it clones its first child, so all commands of a
 * jail are in that very domain and nobody else is: they signal, trace and talk to each other as before. Init
 * and the builder are outside: init signals commands, commands do not signal it.
 *
 * The domain is made before any plan is known, off the path of a create. That works because of S
 * (priv-root.c): whatever a plan mounts lies below it, and a rule on a directory holds for all that is
 * mounted below. What the domain takes away:
 *
 *   files     every open, link, rename, removal, truncation of what does not lie below S: a descriptor of a
 *             directory of the host, or of another jail, leads nowhere, and a file that a client handed
 *             over stays open but cannot be opened anew through /proc/self/fd with more rights than it has
 *   devices   making block devices anywhere; ioctl(2) of devices opened outside /dev (ABI 5)
 *   signals   to init and to any process that is not this jail's command (ABI 6)
 *   sockets   abstract Unix sockets of anybody else (ABI 6)
 *   tracing   of any process outside the domain: the kernel adds this to every domain
 *
 * LIMIT: rules only add up on the way from a file to the root, and the root of a jail is writable. So no rule
 * can make a part of it read-only: /usr of the host, /proc/sys and layers without an upper have the mount's
 * flags alone.
 *
 * POSIX message queues lie in a file system of their IPC namespace that is mounted nowhere: a rule of its own.
 *
 * Cost, measured: a ruleset and its rules 5 to 15 µs, entering it 10 to 20, all in the making of a shell; then
 * 0.35 µs for each open, nothing for a stat.
 *
 * Character devices may be "made", because that is what a whiteout of an overlay is; the kernel lets
 * nobody without CAP_MKNOD make a real one, and no mount but /dev lets one be opened.
 */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/priv-mount.h"

/* The kernel's interface, newer than the headers of the oldest system that we build on. */
#define ASK_VERSION    1u
#define RULE_BENEATH   1
#define FS_MAKE_BLOCK  (1ull << 11)
#define FS_ABI_2       ((1ull << 14) - 1) /* up to REFER */
#define FS_TRUNCATE    (1ull << 14)       /* ABI 3 */
#define FS_IOCTL_DEV   (1ull << 15)       /* ABI 5 */
#define SCOPE_ABSTRACT (1ull << 0)        /* ABI 6 */
#define SCOPE_SIGNAL   (1ull << 1)

typedef struct RulesetAttr {
        uint64_t handled_fs;
        uint64_t handled_net; /* the network namespace is the jail's own: nothing to add */
        uint64_t scoped;
} RulesetAttr;

typedef struct BeneathAttr {
        uint64_t allowed;
        int32_t parent;
} __attribute__((packed)) BeneathAttr;

uint32_t landlock_abi(void) {
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

        return abi >= 2 ? (uint32_t) abi : 0;
}

static int allow(int ruleset, int dir, uint64_t rights, const char *what, Error *err) {
        const BeneathAttr rule = { .allowed = rights, .parent = dir };

        if (syscall(SYS_landlock_add_rule, ruleset, RULE_BENEATH, &rule, 0) < 0)
                return error_set(err, -errno, "allow %s by a Landlock rule", what);
        return 0;
}

static RulesetAttr handled(uint32_t abi) {
        return (RulesetAttr){ .handled_fs = FS_ABI_2 | (abi >= 3 ? FS_TRUNCATE : 0) |
                                            (abi >= 5 ? FS_IOCTL_DEV : 0),
                              .scoped = abi >= 6 ? SCOPE_ABSTRACT | SCOPE_SIGNAL : 0 };
}

/* The root of the jail's message queues; -ENODEV: this kernel has none. */
static int open_queues(Error *err) {
        const MountOption options[] = { { 0 } };
        Error own = ERROR_EMPTY;
        int fd = mount_new("mqueue", options,
                           MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &own);

        if (fd < 0 && own.code != -ENODEV)
                *err = own;
        return fd;
}

static int allow_queues(int ruleset, uint64_t rights, Error *err) {
        autoclose int queues = open_queues(err);

        if (queues == -ENODEV)
                return 0;
        return queues < 0 ? queues : allow(ruleset, queues, rights, "message queues", err);
}

int landlock_confine(const Shell *shell, Error *err) {
        const RulesetAttr attr = handled(shell->landlock_abi);
        autoclose int dev = -EBADF, ruleset = -EBADF;
        int r;

        if (shell->landlock_abi == 0)
                return 0;
        dev = openat(shell->root, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dev < 0)
                return error_set(err, -errno, "open the shell's /dev");
        ruleset = (int) syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
        if (ruleset < 0)
                return error_set(err, -errno, "make a Landlock ruleset");
        r = allow(ruleset, shell->stand, attr.handled_fs & ~(FS_MAKE_BLOCK | FS_IOCTL_DEV),
                  "the jail's own files", err);
        if (r == 0)
                r = allow_queues(ruleset, attr.handled_fs & ~(FS_MAKE_BLOCK | FS_IOCTL_DEV), err);
        if (r == 0 && (attr.handled_fs & FS_IOCTL_DEV))
                r = allow(ruleset, dev, FS_IOCTL_DEV, "the jail's own devices", err);
        if (r < 0)
                return r;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
                return error_set(err, -errno, "enter the jail's Landlock domain");
        return 0;
}
