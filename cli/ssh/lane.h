#pragma once
/*
 * lane: one channel of the connection and the descriptors behind it: a command of the jail with its terminal or
 * its three pipes, or a connection in the jail. The callbacks of libssh may come in the middle of any of its calls, so
 * they only note what is to be done; lane_step() does it.
 */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "base/ids.h"
#include "base/json.h"

#define LANES_MAX      200 /* more are refused; of requests that wait the supervisor takes 256 */
#define LANE_POLLS     3
#define LANE_IN_BYTES  16384
#define LANE_OUT_BYTES 32768

typedef struct Server Server;
typedef struct Lane Lane;

typedef enum ChannelState {
        LANE_OPEN,     /* nothing was asked of it yet */
        LANE_WAITING,  /* its command waits to be sent */
        LANE_STARTING, /* it was sent */
        LANE_RUNNING,  /* it runs; or a connection stands */
        LANE_ENDED,    /* it has ended, or was refused: what it wrote may still be on its way */
        LANE_CLOSED,   /* the client was told */
} ChannelState;

typedef struct
        Out { /* what libssh did not take yet: while keys are exchanged anew, it takes nothing */
        size_t start, end;
        char bytes[LANE_OUT_BYTES];
} Out;

struct Lane {
        Lane *next;
        Server *server;  /* borrowed, outlives us */
        ssh_channel ssh; /* owned; NULL: given back */
        struct ssh_channel_callbacks_struct callbacks;
        ChannelState state;
        bool gone;       /* the client closed it */
        bool readable;   /* bytes of the client's, or their end, are to be had */
        bool is_forward; /* a connection, no command */
        bool tty;
        bool told_eof;
        struct winsize size;
        cJSON *env;  /* owned; of the command: what the client set */
        cJSON *argv; /* owned until it is sent */
        int fds[3]; /* owned: the command's input, its output, its errors, from our side; non-blocking */
        int theirs[3];                      /* owned until it is sent */
        uint64_t request;                   /* that asked for it; 0: no answer is waited for */
        char jail[ID_MAX], command[ID_MAX]; /* "" until it was started */
        int signal;                         /* that came before; 0: none */
        int code;                           /* exit status, when it has ended */
        int killed_by;                      /* signal that ended it; 0: none */
        char *text; /* owned: why it ended, for the client's stderr; NULL: nothing to say */
        size_t start, end;
        char bytes[LANE_IN_BYTES];
        Out outs[2]; /* output, errors */
};

/** lane_new() - in the server's list; its callbacks are set by the caller. NULL: no memory, or too many */
Lane *lane_new(Server *server, ssh_channel ssh);

/** lane_free() - close all. Returns: NULL */
Lane *lane_free(Lane *lane);

/** lane_want() - what to poll for: LANE_POLLS of them, negative descriptors for nothing */
void lane_want(const Lane *lane, struct pollfd *ret_polls);

/** lane_is_busy() - there is something to do that no poll would say */
bool lane_is_busy(const Lane *lane);

/** lane_step() - carry what can be carried without waiting; end what has ended */
void lane_step(Lane *lane);

/** lane_is_over() - nothing of it is needed any more */
bool lane_is_over(const Lane *lane);

/** lane_fail() - no command comes of it: @text is said on the client's stderr */
void lane_fail(Lane *lane, int code, const char *text);
