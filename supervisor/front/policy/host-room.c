/*
 * host-room: see host-room.h.
 */
#include "supervisor/front/policy/host-room.h"

#include <stdarg.h>
#include <stdio.h>

#include "supervisor/front/commands/pressure.h"
#include "supervisor/front/policy/quotas.h"

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

bool host_is_full(const Front *front, const HostRules *rules, uint64_t memory, HostFull *full) {
        const QuotaTotals *totals = quotas_totals(front->quotas);
        uint64_t available;

        if (rules->jails && totals->jails >= rules->jails)
                return host_full_say(full, "jails", "as many jails run as this host may have");
        full->for_ever = rules->memory && memory > rules->memory;
        if (rules->memory && (full->for_ever || totals->memory > rules->memory - memory))
                return host_full_say(
                        full, "memory",
                        "the memory limits of all jails together are as large as this host "
                        "allows");
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
