#pragma once
/*
 * feed: a file goes into a pipe, as fast as who reads the pipe takes it.
 */
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/error.h"

typedef struct Feed Feed;

/**
 * feed_start() - all of a file, from its start; then the pipe is closed
 * @to:   its end to write to; owned by the feed, and -EBADF, where 0 is returned
 * @from: a regular file or a memfd; duplicated, its position is left alone
 *
 * A reader that goes away ends it, too: what it read is its own affair.
 *
 * Returns: 0 or negative errno
 */
int feed_start(sd_event *event, int *to, int from, Feed **ret, Error *err);
/** feed_is_over() - nothing more goes into the pipe, and neither end is held here any more, nor the file */
bool feed_is_over(const Feed *feed);
/** feed_failed() - it could not be read to its end: what came out of the pipe is not all of it */
bool feed_failed(const Feed *feed);
/** feed_free() - the pipe is closed, whatever is left. NULL is fine. Returns: NULL */
Feed *feed_free(Feed *feed);
