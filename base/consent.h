#pragma once
/*
 * consent: a client's word which directory a jail may show on this connection, and whether the jail may
 * change it.
 *
 * It is the name of the client's own end of the connection: an abstract one, see consent_give(). Only the
 * process that holds that end can give it, and once; the monitor reads it from the kernel. So a front that
 * is not what it was can show what it was passed, as it was passed to be shown, and no other directory of
 * that caller's: with root's connection it would else have the whole host.
 */
#include <stdbool.h>

#include "base/error.h"

/**
 * consent_give() - name our end of @sock
 * @sock: a Unix socket of ours that has no name yet, connected or not
 * @dir:  the directory, borrowed
 * @rw:   the jail may change it
 *
 * The name: a NUL, "warder-dir/" or "warder-rw/", major, minor and inode of the directory in hex with ':'
 * between them, "/", and 16 random digits, so that nobody takes it first.
 *
 * Returns: 0 or negative errno.
 */
int consent_give(int sock, int dir, bool rw, Error *err);

/** consent_covers() - does the name of the other end of @sock say so of @dir */
bool consent_covers(int sock, int dir, bool rw);
