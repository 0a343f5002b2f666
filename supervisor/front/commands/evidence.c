/*
 * evidence: see evidence.h.
 *
 * A narrow slot has counters of its own: what rose there is its command's, whoever else runs. All other
 * commands share the jail's. There a rise is a command's own if nothing else was in the jail from its start
 * to its end: no other command, and nothing that an earlier one left behind. With company the kernel does
 * not say whose process it was; then a rise is listed in `hits`, and `others` says so, and it is nobody's
 * cause, with one exception that causes.c has (the command's own process was killed, and by none of us).
 *
 * LIMIT: on cgroup v2 the first narrow slot of a jail gives every slot counters of its own. Kernels before
 * 6.11 then count a refused fork of another command there alone, where nobody looks: it is no hit, and such
 * a command is said to have exited.
 */
#include "supervisor/front/commands/evidence.h"

#include "base/fds.h"

/* What cannot be read, because its group is gone, stays as it was. */
static void read_counters(int oom, int pids, Counters *ret) {
        (void) fd_read_keyed(oom, "oom_kill", &ret->oom);
        (void) fd_read_keyed(pids, "max", &ret->pids);
}

static void read_jail(const FrontJail *jail, Counters *ret) {
        read_counters(front_jail_fd(jail, JAIL_FD_OOM), front_jail_fd(jail, JAIL_FD_PIDS_EVENTS),
                      ret);
        if (front_jail_oom_kills(jail) > ret->oom) /* the monitor's count, taken last of all */
                ret->oom = front_jail_oom_kills(jail);
}

static void read_slot(const Slot *slot, Counters *ret) {
        read_counters(slot_fd(slot, SLOT_FD_OOM), slot_fd(slot, SLOT_FD_PIDS_EVENTS), ret);
}

void evidence_begin(Evidence *evidence, const FrontJail *jail, const Slot *slot) {
        Slots *slots = front_jail_slots(jail);

        *evidence = (Evidence){ .turn = slots_turn(slots), .others = slots_busy(slots) > 1 };
        read_jail(jail, &evidence->jail);
        if (!slot_is_narrow(slot))
                return;
        read_slot(slot, &evidence->slot);
        (void) fd_read_number(slot_fd(slot, SLOT_FD_PIDS_PEAK), &evidence->pids_peak);
        (void) fd_read_number(slot_fd(slot, SLOT_FD_MEMORY_PEAK), &evidence->memory_peak);
}

static void note(CommandEnd *end, Hit hit, uint64_t rise, bool own) {
        if (rise == 0)
                return;
        end->hits |= BIT(hit);
        if (own)
                end->proved |= BIT(hit);
}

/*
 * The most processes that were in the jail at once. On v1 its group holds the spawner too, which is no
 * process of the jail's commands; it holds one that waits for a command everywhere, above the limit that was
 * asked for.
 */
static uint64_t jail_pids_peak(const FrontJail *jail) {
        bool v2 = front_jail_front(jail)->info.cgroup_mode == CGROUP_V2;
        uint64_t most = front_jail_limits(jail)->plan.pids, peak = 0;

        (void) fd_read_number(front_jail_fd(jail, JAIL_FD_PIDS_PEAK), &peak);
        if (peak > 0 && !v2)
                peak--;
        return peak < most ? peak : most;
}

/* A peak of the slot counts where it rose: the kernel keeps that of an earlier command otherwise. */
static uint64_t new_peak(int fd, uint64_t before) {
        uint64_t peak = 0;

        return fd >= 0 && fd_read_number(fd, &peak) == 0 && peak > before ? peak : 0;
}

static void read_files(const FrontJail *jail, int stat, CommandEnd *end) {
        bool v2 = front_jail_front(jail)->info.cgroup_mode == CGROUP_V2;

        (void) fd_read_keyed(stat, v2 ? "file" : "total_cache", &end->memory_files);
}

static void end_narrow(const Evidence *evidence, const FrontJail *jail, const Slot *slot,
                       CommandEnd *end) {
        Counters now = evidence->slot;

        read_slot(slot, &now);
        note(end, HIT_MEMORY, now.oom - evidence->slot.oom, true);
        note(end, HIT_PIDS, now.pids - evidence->slot.pids, true);
        end->oom_kills = now.oom - evidence->slot.oom;
        /* newer kernels count a refusal in the groups above as well */
        if (now.pids - evidence->slot.pids > end->forks_refused)
                end->forks_refused = now.pids - evidence->slot.pids;
        end->pids_peak = new_peak(slot_fd(slot, SLOT_FD_PIDS_PEAK), evidence->pids_peak);
        end->memory_peak = new_peak(slot_fd(slot, SLOT_FD_MEMORY_PEAK), evidence->memory_peak);
        end->own_counters = true;
        read_files(jail, slot_fd(slot, SLOT_FD_MEMORY_STAT), end);
}

void evidence_end(const Evidence *evidence, const FrontJail *jail, const Slot *slot,
                  CommandEnd *end) {
        bool narrow = slot && slot_is_narrow(slot);
        Counters now = evidence->jail;

        if (!slot)
                return;
        end->others = evidence->others || slots_turn(front_jail_slots(jail)) != evidence->turn;
        read_jail(jail, &now);
        end->forks_refused = now.pids - evidence->jail.pids;
        note(end, HIT_PIDS, end->forks_refused, !end->others);
        end->gave_up = front_jail_gave_up(jail);
        if (narrow) {
                end_narrow(evidence, jail, slot, end);
                if (end->gave_up && end->oom_kills == 0) { /* the spawner is counted for the jail */
                        end->oom_kills = now.oom - evidence->jail.oom;
                        note(end, HIT_MEMORY, end->oom_kills, false);
                }
                return;
        }
        end->oom_kills = now.oom - evidence->jail.oom;
        note(end, HIT_MEMORY, end->oom_kills, !end->others);
        (void) fd_read_number(front_jail_fd(jail, JAIL_FD_MEMORY_PEAK), &end->memory_peak);
        end->pids_peak = jail_pids_peak(jail);
        read_files(jail, front_jail_fd(jail, JAIL_FD_MEMORY_STAT), end);
}
