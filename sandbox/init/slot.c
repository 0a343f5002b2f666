/*
 * slot: command groups and the children that are parked in them. See park.h for what goes over a child's
 * socket, wire.h for what a front may expect of a slot.
 */
#include "sandbox/init/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
                if (unlinkat(slot->dir, name, AT_REMOVEDIR) < 0)
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
        int pair[2], fds[2];

        slot->want = false;
        if (slot->sock >= 0 || slot->dir < 0 ||
            ((slot->group < 0 || slot->killed) && fresh_group(slot) < 0) ||
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return;
        fds[0] = slot->group;
        fds[1] = pair[1];
        if (fds_send(init->spawner, &request, sizeof(request), fds, 2) < 0 ||
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

/* The front takes the free slot that was used longest ago: that one gets a child. */
void slot_want_next(Init *init) {
        Slot *next = NULL;
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                Slot *slot = &init->slots[i];

                if (slot->dir >= 0 && slot->command.state == COMMAND_NONE &&
                    (!next || slot->used < next->used))
                        next = slot;
        }
        if (next && next->sock < 0)
                next->want = true;
}
