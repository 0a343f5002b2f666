#pragma once
/*
 * jails: the list of shells and jails, and what happens when the kernel or a jail says something.
 */
#include "supervisor/monitor/monitor.h"
#include "supervisor/wire.h"

/* Without descriptors a message of the front's would come in half, and a front is ended for that */
#define ENTRY_FDS   12 /* of one whose front has its descriptors */
#define LARGE_FDS   36 /* more, before that */
#define OTHER_FDS   256
#define ENTRIES_MAX 4096 /* shells and jails of one supervisor; the pool of ids is smaller anyway */

struct Entry {
        Entry *next, **at;             /* monitor->entries */
        Entry *next_shell, **at_shell; /* monitor->shells */
        HandleLink link;               /* by its handle */
        Monitor *monitor;              /* borrowed, outlives us */
        Jail *jail;                    /* owned */
        uint64_t handle;               /* 0: a shell that is no one's yet */
        bool asked;                    /* the front waits for the answer to its create */
        bool waited;                   /* no shell was ready for it */
        bool known;                    /* the front has its descriptors and is told of its end */
        bool large;                    /* counted as such */
        bool ended;                    /* reaped: only the upper is left */
        bool keep_upper;               /* it is there while its jail goes, and then, too */
        unsigned n_reaps;              /* that failed */
        int filter_fd;                 /* owned until the jail was built */
        CreateRequest *request;        /* owned; NULL for shells */
        JailLayer layers[PLAN_LAYERS_MAX]; /* descriptors owned until the jail was built */
        unsigned n_layers;
        sd_event_source *reports; /* owned: jail_channel() */
        sd_event_source *death;   /* owned: jail_pidfd(), then a timer while a group is not empty */
};

/** entry_set_large() - does it have the descriptors of a jail in the making */
static inline void entry_set_large(Entry *entry, bool large) {
        entry->monitor->n_large += (unsigned) large - (unsigned) entry->large;
        entry->large = large;
}

/** entry_new_shell() - start a shell, with the ids of @like unless NULL, and put it on the list */
int entry_new_shell(Monitor *monitor, Entry *like, Entry **ret, Error *err);

/** entry_name() - no shell any more: it gets the next handle */
void entry_name(Entry *entry);

/** entry_find() - by handle, ended ones included; NULL: there is none. Shells are never found */
Entry *entry_find(const Monitor *monitor, uint64_t handle);

/**
 * entry_build() - make the jail now if its shell is ready, else when it is; then answer the create
 *
 * The entry may be gone after it.
 */
void entry_build(Entry *entry);

/** entry_refuse() - answer the create with @err and end what was begun */
void entry_refuse(Entry *entry, const Error *err);

/** entry_drop_upper() - the upper is not wanted any more; it goes with the jail, or now */
void entry_drop_upper(Entry *entry);

/**
 * entries_show() - is it among the layers of a jail that runs or is kept
 * @digest: of a layer of the store; NULL: the upper or new layer @handle
 */
bool entries_show(const Monitor *monitor, uint64_t handle, const uint8_t *digest);

/** entries_kill() - of a front that is gone, which is told nothing any more; shells only if @shells */
void entries_kill(Monitor *monitor, bool shells);

/** entries_free() - kill, reap and free every entry; waits */
void entries_free(Monitor *monitor);
