#pragma once
/*
 * slot-oom: hears that the kernel killed a process of one narrow slot for memory, on cgroup v1, where it kills
 * that one alone.
 */
#include <systemd/sd-event.h>

#include "base/owned.h"

typedef struct SlotOom SlotOom;

/** SlotKilledFn - a process of the group was killed for memory since slot_oom_new(); once */
typedef void (*SlotKilledFn)(void *userdata);

typedef struct SlotOomSpec { /* all borrowed, outlives the SlotOom */
        sd_event *event;
        int event_fd;   /* SLOT_FD_OOM_EVENT */
        int counter_fd; /* SLOT_FD_OOM */
        SlotKilledFn killed;
        void *userdata;
} SlotOomSpec;

/** slot_oom_new() - listen from now on. Returns: 0 or negative errno */
int slot_oom_new(const SlotOomSpec *spec, SlotOom **ret);
/** slot_oom_free() - NULL is fine. Returns: NULL */
SlotOom *slot_oom_free(SlotOom *oom);
DEFINE_SCOPED(SlotOom *, slot_oom_free);
