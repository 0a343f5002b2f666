#pragma once
/*
 * exec-message: INIT_EXEC with its blob and descriptors, from a CommandSpec.
 */
#include "supervisor/front/commands/commands.h"

#define EXEC_MESSAGE_FDS_MAX 6

typedef struct ExecMessage {
        InitExec *exec; /* owned, with the blob behind it */
        size_t n;
        int fds[EXEC_MESSAGE_FDS_MAX]; /* borrowed until exec_message_keep() */
        unsigned n_fds;
        int blob_fd; /* owned */
        bool kept;
} ExecMessage;

#define EXEC_MESSAGE_EMPTY ((ExecMessage){ .blob_fd = -EBADF })

/** exec_message_init() - build it; descriptors stay borrowed from @spec. Returns: 0, -EINVAL, -E2BIG, -ENOMEM */
int exec_message_init(ExecMessage *message, const FrontJail *jail, const CommandSpec *spec,
                      Error *err);
/** exec_message_keep() - duplicate the descriptors, for a message that must wait. Returns: 0 or negative errno */
int exec_message_keep(ExecMessage *message, Error *err);
/** exec_message_sent() - init has the descriptors: duplicates are closed, borrowed ones forgotten */
void exec_message_sent(ExecMessage *message);
/** exec_message_deinit() - release all; empty afterwards */
void exec_message_deinit(ExecMessage *message);
