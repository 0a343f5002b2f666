#pragma once
/*
 * monitor: the requests of the front, checked and carried out. monitor.c says why each is safe.
 */
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "base/handles.h"
#include "base/owned.h"
#include "sandbox/jail.h"

#define NEW_LAYERS_MAX 64 /* layers that one front may have under way */

typedef struct Entry Entry;
typedef struct Store Store;

typedef struct MonitorConfig {
        const char *instance;
        const char *run_dir;      /* made by us, 0700 */
        const char *state_dir;    /* likewise; stays */
        const char *libexec_dir;  /* the other programs */
        const char *data_dir;     /* roles/ and workflows/ */
        const char *policies_dir; /* NULL: data_dir/policies */
        const char *config_dir; /* the administrator's: policies/, ceilings.json; may be missing */
        uint64_t listen_fd;     /* UINT64_MAX: make the socket */
        uint64_t ready_fd;      /* UINT64_MAX: none */
        uint64_t shells;
        uint64_t id_base;
        uint64_t id_ranges;
        bool private_call; /* one supervisor for one caller: ends with its front */
} MonitorConfig;

typedef enum Phase {
        PHASE_SERVING = 0, /* a front may ask for everything */
        PHASE_DRAINING,    /* we are ending: jails are being killed, nothing new is made */
        _PHASE_MAX,
} Phase;

typedef struct Monitor Monitor;

/** ConfinedEndedFn - called on the loop; @status is the exit code, or -1 */
typedef void (*ConfinedEndedFn)(Monitor *monitor, int status);

typedef struct Confined { /* a process that we started without privilege */
        Monitor *monitor; /* borrowed, outlives us */
        const char *name; /* static */
        ConfinedEndedFn ended;
        int pidfd;                 /* owned; -EBADF: not running */
        bool is_killed;            /* by confined_end() */
        bool is_given_up;          /* killed, and not gone */
        sd_event_source *death;    /* owned */
        sd_event_source *words;    /* owned: its stderr, a pipe */
        sd_event_source *patience; /* owned: timer of its end */
} Confined;

struct Monitor {                     /* owned by main, owns everything below */
        const MonitorConfig *config; /* borrowed from main, outlives us */
        sd_event *event;             /* owned */
        Sandbox *sandbox;            /* owned */
        Store *store;                /* owned */
        Entry *entries;              /* owned list: shells, jails, ended ones with a kept upper */
        Entry *shells;               /* of them the shells, newest first */
        Handles handles;             /* of them the others */
        unsigned n_entries,
                n_large; /* all; those that have the descriptors of a jail in the making */
        Phase phase;
        uint64_t last_handle;              /* counts up: no handle is ever used twice */
        uint64_t given_up[NEW_LAYERS_MAX]; /* of them: dropped while a jail had them */
        unsigned n_given_up;
        unsigned new_layers;                     /* of this front */
        int run_fd, state_fd, ids_fd, listen_fd; /* owned: place.c */
        bool made_socket;
        uint32_t front_id, front_gid;
        uint32_t egress_id, egress_gid;
        uint32_t warder_gid, admin_gid; /* UINT32_MAX: none */
        int front_fd;                   /* owned: SEQPACKET to the front */
        int audit_fd;                   /* owned: every front gets it; negative: not to be had */
        bool had_front;                 /* one has ended */
        bool kept_front;                /* one was given up, so may still write to its ledger */
        Confined front;
        Confined egress;
        sd_event_source *requests;       /* owned: front_fd */
        sd_event_source *refill;         /* owned: timer of the shells */
        uint64_t refill_usec;            /* its delay */
        sd_event_source *restart;        /* owned: timer of the next front */
        sd_event_source *egress_restart; /* owned: timer of the next egress */
        sd_event_source *limit;          /* owned: timer of the drain */
        int status;                      /* of the loop's end: 0 where all went well */
};

/** monitor_listen() - take the requests that arrive on front_fd */
int monitor_listen(Monitor *monitor, Error *err);

/** monitor_reply() - send one MonitorReply; a front that does not read is ended. @fds are borrowed */
void monitor_reply(Monitor *monitor, const void *reply, const int *fds, unsigned n_fds);

/** monitor_drain() - end all jails, then front and egress, then the loop, with @status */
void monitor_drain(Monitor *monitor, int status);

/** monitor_step() - something has ended: drop what waited for that; is the drain through? */
void monitor_step(Monitor *monitor);
