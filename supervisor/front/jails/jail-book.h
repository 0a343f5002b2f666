#pragma once
/*
 * jail-book: what the front keeps of a jail for those who look at it: how it stands still, what its commands did
 * so far, what is on its disk, and why it ends.
 */
#include "supervisor/front/commands/causes.h"
#include "supervisor/front/jails/jail-still.h"

typedef struct LogRing LogRing; /* of jail-log.h */

typedef enum JailEnd { /* why a jail ended; the first reason stands */
                       JAIL_END_BY_ITSELF =
                               0,          /* nobody asked: its init is gone, or the monitor's */
                       JAIL_END_DESTROYED, /* by a request */
                       JAIL_END_STOPPED,   /* a workspace, whose disk stays */
                       JAIL_END_CLIENT_GONE,
                       JAIL_END_COMMAND_DONE, /* an ephemeral one, whose command ended */
                       JAIL_END_WALL_TIMEOUT,
                       JAIL_END_INIT_FAILED, /* its init was not believed */
                       JAIL_END_NOT_MADE,
                       _JAIL_END_MAX,
} JailEnd;

typedef struct JailCounts { /* of its commands so far */
        uint64_t started, ended;
        uint64_t hits[_HIT_MAX];           /* how many of them hit this limit */
        uint64_t output_seen, output_kept; /* captured, of those that ended */
        uint64_t io_read, io_written;      /* likewise */
} JailCounts;

typedef struct JailDisk { /* what its init said last */
        uint64_t at_usec; /* monotonic; 0: it never did */
        uint64_t used, limit;
        uint64_t inodes, inodes_limit;
        uint64_t output_running; /* captured from commands that run */
        bool asked;              /* and has not answered */
} JailDisk;

typedef struct JailBook {
        JailStill still;
        JailCounts counts;
        JailDisk disk;
        JailEnd end;
        char *end_text;  /* owned: why it could not be made; NULL: it was */
        LogRing *log;    /* a reference; NULL: its events are told to nobody */
        uint64_t number; /* the order in which jails were asked for */
} JailBook;

/** jail_book_new() - of one that is being made. Returns: 0 or -ENOMEM */
int jail_book_new(uint64_t number, JailBook **ret);
/** jail_book_free() - NULL is fine; who waits for the jail to stand still is told. Returns: NULL */
JailBook *jail_book_free(JailBook *book);

/** jail_book_started() - one of its commands was executed: counted and told */
void jail_book_started(FrontJail *jail, const char *command);
/** jail_book_ended() - one of its commands ended: counted and told */
void jail_book_ended(FrontJail *jail, const char *command, const CommandEnd *end);
/** jail_book_set_end() - why it is about to be ended */
void jail_book_set_end(FrontJail *jail, JailEnd end);
/** jail_end_name() - "wall_timeout" */
const char *jail_end_name(JailEnd end);
