#pragma once
/*
 * filesjob: one run of warder-files in a jail of its own: jail, command, records, end. Everything that
 * comes back is bounded and checked.
 */
#include "base/record.h"
#include "supervisor/front/jails/jails.h"

/** FilesStartedFn - at most once: the jail is there, and warder-files is being executed in it */
typedef void (*FilesStartedFn)(void *userdata);

typedef struct FilesJobSpec {    /* borrowed for the call */
        const char *const *argv; /* without the program: {"unpack", "--prefix", "work", NULL} */
        Plan plan; /* plan_init() and its views, whose layers may be shared; the root (host) is added by the job */
        const int *fds; /* of LAYER_DIR layers, as JailSpec's; NULL: none */
        unsigned n_fds;
        bool keep_upper;        /* PLAN_KEEP_UPPER; then upper_handle in the end */
        int input_fd;           /* -EBADF: none; duplicated */
        int output_fd;          /* likewise */
        FilesStartedFn started; /* may be NULL */
        bool reads_damaged;     /* JailSpec's */
        bool waits;             /* until files_job_go(); then it has no input_fd */
        Client *client;         /* it ends with it; NULL: with nobody */
        uint64_t wall_usec;     /* 0: the files policy's */
        uint32_t owner_uid;
} FilesJobSpec;

typedef struct FilesJobEnd {
        const Error *err;      /* NULL: RECORD_DONE came and the exit code was 0 */
        bool refused;          /* RECORD_REFUSED: the input's fault, not the host's */
        uint32_t rule;         /* which it broke (rules.h), where it named one */
        uint64_t upper_handle; /* of the job's own upper where kept; the receiver drops it */
} FilesJobEnd;

/** FilesRecordFn - each record as it comes (PROGRESS too), before the end; @record is borrowed */
typedef void (*FilesRecordFn)(const Record *record, void *userdata);
/**
 * FilesDoneFn - once; where the plan had a LAYER_NEW nothing of the jail is left then; where the upper is kept, nothing
 * that could write to it
 */
typedef void (*FilesDoneFn)(const FilesJobEnd *end, void *userdata);

/** files_job_start() - Returns: 0 and @done will be called once; negative errno: it will not */
int files_job_start(Front *front, const FilesJobSpec *spec, FilesRecordFn record, FilesDoneFn done,
                    void *userdata, FilesJob **ret, Error *err);
/**
 * files_job_go() - a job that waits begins; once, before its @done
 * @input_fd: a file, all of which is its input, duplicated; -EBADF: its input is empty
 *
 * Returns: 0 or negative errno: it waits on, cancel it
 */
int files_job_go(FilesJob *job, int input_fd, Error *err);
/** files_job_cancel() - end it; @done is not called any more, a kept upper is dropped. Returns: NULL */
FilesJob *files_job_cancel(FilesJob *job);
