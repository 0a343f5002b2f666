/*
 * priv-caps: see priv-caps.h.
 */
#include "sandbox/priv-caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INIT_CAPS                                                                             \
        (CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_CHOWN) | \
         CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER))
/* mounting and setns; what an overlay's copy-up borrows from its maker */
#define BUILDER_CAPS                                                             \
        (CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_CHOWN) | \
         CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID))
#define CAPS_ALL (~0ull)

#define SECUREBITS                                                       \
        (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED)

#define DROPPED_BITS                                                            \
        (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | \
         SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |                \
         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

int caps_set(uint64_t held, uint64_t inheritable, Error *err) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];
        unsigned i;

        for (i = 0; i < 2; i++) {
                data[i].permitted = data[i].effective = (uint32_t) (held >> (32 * i));
                data[i].inheritable = (uint32_t) (inheritable >> (32 * i));
        }
        if (syscall(SYS_capset, &head, data) < 0)
                return error_set(err, -errno, "set capabilities");
        return 0;
}

int caps_bound(uint64_t keep, Error *err) {
        unsigned cap;

        for (cap = 0; cap < 64; cap++) /* those that this kernel does not know are EINVAL */
                if (!(keep & CAP_BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
                    errno != EINVAL)
                        return error_set(err, -errno, "narrow the bounding set");
        return 0;
}

int caps_narrow(uint64_t keep, Error *err) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { 0 } };
        int r;

        if (syscall(SYS_capget, &head, data) < 0)
                return error_set(err, -errno, "read own capabilities");
        keep &= data[0].permitted | (uint64_t) data[1].permitted << 32;
        r = caps_bound(keep, err);
        return r < 0 ? r : caps_set(keep, 0, err);
}

int caps_drop(uint32_t uid, uint32_t gid) {
        int r = caps_bound(0, NULL);

        if (r < 0)
                return r;
        if (prctl(PR_SET_SECUREBITS, DROPPED_BITS, 0, 0, 0) < 0 ||
            syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
            syscall(SYS_setresuid, uid, uid, uid) < 0 || caps_set(0, 0, NULL) < 0)
                return -errno;
        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

int caps_of_builder(Error *err) {
        if (prctl(PR_SET_SECUREBITS, SECUREBITS) < 0)
                return error_set(err, -errno, "lock securebits");
        return caps_set(BUILDER_CAPS, 0, err);
}

int caps_of_init(const Shell *shell, Error *err) {
        unsigned cap;
        int r;

        if (setns(shell->userns, CLONE_NEWUSER) < 0)
                return error_set(err, -errno, "enter the jail's user namespace");
        if (prctl(PR_SET_SECUREBITS, SECUREBITS) < 0)
                return error_set(err, -errno, "lock securebits");
        if (syscall(SYS_setgroups, 0, NULL) < 0 ||
            syscall(SYS_setresgid, JAIL_INIT_ID, JAIL_INIT_ID, JAIL_INIT_ID) < 0 ||
            syscall(SYS_setresuid, JAIL_INIT_ID, JAIL_INIT_ID, JAIL_INIT_ID) < 0)
                return error_set(err, -errno, "take init's id");
        /* inheritable must be raised while the bounding set allows it, ambient follows inheritable */
        r = caps_set(CAPS_ALL >> (63 - CAP_LAST_CAP), INIT_CAPS, err);
        if (r < 0)
                return r;
        r = caps_bound(0, err);
        if (r < 0)
                return r;
        for (cap = 0; cap < 64; cap++)
                if ((INIT_CAPS & CAP_BIT(cap)) &&
                    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
                        return error_set(err, -errno, "make a capability of init ambient");
        if (prctl(PR_SET_SECUREBITS, SECUREBITS | SECBIT_NO_CAP_AMBIENT_RAISE |
                                             SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED) < 0)
                return error_set(err, -errno, "lock securebits");
        return caps_set(INIT_CAPS, INIT_CAPS, err);
}
