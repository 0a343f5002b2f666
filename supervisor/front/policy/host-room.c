/*
 * host-room: see host-room.h.
 */
#include "supervisor/front/policy/host-room.h"

#include <stdarg.h>
#include <stdio.h>

#include "supervisor/front/commands/pressure.h"
#include "supervisor/front/policy/accounts.h"

bool host_full_say(HostFull *full, const char *which, const char *format, ...) {
        va_list args;

        full->which = which;
        va_start(args, format);
        (void) vsnprintf(full->why, sizeof full->why, format, args);
        va_end(args);
        return true;
}

static bool is_pressed(const Pressure *pressure, const HostRules *rules, HostFull *full) {
        for (unsigned i = 0; i < _RESOURCE_MAX; i++) {
                unsigned some = rules->pressure[i] ? pressure_some(pressure, i) : 0;

                if (rules->pressure[i] && some >= rules->pressure[i])
                        return host_full_say(
                                full, "pressure",
                                "%u%% of the time somebody waits for %s (PSI some avg10; "
                                "at most %u%%)",
                                some, pressure_name(i), rules->pressure[i]);
        }
        return false;
}

static bool has_too_many(const AccountTotals *totals, const HostRules *rules, unsigned more,
                         HostFull *full) {
        if (rules->jails == 0)
                return false;
        full->for_ever = more > rules->jails;
        if (full->for_ever)
                return host_full_say(full, "jails", "it may have %llu jails at a time",
                                     (unsigned long long) rules->jails);
        if (totals->jails <= rules->jails - more)
                return false;
        return host_full_say(full, "jails",
                             more == 1 ? "as many jails run as this host may have"
                                       : "with %u jails more it would have more than it may",
                             more);
}

static bool has_too_much(const AccountTotals *totals, const HostRules *rules, uint64_t memory,
                         HostFull *full) {
        if (rules->memory == 0)
                return false;
        full->for_ever = memory > rules->memory;
        return (full->for_ever || totals->memory > rules->memory - memory) &&
               host_full_say(full, "memory",
                             "the memory limits of all jails together are as large as this host "
                             "allows");
}

bool host_is_full(const Front *front, const HostRules *rules, const HostNeed *need,
                  HostFull *full) {
        const AccountTotals *totals = accounts_totals(front->accounts);
        uint64_t available;

        if (has_too_many(totals, rules, need->jails, full) ||
            has_too_much(totals, rules, need->memory, full))
                return true;
        available = rules->reserve ? pressure_available(front->pressure) : UINT64_MAX;
        if (available < rules->reserve)
                return host_full_say(full, "memory",
                                     "too little of the host's memory is available");
        return is_pressed(front->pressure, rules, full);
}

int host_rules_now(Front *front, HostRules *ret, Error *err) {
        const Ceilings *ceilings;
        int r = ceilings_file_now(front->ceilings, &ceilings, err);

        if (r >= 0)
                ceilings_host(ceilings, &front->info, ret);
        return r;
}
