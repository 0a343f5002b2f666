#pragma once
/*
 * attach: a command that has a terminal of the jail's own, or runs in the background, and the terminal of whoever goes
 * to it. Keys leave it, and it goes on.
 */
#include "base/ids.h"
#include "cli/detach-keys.h"
#include "cli/link.h"
#include "cli/outcome.h"
#include "cli/pty.h"
#include "cli/time-left.h"

#define ATTACH_BYTES 4096

typedef struct Attach {
        Link link;
        Pty pty;          /* the user's terminal alone */
        const char *jail; /* borrowed, as the user names it */
        char command[ID_MAX];
        DetachKeys leaving;
        OutcomeFacts facts; /* for the sentence at its end */
        bool held;          /* we began it: it ends with us, unless it is left */
        uint64_t seen;      /* bytes of its output that are behind us */
        bool again;         /* all that was missed is to be shown, not its last part alone */
        bool followed;      /* its pipes were had once, and with them the keys */
        TimeLeft left;      /* until a limit of time ends it */
        bool leave;         /* the keys were typed, or nobody is there any more */
        bool lost;          /* the user's terminal is gone */
        int keys;           /* owned: pipe; -EBADF: none */
        int output;         /* owned: likewise */
        char bytes[ATTACH_BYTES];
        size_t start, end;     /* typed, and not passed on yet */
        int code;              /* exit code, when it has ended */
        bool ended;            /* it has, or we are not to wait for that */
        uint64_t hung_up_usec; /* when we hung it up; 0: we did not */
        int last_signal;       /* that told us to end */
        unsigned n_signals;
} Attach;

#define ATTACH_EMPTY \
        ((Attach){ .link = LINK_EMPTY, .pty = PTY_EMPTY, .keys = -EBADF, .output = -EBADF })

/**
 * attach_open() - connect, and take signals
 * @keys: as of detach_keys_init()
 *
 * Returns: 0, VERB_E_USAGE with a sentence about the keys, or negative errno. attach_close() always.
 */
int attach_open(Attach *attach, const char *socket, const char *keys, Error *err);

/**
 * attach_start() - run a command with a terminal of the jail's own, that ends with us unless it is left
 * @exec: parameters of jail.exec, consumed
 *
 * Returns: 0, or negative errno (-ENOTTY: standard input is no terminal, -EREMOTEIO: refused).
 */
int attach_start(Attach *attach, cJSON *exec, Error *err);

/** attach_run() - until it ends or is left. Returns: its exit code, 0 where it was left, or negative errno */
int attach_run(Attach *attach, Error *err);

/** attach_close() - give the user's terminal back, and the connection up */
void attach_close(Attach *attach);
