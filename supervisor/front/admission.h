#pragma once
/*
 * admission: who may use the front's socket. A private supervisor serves uid 0 and who started it; the
 * service serves uid 0 and the groups warder and warder-admin.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/policy/ceilings.h"

typedef struct AdmissionGroups { /* of a caller, sorted, the primary one too, each once */
        uint32_t gids[CEILING_GROUPS_MAX + 1];
        unsigned n;
} AdmissionGroups;

/**
 * admission_check() - who is behind a connection
 *
 * A subordinate id of /etc/subuid is turned away: its owner can become any of thousands of them and keep
 * the group warder, and each would have quotas of its own.
 *
 * Returns: 0, -EACCES with a sentence, negative errno.
 */
int admission_check(const Front *front, int fd, Peer *ret_peer, AdmissionGroups *ret_groups,
                    Error *err);
