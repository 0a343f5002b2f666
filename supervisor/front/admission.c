/*
 * admission: see admission.h. SO_PEERGROUPS omits the primary group, so both are looked at; no name
 * service is asked. Source: unix(7) SO_PEERCRED, socket(7) SO_PEERGROUPS.
 */
#include "supervisor/front/admission.h"

#include <sys/socket.h>

#define GROUPS_MAX \
        1024 /* supplementary groups that are looked at; the kernel's own maximum is 65536 */

typedef struct Groups {
        gid_t primary;
        gid_t items[GROUPS_MAX];
        unsigned n;
} Groups;

static bool is_in(const Groups *groups, uint32_t gid) {
        if (gid == UINT32_MAX)
                return false;
        if (groups->primary == gid)
                return true;
        for (unsigned i = 0; i < groups->n; i++)
                if (groups->items[i] == gid)
                        return true;
        return false;
}

static int read_groups(int fd, Groups *groups, Error *err) {
        socklen_t size = sizeof groups->items;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups->items, &size) < 0)
                return error_set(err, -errno, "read the groups of a client");
        groups->n = size / sizeof(gid_t);
        return 0;
}

int admission_check(const FrontInfo *info, int fd, Peer *ret_peer, Error *err) {
        struct ucred cred;
        socklen_t size = sizeof cred;
        Groups groups = { 0 };
        bool may, admin;
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return error_set(err, -errno, "read the credentials of a client");
        admin = may = cred.uid == 0;
        if (info->private_call) {
                may = may || cred.uid == info->owner_uid;
        } else if (!may) {
                groups.primary = cred.gid;
                r = read_groups(fd, &groups, err);
                if (r < 0)
                        return r;
                admin = is_in(&groups, info->admin_gid);
                may = admin || is_in(&groups, info->warder_gid);
        }
        if (!may)
                return error_say(err, -EACCES,
                                 "user id %u may not use this supervisor: ask its administrator "
                                 "to add you to the group warder",
                                 cred.uid);
        *ret_peer = (Peer){ .uid = cred.uid, .pid = (uint32_t) cred.pid, .admin = admin };
        return 0;
}
