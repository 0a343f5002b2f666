/*
 * slot: command groups and the children that are parked in them. See park.h for what goes over a child's
 * socket, wire.h for what a front may expect of a slot.
 */
#include "sandbox/init/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"

int slot_add(Init *init, uint32_t slot, int dir) {
        Slot *s = &init->slots[slot];

        s->events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (s->events < 0)
                return -errno;
        s->dir = dir;
        return 0;
}

static int open_limits(const int *groups, unsigned n, int *fds) {
        unsigned i;

        for (i = 0; i < n; i++) {
                /* opened here, by init's id: the kernel asks who opened it, and who is moved */
                fds[i] = openat(groups[i], "cgroup.procs", O_WRONLY | O_CLOEXEC);
                if (fds[i] < 0) {
                        int r = -errno;

                        fds_close(fds, i);
                        return r;
                }
        }
        return 0;
}

int slot_narrow(Init *init, uint32_t slot, int dir, const int *groups, unsigned n) {
        Slot *s = &init->slots[slot];
        int limits[PARK_LIMITS_MAX] = { -EBADF, -EBADF }, old_dir = s->dir, old_events = s->events;
        int r;

        if (old_dir >= 0 && (!s->narrow || s->command.state != COMMAND_NONE || s->sock >= 0))
                return -EBUSY;
        r = open_limits(groups, n, limits);
        if (r == 0)
                r = slot_add(init, slot, dir);
        if (r < 0) {
                fds_close(limits, PARK_LIMITS_MAX);
                return r;
        }
        fds_close(s->limits, PARK_LIMITS_MAX);
        memcpy(s->limits, limits, sizeof(limits));
        if (old_dir >= 0) {
                (void) close(old_dir);
                (void) close(old_events);
        }
        s->narrow = true;
        s->killed = true; /* the directory may be another one: its groups are gone with it */
        return 0;
}

/*
 * A group of its own below the slot's. Where the slot was killed a new one is needed: the kernel (6.9 and
 * later) compares how often the parent's and the target group were killed, and kills at birth what is
 * cloned into a group that was killed more often. What cannot be removed yet is tried again later.
 */
static int fresh_group(Slot *slot) {
        char name[16];

        fds_close(&slot->group, 1);
        for (; slot->oldest < slot->serial; slot->oldest++) {
                (void) snprintf(name, sizeof(name), "%u", slot->oldest);
                if (unlinkat(slot->dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                        break;
        }
        (void) snprintf(name, sizeof(name), "%u", slot->serial++);
        if (mkdirat(slot->dir, name, 0755) < 0)
                return -errno;
        slot->group = openat(slot->dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        slot->killed = false;
        return slot->group < 0 ? -errno : 0;
}

int slot_filter(const Init *init, int sock) {
        const ParkFilter order = { .shared = init->flags & BOOT_SHARED };
        ssize_t r = fds_send(sock, &order, sizeof(order), &init->filter, 1);

        return r < 0 ? (int) r : 0;
}

void slot_park(Init *init, Slot *slot) {
        const ParkRequest request = { .kind = PARK_CHILD };
        int pair[2], fds[3 + PARK_LIMITS_MAX];
        unsigned n = 3, i;

        slot->want = false;
        if (slot->sock >= 0 || slot->dir < 0 ||
            ((slot->group < 0 || slot->killed) && fresh_group(slot) < 0) ||
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return;
        fds[0] = slot->group;
        fds[1] = pair[1];
        fds[2] = init->front;
        for (i = 0; i < PARK_LIMITS_MAX; i++)
                if (slot->limits[i] >= 0)
                        fds[n++] = slot->limits[i];
        if (fds_send(init->spawner, &request, sizeof(request), fds, n) < 0 ||
            (init->filter >= 0 && slot_filter(init, pair[0]) < 0)) {
                fds_close(pair, 2);
                return;
        }
        (void) close(pair[1]);
        slot->sock = pair[0];
        slot->pid = 0;
        slot->taken = false;
}

void park_idle(Init *init) {
        Slot *next = NULL;
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                Slot *slot = &init->slots[i];

                if (slot->want && (!next || slot->used < next->used))
                        next = slot;
        }
        if (next)
                slot_park(init, next);
}

/*
 * The front takes the free slot that was used longest ago: that one gets a child. Where a command left something
 * the front waits until the group is empty; a child in it would keep it from ever being so.
 */
void slot_want_next(Init *init) {
        Slot *next = NULL;
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                Slot *slot = &init->slots[i];

                if (slot->dir >= 0 && !slot->narrow && !slot->left &&
                    slot->command.state == COMMAND_NONE && (!next || slot->used < next->used))
                        next = slot;
        }
        if (next && next->sock < 0)
                next->want = true;
}
