#pragma once
/*
 * jail: the life of one jail, from shell to nothing. Used by the monitor only. All calls return without
 * waiting for the jail's processes: what they answer arrives on jail_channel().
 *
 *   SHELL_STARTING -> SHELL -> BUILDING -> RUNNING -> ENDING -> ENDED
 *
 * A shell knows neither snapshot nor policy; jail_build() makes it a jail. Any state goes to ENDING by
 * jail_kill() or by the death of init, and to ENDED by jail_reap(), which gives back ids and groups.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "sandbox/plan.h"

typedef struct Sandbox Sandbox;
typedef struct Jail Jail;

typedef struct SandboxConfig {
        const char *
                instance; /* names groups and lock files: [a-z0-9-], unique per running supervisor */
        int store_fd;     /* 0700 directory; holds skeleton/, layers/, new/ (borrowed) */
        int ids_fd;       /* directory of id lock files (borrowed) */
        int init_fd;      /* the warder-init binary (borrowed); copied into a sealed memfd */
        uint32_t id_base;   /* first id of the pool */
        uint32_t id_ranges; /* ranges of 65,536 in the pool */
} SandboxConfig;

typedef struct SandboxFacts {
        uint32_t cgroup_mode;  /* CgroupMode of wire.h */
        uint32_t landlock_abi; /* 0: none that serves, see landlock.h */
        uint32_t upper_map;    /* 1: an upper can be shown to a jail with other ids */
        uint32_t store_id;     /* first host id of the store range: owner of what layers hold */
} SandboxFacts;

/**
 * sandbox_new() - probe the host, sweep what a dead supervisor of this instance left, make our groups
 *
 * Claims the store range, builds the host root's skeleton. Fails where a needed control is missing and
 * names it (no CAP_SYS_ADMIN, read-only cgroups, vm.memfd_noexec=2, no id range).
 */
int sandbox_new(const SandboxConfig *config, Sandbox **ret, Error *err);
/** sandbox_free() - remove our groups; every jail must have been reaped. Returns: NULL */
Sandbox *sandbox_free(Sandbox *sandbox);
DEFINE_SCOPED(Sandbox *, sandbox_free);
/** sandbox_facts() - what the probe found; borrowed */
const SandboxFacts *sandbox_facts(const Sandbox *sandbox);
/** sandbox_claim_ids() - @n single ids (for front, egress, agents of a private supervisor) from the pool */
int sandbox_claim_ids(Sandbox *sandbox, uint32_t n, uint32_t *ret_first, Error *err);

typedef enum JailState {
        JAIL_SHELL_STARTING, /* cloned; its namespaces, groups and first mounts are being made */
        JAIL_SHELL,          /* ready for jail_build() */
        JAIL_BUILDING,       /* the plan is with it; the report is awaited */
        JAIL_RUNNING,        /* init answers; the front may have its descriptors */
        JAIL_ENDING,         /* killed or dead; not reaped */
        JAIL_ENDED,          /* nothing is left but the struct (and its upper, where it is kept) */
        _JAIL_STATE_MAX,
} JailState;

/** jail_new_shell() - start a shell. Returns: 0 or negative errno; @ret is owned by the caller */
int jail_new_shell(Sandbox *sandbox, Jail **ret, Error *err);
/**
 * jail_new_shell_like() - a shell in the id range of another jail, running or kept
 *
 * For hosts whose tmpfs cannot be mapped to other ids (facts: upper_map 0, Linux before 6.3): only a jail
 * with the same ids can show the other one's upper there.
 */
int jail_new_shell_like(Jail *other, Jail **ret, Error *err);
/** jail_free() - of a jail in JAIL_ENDED (others are killed and reaped, waiting). Returns: NULL */
Jail *jail_free(Jail *jail);
DEFINE_SCOPED(Jail *, jail_free);
/** jail_state() */
JailState jail_state(const Jail *jail);
/** jail_shell_state() - likewise; a shell is ended if what it took of the host is gone: see host-mounts.h */
JailState jail_shell_state(Jail *jail);
/** jail_channel() - readable when jail_dispatch() has something to do; -EBADF when closed for good */
int jail_channel(const Jail *jail);
/** jail_pidfd() - readable when init is dead: then jail_reap() */
int jail_pidfd(const Jail *jail);
/** jail_id_base() - first host id of its range, or of the one it had: what a kept upper is owned by */
uint32_t jail_id_base(const Jail *jail);

/**
 * jail_dispatch() - take one report of the jail's processes
 * Returns: 0 and the state may have moved on; negative errno: the jail could not be built, @err has the
 *          child's own words; the jail is then ENDING.
 */
int jail_dispatch(Jail *jail, Error *err);

typedef struct JailLayer { /* a layer of the plan, opened by the monitor */
        int fd;            /* O_PATH directory (or detached mount), borrowed during the call */
        uint32_t from_uid; /* ids on disk: from_uid … + count appear inside as to_uid … */
        uint32_t from_gid;
        uint32_t to_uid; /* inside the jail, 0 … 65535 */
        uint32_t to_gid;
        uint32_t count; /* JAIL_IDS for store and uppers, 1 for a caller's directory */
        int space; /* a caller's directory: pidfd of who has it in a mount namespace, else -1 */
} JailLayer;

/**
 * jail_build() - make the shell a jail: write its limits, hand it mounts and filter
 * @plan:      checked
 * @layers:    plan->n_layers of them
 * @filter_fd: sealed memfd with the policy's filter, borrowed
 */
int jail_build(Jail *jail, const Plan *plan, const JailLayer *layers, int filter_fd, Error *err);

/**
 * jail_upper_open() - open the directory of the upper that LAYER_UPPER means
 * @jail: from RUNNING on; after ENDED only with PLAN_KEEP_UPPER
 * @view: VIEW_WORK, or 0: the plan's VIEW_TREE where that view is there and writable (a files job that applied
 *        a patch: its upper is what the patch changed), else VIEW_ROOT
 *
 * Returns: descriptor owned by the caller, or negative errno (-ENOENT: that view has no upper).
 */
int jail_upper_open(const Jail *jail, uint32_t view, Error *err);

/** jail_of_upper() - the jail of @sandbox one of whose uppers @layer is, borrowed; NULL: none's. Only those of its owner are looked at */
Jail *jail_of_upper(Sandbox *sandbox, const JailLayer *layer);

/** jail_oom_kills() - of a jail that ended: processes of its commands that the kernel killed for memory */
uint32_t jail_oom_kills(const Jail *jail);
/** jail_kill() - end every process of it; returns at once */
int jail_kill(Jail *jail);

/**
 * jail_reap() - after the pidfd is readable: wait status, groups removed, ids given back
 * @ret_status: wait status of init
 * Returns: 0, or -EAGAIN where a group is not empty yet (call again when its events say so, or after 10 ms)
 */
int jail_reap(Jail *jail, int *ret_status, Error *err);
