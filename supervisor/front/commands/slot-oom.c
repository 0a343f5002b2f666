/*
 * slot-oom: see slot-oom.h.
 *
 * The eventfd says that memory has run out in the group or in one above it, and it says so before the kernel
 * has chosen whom to kill. Whether it is one of ours is told by the group's own counter, a moment later: so
 * that is read at once, and then after 1, 2, 4 … milliseconds, for two seconds. What has not risen by then was
 * another group's, or memory was found after all.
 *
 * LIMIT: a kill that comes later than that ends its process alone, as all of them do without us.
 */
#include "supervisor/front/commands/slot-oom.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fds.h"

#define FIRST_USEC 1000
#define LAST_USEC  1024000
#define ACCURACY   500

struct SlotOom {
        SlotOomSpec spec;
        sd_event_source *heard; /* owned, like later */
        sd_event_source *later; /* on while a kill may be coming */
        uint64_t before;        /* of the counter */
        uint64_t wait_usec;     /* of the next look, when it has none to tell */
};

SlotOom *slot_oom_free(SlotOom *oom) {
        if (!oom)
                return NULL;
        sd_event_source_disable_unref(oom->heard);
        sd_event_source_disable_unref(oom->later);
        free(oom);
        return NULL;
}

/* The receiver may free us. */
static int look(SlotOom *oom) {
        uint64_t now = oom->before;

        (void) fd_read_keyed(oom->spec.counter_fd, "oom_kill", &now);
        if (now > oom->before) {
                (void) sd_event_source_set_enabled(oom->heard, SD_EVENT_OFF);
                oom->spec.killed(oom->spec.userdata);
                return 0;
        }
        if (oom->wait_usec > LAST_USEC)
                return 0;
        (void) sd_event_source_set_time_relative(oom->later, oom->wait_usec);
        oom->wait_usec *= 2;
        return sd_event_source_set_enabled(oom->later, SD_EVENT_ONESHOT);
}

static int on_later(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        return look(userdata);
}

static int on_heard(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        SlotOom *oom = userdata;
        uint64_t times;

        (void) source;
        (void) events;
        (void) !read(fd, &times, sizeof times);
        oom->wait_usec = FIRST_USEC;
        return look(oom);
}

int slot_oom_new(const SlotOomSpec *spec, SlotOom **ret) {
        SCOPED(slot_oom_free) SlotOom *oom = calloc(1, sizeof(SlotOom));
        int r;

        if (!oom)
                return -ENOMEM;
        oom->spec = *spec;
        r = fd_read_keyed(spec->counter_fd, "oom_kill", &oom->before);
        if (r >= 0)
                r = sd_event_add_time_relative(spec->event, &oom->later, CLOCK_MONOTONIC, 0,
                                               ACCURACY, on_later, oom);
        if (r >= 0)
                r = sd_event_source_set_enabled(oom->later, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_io(spec->event, &oom->heard, spec->event_fd, EPOLLIN, on_heard,
                                    oom);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(oom->heard, "slot-oom");
        *ret = TAKE_PTR(oom);
        return 0;
}
