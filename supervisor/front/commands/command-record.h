#pragma once
/*
 * command-record: the end of a command as the protocol's RECORD object, and its captured output as text.
 */
#include "base/json.h"
#include "supervisor/front/commands/causes.h"
#include "supervisor/front/front.h"

#define RECORD_TEXT_MAX \
        (192 *          \
         1024) /* captured bytes above this travel by descriptor: a result stays below 256 KiB */

/** command_record() - the RECORD object of the protocol, output text included where captured; NULL: no memory */
cJSON *command_record(const Command *command, const CommandEnd *end);

/**
 * command_record_fds() - the same, but where output is large its text is replaced by "fd": index
 * @ret_fds: room for 2, borrowed from @end
 */
cJSON *command_record_fds(const Command *command, const CommandEnd *end, int *ret_fds,
                          unsigned *ret_n_fds);

/** command_output() - captured text (stream 0 or 1) as valid UTF-8 with a marker where bytes are missing; free() */
char *command_output(const CommandEnd *end, unsigned stream);
