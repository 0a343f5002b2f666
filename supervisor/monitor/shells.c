/*
 * shells: see shells.h. A create takes a shell at once and the next ones are made a moment later, several
 * at a time, so that their clones do not compete with the command that the create was for.
 */
#include "supervisor/monitor/shells.h"

#include <time.h>

#include "base/log.h"
#include "supervisor/monitor/jails.h"

#define RETRY_USEC 1000000

static unsigned count_shells(const Monitor *monitor) {
        unsigned n = 0;

        for (const Entry *entry = monitor->shells; entry; entry = entry->next_shell)
                n++;
        return n;
}

static int on_refill(sd_event_source *source, uint64_t usec, void *userdata) {
        Monitor *monitor = userdata;
        Error err = ERROR_EMPTY;
        Entry *entry;

        (void) usec;
        monitor->refill = sd_event_source_disable_unref(source);
        for (unsigned n = count_shells(monitor); n < monitor->config->shells; n++) {
                if (monitor->phase != PHASE_SERVING ||
                    entry_new_shell(monitor, NULL, &entry, &err) == 0)
                        continue;
                log_event(LOG_WARNING, "no shell could be made", F_ERR(&err));
                shells_refill(monitor, RETRY_USEC);
                break;
        }
        return 0;
}

void shells_refill(Monitor *monitor, uint64_t delay_usec) {
        if (monitor->refill && delay_usec >= monitor->refill_usec)
                return; /* not put off: under a steady load there would never be a refill */
        monitor->refill_usec = delay_usec;
        monitor->refill = sd_event_source_disable_unref(monitor->refill);
        if (sd_event_add_time_relative(monitor->event, &monitor->refill, CLOCK_MONOTONIC,
                                       delay_usec, delay_usec / 4, on_refill, monitor) >= 0)
                (void) sd_event_source_set_description(monitor->refill, "refill of the shells");
}

/* The jail whose ids a new one must have to show its upper, a mapped one on a disk say; NULL: any ids will do. */
static Entry *must_be_like(const Monitor *monitor, const Plan *plan) {
        for (unsigned i = 0; i < plan->n_layers; i++) {
                Entry *other = plan->layers[i].kind == LAYER_UPPER
                                       ? entry_find(monitor, plan->layers[i].handle)
                                       : NULL;

                if (other && (!sandbox_facts(monitor->sandbox)->upper_map ||
                              (other->request && plan_disk(&other->request->plan) >= 0)))
                        return other;
        }
        return NULL;
}

int shells_take(Monitor *monitor, const Plan *plan, Entry **ret, Error *err) {
        Entry *best = NULL, *like = must_be_like(monitor, plan);
        int r = 0;

        if (like)
                r = entry_new_shell(monitor, like, &best, err);
        for (Entry *entry = monitor->shells; entry && !like; entry = entry->next_shell) {
                /* what it took of the host matters to a host root alone */
                JailState state = plan->flags & PLAN_HOST_ROOT ? jail_shell_state(entry->jail)
                                                               : jail_state(entry->jail);

                if (state == JAIL_SHELL || (state == JAIL_SHELL_STARTING && !best))
                        best = entry;
                if (state == JAIL_SHELL)
                        break;
        }
        if (!best && r >= 0)
                r = entry_new_shell(monitor, NULL, &best, err);
        if (r < 0)
                return r;
        entry_name(best);
        shells_refill(monitor, count_shells(monitor) > 1 ? REFILL_LATE_USEC : REFILL_USEC);
        *ret = best;
        return 0;
}
