/*
 * sandbox: see jail.h and sandbox.h. Start and end of what all jails of one monitor share.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/landlock.h"
#include "sandbox/priv-mount.h"
#include "sandbox/priv-userns.h"
#include "sandbox/skeleton.h"

#define INIT_BINARY_MAX (16u << 20)

/* What building a jail needs of this process; a container often lacks some. */
static int check_capabilities(Error *err) {
        static const struct {
                unsigned cap;
                const char *name;
        } needed[] = { { CAP_SYS_ADMIN, "CAP_SYS_ADMIN" }, { CAP_CHOWN, "CAP_CHOWN" },
                       { CAP_SETUID, "CAP_SETUID" },       { CAP_SETGID, "CAP_SETGID" },
                       { CAP_NET_ADMIN, "CAP_NET_ADMIN" }, { CAP_MKNOD, "CAP_MKNOD" },
                       { CAP_SETPCAP, "CAP_SETPCAP" },     { CAP_SYS_CHROOT, "CAP_SYS_CHROOT" },
                       { CAP_FOWNER, "CAP_FOWNER" },       { CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" },
                       { CAP_FSETID, "CAP_FSETID" },       { CAP_SYS_PTRACE, "CAP_SYS_PTRACE" } };
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { 0 } };
        unsigned i;

        if (syscall(SYS_capget, &head, data) < 0)
                return error_set(err, -errno, "read own capabilities");
        for (i = 0; i < ELEMENTS(needed); i++)
                if (!(data[needed[i].cap / 32].effective & BIT(needed[i].cap % 32)))
                        return error_say(err, -EPERM,
                                         "%s is missing: run as root, and in a container with that "
                                         "capability",
                                         needed[i].name);
        return 0;
}

/* Two living supervisors of one name would sweep each other's groups. */
static int lock_instance(Sandbox *sandbox, const SandboxConfig *config, Error *err) {
        struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        struct stat st = { .st_nlink = 0 };
        size_t n = strlen(config->instance);

        if (n == 0 || n > 32 ||
            strspn(config->instance, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
                return error_say(err, -EINVAL, "instance name: 1 to 32 of [a-z0-9-]");
        (void) snprintf(sandbox->lock_name, sizeof(sandbox->lock_name), "instance-%s",
                        config->instance);
        while (st.st_nlink == 0) { /* one that ended took the name away just now */
                autoclose int fd = openat(config->ids_fd, sandbox->lock_name,
                                          O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

                if (fd < 0)
                        return error_set(err, -errno, "open the lock of this instance");
                /* a lock of this process, not of the file: no shell that outlives it for a moment has it */
                if (fcntl(fd, F_SETLK, &whole) < 0)
                        return error_say(err, -errno,
                                         "a supervisor named \"%s\" is running already on this "
                                         "host: give this one another name (--instance, "
                                         "WARDER_INSTANCE)",
                                         config->instance);
                if (fstat(fd, &st) == 0 && st.st_nlink > 0)
                        sandbox->lock = TAKE_FD(fd);
        }
        return 0;
}

/* Readable by nobody, so that init is not dumpable from its first instruction on. */
static int take_init(Sandbox *sandbox, const SandboxConfig *config, Error *err) {
        sandbox->exe =
                memfd_sealed_from("warder-init", config->init_fd, INIT_BINARY_MAX, true, err);
        if (sandbox->exe < 0)
                return sandbox->exe;
        if (fchmod(sandbox->exe, 0111) < 0)
                return error_set(err, -errno, "make init unreadable");
        return 0;
}

static int open_host(Sandbox *sandbox, const SandboxConfig *config, Error *err) {
        const IdMap any = { .outside_uid = config->id_base,
                            .outside_gid = config->id_base,
                            .count = JAIL_IDS };
        autoclose int map = -EBADF;
        int r = hierarchy_init(&sandbox->hierarchy, config->instance, err);

        if (r < 0)
                return error_add(err, r, "control groups");
        sandbox->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (sandbox->proc < 0)
                return error_set(err, -errno, "open /proc");
        sandbox->store = fcntl(config->store_fd, F_DUPFD_CLOEXEC, 3);
        if (sandbox->store < 0)
                return error_set(err, -errno, "keep the store");
        map = userns_new(sandbox->proc, &any, err);
        if (map < 0)
                return map;
        sandbox->user_xattr = mount_has_user_xattr();
        sandbox->facts = (SandboxFacts){ .cgroup_mode = sandbox->hierarchy.mode,
                                         .landlock_abi = landlock_abi(),
                                         .upper_map = mount_has_map(map),
                                         .store_id = config->id_base };
        return 0;
}

int sandbox_new(const SandboxConfig *config, Sandbox **ret, Error *err) {
        SCOPED(sandbox_free) Sandbox *sandbox = calloc(1, sizeof(*sandbox));
        int r;

        if (!sandbox)
                return error_set(err, -ENOMEM, "start the sandbox");
        sandbox->hierarchy = HIERARCHY_EMPTY;
        sandbox->ids = ID_POOL_EMPTY;
        sandbox->exe = sandbox->proc = sandbox->store = sandbox->lock = -EBADF;
        sandbox->ids_dir = config->ids_fd;
        sandbox->next = 1;
        r = check_capabilities(err);
        if (r == 0)
                r = lock_instance(sandbox, config, err);
        if (r == 0)
                r = take_init(sandbox, config, err);
        if (r == 0)
                r = ids_init(&sandbox->ids, config->ids_fd, config->id_base, config->id_ranges,
                             err);
        if (r == 0)
                r = skeleton_make(config->store_fd, config->id_base, err);
        if (r == 0)
                r = open_host(sandbox, config, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(sandbox);
        return 0;
}

Sandbox *sandbox_free(Sandbox *sandbox) {
        if (!sandbox)
                return NULL;
        hierarchy_deinit(&sandbox->hierarchy);
        ids_deinit(&sandbox->ids);
        fds_close(&sandbox->exe, 1);
        fds_close(&sandbox->proc, 1);
        fds_close(&sandbox->store, 1);
        if (sandbox->lock >= 0) /* only now: the groups of this name are gone */
                (void) unlinkat(sandbox->ids_dir, sandbox->lock_name, 0);
        fds_close(&sandbox->lock, 1);
        free(sandbox);
        return NULL;
}

const SandboxFacts *sandbox_facts(const Sandbox *sandbox) {
        return &sandbox->facts;
}

int sandbox_claim_ids(Sandbox *sandbox, uint32_t n, uint32_t *ret_first, Error *err) {
        return ids_single(&sandbox->ids, n, ret_first, err);
}
