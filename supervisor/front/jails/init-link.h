#pragma once
/*
 * init-link: requests to the init of one jail and its events, by id. Init shares a namespace with the
 * commands and is treated as hostile: what does not fit an open request ends the jail. Its descriptors pass a
 * door like a client's (closer.h), for it opens what its jail shows, and that may be a copy-on-write view of
 * a directory that the jail's owner serves.
 */
#include "base/owned.h"
#include "supervisor/front/front.h"

typedef struct InitLink InitLink;

/**
 * InitEventFn - an event of one request: STARTED and OUTPUT_LIMIT of an exec, then its last one
 * @event: NULL: the link ended first; like the last event, nothing follows
 * @fds:   owned by the link; the receiver takes one by setting it to -EBADF, which stands for one that is
 *         never taken, too
 */
typedef void (*InitEventFn)(const InitEvent *event, int *fds, unsigned n_fds, void *userdata);
/** InitBrokenFn - init closed its socket, or said what it may not: end the jail */
typedef void (*InitBrokenFn)(const Error *err, void *userdata);

typedef struct InitLinkSpec {
        int fd;             /* consumed: init's socket */
        uint32_t owner_uid; /* of the jail: charged with what init passes and cannot be closed */
        InitBrokenFn broken;
        void *userdata; /* of @broken */
} InitLinkSpec;

/** init_link_new_consume() - Returns: 0 or negative errno (then spec->fd is closed) */
int init_link_new_consume(Front *front, const InitLinkSpec *spec, InitLink **ret, Error *err);
/** init_link_free() - open requests are told NULL first. Returns: NULL */
InitLink *init_link_free(InitLink *link);
DEFINE_SCOPED(InitLink *, init_link_free);
/** init_link_drain() - hand on the events that have already come */
void init_link_drain(InitLink *link);

typedef struct InitMessage { /* borrowed for the call */
        void *bytes; /* an Init struct and its blob; head.kind is set, head.id filled here (but INIT_SIGNAL's) */
        size_t n;
        const int *fds;
        unsigned n_fds;
} InitMessage;

/** init_link_send() - Returns: 0 and @event (may be NULL) will be called until its last; negative errno: it will not */
int init_link_send(InitLink *link, const InitMessage *message, InitEventFn event, void *userdata,
                   Error *err);
/**
 * init_stream_check() - init's word on an output is checked: @fd must be a sealed memfd, and the counts say no more than it has
 *
 * Returns: is it one; else the counts are as they were.
 */
bool init_stream_check(int fd, uint64_t *kept, uint64_t *cut_at);
/** init_link_forget() - the events of what was sent with @userdata go nowhere from now on */
void init_link_forget(InitLink *link, const void *userdata);

/**
 * init_link_pid() - the host's number of a process of the jail that waited for a command, or runs it
 * @pid: in the jail's own numbers, as INIT_ENDED has it
 *
 * The kernel said so when the process parked: not even a hostile init can make it another jail's.
 *
 * Returns: the pid as the front sees it; 0: not known.
 */
int32_t init_link_pid(const InitLink *link, uint32_t pid);
