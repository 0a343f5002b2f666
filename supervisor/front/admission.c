/*
 * admission: see admission.h. SO_PEERGROUPS omits the primary group, so both are looked at; no name
 * service is asked. Source: unix(7) SO_PEERCRED, socket(7) SO_PEERGROUPS.
 */
#include "supervisor/front/admission.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "supervisor/front/policy/subuid.h"

static int compare(const void *a, const void *b) {
        const uint32_t *left = a, *right = b;

        return *left < *right ? -1 : *left > *right;
}

static bool is_in(const AdmissionGroups *groups, uint32_t gid) {
        return gid != UINT32_MAX &&
               bsearch(&gid, groups->gids, groups->n, sizeof gid, compare) != NULL;
}

static int read_groups(int fd, gid_t primary, AdmissionGroups *groups, Error *err) {
        socklen_t size = CEILING_GROUPS_MAX * sizeof(gid_t);
        unsigned n, kept = 1;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups->gids, &size) < 0)
                return error_set(err, -errno, "read the groups of a client");
        n = size / sizeof(gid_t);
        groups->gids[n++] = primary;
        qsort(groups->gids, n, sizeof(gid_t), compare);
        for (unsigned i = 1; i < n; i++)
                if (groups->gids[i] != groups->gids[kept - 1])
                        groups->gids[kept++] = groups->gids[i];
        groups->n = kept;
        return 0;
}

static int check_service(const Front *front, int fd, const struct ucred *cred, Peer *peer,
                         AdmissionGroups *groups, Error *err) {
        int r = read_groups(fd, cred->gid, groups, err);

        if (r < 0)
                return r;
        peer->admin = cred->uid == 0 || is_in(groups, front->info.admin_gid);
        if (!peer->admin && !is_in(groups, front->info.warder_gid))
                return -EACCES;
        if (cred->uid != 0 && subuid_has(front->etc_fd, cred->uid))
                return error_say(
                        err, -EACCES,
                        "user id %u is a subordinate id of somebody (/etc/subuid): connect "
                        "as that user",
                        cred->uid);
        return 0;
}

int admission_check(const Front *front, int fd, Peer *ret_peer, AdmissionGroups *ret_groups,
                    Error *err) {
        struct ucred cred;
        socklen_t size = sizeof cred;
        AdmissionGroups groups = { .n = 0 };
        Error why = ERROR_EMPTY;
        Peer peer;
        int r = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return error_set(err, -errno, "read the credentials of a client");
        peer = (Peer){ .uid = cred.uid, .pid = (uint32_t) cred.pid, .admin = cred.uid == 0 };
        if (!front->info.private_call)
                r = check_service(front, fd, &cred, &peer, &groups, &why);
        else if (cred.uid != 0 && cred.uid != front->info.owner_uid)
                r = -EACCES;
        if (why.code)
                return error_say(err, why.code, "%s", why.text);
        if (r < 0)
                return error_say(err, -EACCES,
                                 "user id %u may not use this supervisor: ask its administrator "
                                 "to add you to the group warder",
                                 cred.uid);
        *ret_peer = peer;
        *ret_groups = groups;
        return 0;
}
