#pragma once
/*
 * host-room: has the host room for more jails now, by its rules ("host" of ceilings.json). For turns.c.
 */
#include "supervisor/front/front.h"
#include "supervisor/front/policy/ceilings.h"

#define HOST_WHY_MAX 160

typedef struct HostNeed { /* of jails that are to be made together */
        unsigned jails;
        uint64_t memory; /* all that they may take */
} HostNeed;

typedef struct HostFull { /* why there is no room */
        const char *which;
        bool for_ever; /* it would not fit an empty host */
        bool is_own;   /* the host has room, but for what it still holds of this user's */
        char why[HOST_WHY_MAX];
} HostFull;

/** host_full_say() - write down why. Returns: true */
bool host_full_say(HostFull *full, const char *which, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/** host_rules_now() - those that hold now */
int host_rules_now(Front *front, HostRules *ret, Error *err);
/** host_is_full() - for so many jails more; then @full says why */
bool host_is_full(const Front *front, const HostRules *rules, const HostNeed *need, HostFull *full);
