#pragma once
/*
 * results-job: what a command of a verify printed, or the reports that it left, read by warder-files in a jail of its own;
 * and that jail made ahead, with warder-files waiting in it, while the command is still to end.
 *
 * One jail reads one command's results and nothing else: they are hostile, and a reader that fell for one
 * command's output has a say on no other's, nor on the patch.
 */
#include "supervisor/front/gate/verify-command.h"
#include "supervisor/front/jails/filesjob.h"

#define RESULTS_AHEAD_USEC \
        1000000 /* a job that waits goes then: longer commands do not notice what it saves */

typedef struct ResultsJob ResultsJob;

typedef struct ResultsSpec { /* borrowed for the call */
        const VerifyCommand *row;
        uint64_t
                jail; /* handle of the command's jail: reports lie in its upper; 0: it has none yet */
        uint64_t since_nsec; /* reports that were written before are none; 0: any */
        uint32_t owner_uid;
} ResultsSpec;

/**
 * results_ahead() - where the user and the host have room, start a job that waits
 *
 * What waits gives way to whatever else its user asks for, and goes by itself after RESULTS_AHEAD_USEC. The results are then
 * read without it: so that it cannot be had is no error.
 *
 * Returns: for results_read() or results_cancel(), with the same @spec; NULL: none.
 */
ResultsJob *results_ahead(Front *front, const ResultsSpec *spec);
/** results_let_go() - end a job of this user that waits. Returns: was there one */
bool results_let_go(Front *front, uint32_t uid);

typedef struct ResultsReader {
        FilesRecordFn record;
        FilesDoneFn done; /* once, unless cancelled */
        void *userdata;
} ResultsReader;

/**
 * results_read() - read them: the command has ended
 * @ahead:     of results_ahead(), consumed; NULL: none
 * @output_fd: what the command printed; not used where the command has reports
 *
 * Returns: 0 or negative errno
 */
int results_read(Front *front, ResultsJob *ahead, const ResultsSpec *spec, int output_fd,
                 const ResultsReader *reader, ResultsJob **ret, Error *err);
/** results_cancel() - end it. NULL is fine. Returns: NULL */
ResultsJob *results_cancel(ResultsJob *job);
