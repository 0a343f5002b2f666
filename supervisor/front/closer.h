#pragma once
/*
 * closer: closes what may keep us waiting. What a close(2) of a descriptor does belongs to who made the file:
 * a FUSE or network file is flushed and its server answers when it likes; a TCP socket lingers; a connection
 * has such descriptors in its queue. A child does each of these closes and nothing else, so that one which
 * waits stalls that child and never the loop. A user has at most two of the children, all together eight.
 * Whoever has passed too many that are unclosed is not heard; what an agent or an init passes is counted apart
 * from what the jail's owner does, so that a jail cannot shut its owner's door.
 *
 * Nothing else of the front ever holds such a descriptor: they are taken out at the door, as they arrive.
 */
#include <systemd/sd-event.h>

#include "base/owned.h"
#include "base/rpc.h"

#define CLOSER_CHILDREN         8
#define CLOSER_CHILDREN_PER_UID 2
#define CLOSER_PER_UID          32 /* unclosed: above it nothing of that user, or of its jails, is read */
#define CLOSER_ALL              1024 /* unclosed, of all users */

typedef struct Closer Closer;

/** closer_new() - no child runs until something is to be closed. Returns: 0 or negative errno */
int closer_new(sd_event *event, Closer **ret, Error *err);
/** closer_free() - what still waits goes with the process. Returns: NULL */
Closer *closer_free(Closer *closer);
DEFINE_SCOPED(Closer *, closer_free);

/** closer_close_socket() - take a user's connection; by a child where its queue may hold descriptors */
void closer_close_socket(Closer *closer, uint32_t uid, int fd);

/** closer_release_socket() - likewise of another reference to it, which leaves the connection as it is */
void closer_release_socket(Closer *closer, uint32_t uid, int fd);

/** closer_has_room() - may more of this user's come in, or do too many wait to be closed? */
bool closer_has_room(const Closer *closer, uint32_t uid);

/**
 * closer_door() - the door of a client of this user's; valid as long as @closer
 *
 * A descriptor where closing and looking at it never waits comes in; any other is being closed, and charged
 * until that is done.
 */
void closer_door(Closer *closer, uint32_t uid, RpcDoor *ret);
/** closer_jail_door() - likewise of what runs in a jail of this user's: an agent, an init */
void closer_jail_door(Closer *closer, uint32_t uid, RpcDoor *ret);
