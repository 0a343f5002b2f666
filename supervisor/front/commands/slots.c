/*
 * slots: see slots.h.
 *
 *   FREE -> RUNNING    slots_take(): a command is in it
 *   RUNNING -> FREE    slot_release(), nothing of the command is left in the group
 *   RUNNING -> LEFT    slot_release(), something is: the clocks go on and end it when they run out
 *   LEFT -> FREE       seen empty when a slot is looked for
 *
 * What is left is init's word (INIT_ENDED): in a free slot a parked child waits for the next command, so
 * "populated" says nothing there. Of the free slots the one used longest ago is taken: its child is ready.
 *
 * The processor clock is no poll: with n processors a command cannot use the rest of its time sooner
 * than rest / n, so that is when the counter is read again.
 */
#include "supervisor/front/commands/slots.h"

#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/units.h"
#include "supervisor/front/commands/slot-oom.h"

#define CLOCK_ACCURACY_USEC 5000
#define CPU_CHECK_MIN_USEC  2000    /* near the limit: no closer than this */
#define DYING_USEC          2000000 /* what was killed longer ago and is still there is stuck */

typedef enum SlotState { SLOT_FREE, SLOT_RUNNING, SLOT_LEFT, _SLOT_STATE_MAX } SlotState;

struct Slot {
        Slots *slots; /* borrowed, owns us */
        unsigned number;
        SlotState state;
        uint64_t killed; /* monotonic time of the last slot_kill(); 0: not while in use */
        uint64_t used;   /* when it was taken last, by slots->turn */
        bool narrow;     /* its command has limits of its own */
        int fds[_SLOT_FD_NARROW_MAX]; /* owned: enum SlotFd; directories went to init */
        sd_event_source *wall;        /* owned, made on first use, like cpu */
        sd_event_source *cpu;
        SlotOom *oom;            /* owned; of a narrow one on v1 */
        uint64_t cpu_end;        /* value of usage_usec that ends the command */
        uint64_t wall_left_usec; /* while its wall clock stands still; 0: it does not */
        bool cpu_stands;         /* so does the other one */
        SlotLimits limits;
};

struct Slots {
        Front *front;                /* borrowed, outlives us */
        Slot *items[JAIL_SLOTS_MAX]; /* owned */
        unsigned n;
        uint64_t turn;
        bool hold; /* clocks stand still */
};

int slots_new(Front *front, Slots **ret) {
        Slots *slots = calloc(1, sizeof(Slots));

        if (!slots)
                return -ENOMEM;
        slots->front = front;
        *ret = slots;
        return 0;
}

static Slot *slot_free(Slot *slot) {
        sd_event_source_disable_unref(slot->wall);
        sd_event_source_disable_unref(slot->cpu);
        slot_oom_free(slot->oom);
        fds_close(slot->fds, _SLOT_FD_NARROW_MAX);
        free(slot);
        return NULL;
}

Slots *slots_free(Slots *slots) {
        if (!slots)
                return NULL;
        for (unsigned i = 0; i < slots->n; i++)
                slot_free(slots->items[i]);
        free(slots);
        return NULL;
}

int slots_add(Slots *slots, unsigned number, bool narrow, const int *fds_consume) {
        Slot *slot = slots->n < JAIL_SLOTS_MAX ? calloc(1, sizeof(Slot)) : NULL;

        if (!slot) {
                for (unsigned i = 0; i < _SLOT_FD_NARROW_MAX; i++)
                        if (fds_consume[i] >= 0)
                                (void) close(fds_consume[i]);
                return -ENOMEM;
        }
        *slot = (Slot){ .slots = slots, .number = number, .narrow = narrow };
        memcpy(slot->fds, fds_consume, sizeof slot->fds);
        slots->items[slots->n++] = slot;
        return 0;
}

void slot_renew(Slot *slot, const int *fds_consume) {
        slot->oom = slot_oom_free(slot->oom);
        fds_close(slot->fds, _SLOT_FD_NARROW_MAX);
        memcpy(slot->fds, fds_consume, sizeof slot->fds);
}

Slot *slots_find(Slots *slots, unsigned number) {
        for (unsigned i = 0; i < slots->n; i++)
                if (slots->items[i]->number == number)
                        return slots->items[i];
        return NULL;
}

uint64_t slots_turn(const Slots *slots) {
        return slots->turn;
}

bool slot_is_narrow(const Slot *slot) {
        return slot->narrow;
}

int slot_fd(const Slot *slot, unsigned which) {
        return slot->fds[which];
}

unsigned slots_n(const Slots *slots) {
        return slots->n;
}

unsigned slot_number(const Slot *slot) {
        return slot->number;
}

/* An unreadable counter counts as "something is left": the slot is then not used again. */
static bool is_empty(const Slot *slot) {
        uint64_t populated = 1;

        return fd_read_keyed(slot->fds[SLOT_FD_EVENTS], "populated", &populated) == 0 &&
               populated == 0;
}

static void stop_clocks(Slot *slot) {
        (void) sd_event_source_set_enabled(slot->wall, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(slot->cpu, SD_EVENT_OFF);
        slot->wall_left_usec = 0;
        slot->cpu_stands = false;
}

static void look_at_left(Slot *slot) {
        if (slot->state != SLOT_LEFT || !is_empty(slot))
                return;
        stop_clocks(slot);
        slot->state = SLOT_FREE;
}

unsigned slots_busy(Slots *slots) {
        unsigned n = 0;

        for (unsigned i = 0; i < slots->n; i++) {
                look_at_left(slots->items[i]);
                n += slots->items[i]->state != SLOT_FREE;
        }
        return n;
}

Slot *slots_take(Slots *slots, bool narrow) {
        Slot *found = NULL;

        for (unsigned i = 0; i < slots->n; i++) {
                Slot *slot = slots->items[i];

                if (slot->narrow != narrow)
                        continue;
                look_at_left(slot);
                if (slot->state == SLOT_FREE && (!found || slot->used < found->used))
                        found = slot;
        }
        if (!found)
                return NULL;
        found->used = ++slots->turn;
        found->killed = 0;
        found->state = SLOT_RUNNING;
        return found;
}

static uint64_t now_usec(const Slots *slots) {
        uint64_t now = 0;

        (void) sd_event_now(slots->front->event, CLOCK_MONOTONIC, &now);
        return now;
}

int slot_kill(Slot *slot) {
        slot->killed = now_usec(slot->slots);
        return fd_write_all(slot->fds[SLOT_FD_KILL], "1", 1);
}

bool slots_dying(Slots *slots) {
        uint64_t now = now_usec(slots);

        for (unsigned i = 0; i < slots->n; i++) {
                Slot *slot = slots->items[i];

                look_at_left(slot);
                if (slot->state != SLOT_FREE && slot->killed && now - slot->killed < DYING_USEC)
                        return true;
        }
        return false;
}

int slots_kill(Slots *slots) {
        int first = 0;

        for (unsigned i = 0; i < slots->n; i++) {
                int r = slots->items[i]->state == SLOT_FREE ? 0 : slot_kill(slots->items[i]);

                if (first == 0)
                        first = r;
        }
        return first;
}

static void reached(Slot *slot, Cause cause) {
        (void) slot_kill(slot);
        if (slot->state == SLOT_RUNNING && slot->limits.limit)
                slot->limits.limit(cause, slot->limits.userdata);
}

static void on_oom(void *userdata) {
        Slot *slot = userdata;

        if (slot->state != SLOT_FREE)
                reached(slot, CAUSE_OOM);
}

/* On v2 the kernel itself ends the whole group (memory.oom.group). */
static int watch_oom(Slot *slot) {
        const SlotOomSpec spec = { .event = slot->slots->front->event,
                                   .event_fd = slot->fds[SLOT_FD_OOM_EVENT],
                                   .counter_fd = slot->fds[SLOT_FD_OOM],
                                   .killed = on_oom,
                                   .userdata = slot };

        slot->oom = slot_oom_free(slot->oom);
        return spec.event_fd < 0 ? 0 : slot_oom_new(&spec, &slot->oom);
}

static int on_wall(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        reached(userdata, CAUSE_WALL_TIMEOUT);
        return 0;
}

static int set_clock(sd_event_source *source, uint64_t in_usec) {
        int r = sd_event_source_set_time_relative(source, in_usec);

        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Returns: microseconds until the limit can be reached, 0: it is reached. */
static uint64_t cpu_rest(const Slot *slot) {
        uint64_t used = slot->cpu_end; /* where the counter cannot be read: fail closed */
        uint64_t rest;
        uint32_t cpus = slot->slots->front->info.cpus;

        (void) fd_read_keyed(slot->fds[SLOT_FD_CPU], "usage_usec", &used);
        if (used >= slot->cpu_end)
                return 0;
        rest = (slot->cpu_end - used) / (cpus ? cpus : 1);
        return rest < CPU_CHECK_MIN_USEC ? CPU_CHECK_MIN_USEC : rest;
}

static int on_cpu(sd_event_source *source, uint64_t usec, void *userdata) {
        Slot *slot = userdata;
        uint64_t rest = cpu_rest(slot);

        (void) usec;
        if (rest == 0 || set_clock(source, rest) < 0)
                reached(slot, CAUSE_CPU_TIMEOUT);
        return 0;
}

static bool is_armed(sd_event_source *source) {
        return source && sd_event_source_get_enabled(source, NULL) > 0;
}

static void stand_still(Slot *slot) {
        uint64_t now = units_monotonic(), end = 0;

        if (is_armed(slot->wall) && sd_event_source_get_time(slot->wall, &end) >= 0) {
                slot->wall_left_usec = end > now ? end - now : 1;
                (void) sd_event_source_set_enabled(slot->wall, SD_EVENT_OFF);
        }
        if (is_armed(slot->cpu)) {
                slot->cpu_stands = true;
                (void) sd_event_source_set_enabled(slot->cpu, SD_EVENT_OFF);
        }
}

static void go_on(Slot *slot) {
        if (slot->wall_left_usec)
                (void) set_clock(slot->wall, slot->wall_left_usec);
        if (slot->cpu_stands)
                (void) set_clock(slot->cpu, CPU_CHECK_MIN_USEC); /* it looks at the counter */
        slot->wall_left_usec = 0;
        slot->cpu_stands = false;
}

static int arm(Slot *slot, sd_event_source **source, uint64_t in_usec, sd_event_time_handler_t on) {
        int r;

        if (*source)
                return set_clock(*source, in_usec);
        r = sd_event_add_time_relative(slot->slots->front->event, source, CLOCK_MONOTONIC, in_usec,
                                       CLOCK_ACCURACY_USEC, on, slot);
        if (r < 0)
                return r;
        return sd_event_source_set_description(*source, "slot-clock");
}

static int arm_cpu(Slot *slot) {
        uint64_t used;
        int r = fd_read_keyed(slot->fds[SLOT_FD_CPU], "usage_usec", &used);

        if (r < 0)
                return r;
        slot->cpu_end = used + slot->limits.cpu_usec;
        return arm(slot, &slot->cpu, cpu_rest(slot), on_cpu);
}

int slot_arm(Slot *slot, const SlotLimits *limits, Error *err) {
        int r = 0;

        slot->limits = *limits;
        stop_clocks(slot);
        if (limits->wall_usec)
                r = arm(slot, &slot->wall, limits->wall_usec, on_wall);
        if (r >= 0 && limits->cpu_usec)
                r = arm_cpu(slot);
        if (r >= 0)
                r = watch_oom(slot);
        if (r >= 0 && slot->slots->hold)
                stand_still(slot);
        return r < 0 ? error_set(err, r, "watch the command's limits") : 0;
}

bool slot_wall_left(const Slot *slot, uint64_t *ret_usec) {
        uint64_t now = units_monotonic(), end = 0;

        if (!slot->wall_left_usec &&
            (!is_armed(slot->wall) || sd_event_source_get_time(slot->wall, &end) < 0))
                return false;
        *ret_usec = slot->wall_left_usec ? slot->wall_left_usec : end > now ? end - now : 0;
        return true;
}

void slots_hold(Slots *slots, bool hold) {
        slots->hold = hold;
        for (unsigned i = 0; i < slots->n; i++)
                if (hold)
                        stand_still(slots->items[i]);
                else
                        go_on(slots->items[i]);
}

void slot_release(Slot *slot, bool left) {
        slot->limits.limit = NULL;
        slot->state = left ? SLOT_LEFT : SLOT_FREE;
        if (!left)
                stop_clocks(slot);
}
