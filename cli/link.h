#pragma once
/*
 * link: the command's connection to a supervisor. A call sends one request and waits for its answer;
 * meanwhile notifications, signals and relayed stdio are served.
 */
#include "base/rpc.h"
#include "cli/relay.h"

#define LINK_RELAYS_MAX 3
#define LINK_CODE_MAX   32

enum {
        _LINK_E_SUCCESS = 0,
        LINK_E_REFUSED, /* the supervisor answered with an error; err has its sentence */
        LINK_E_STOPPED, /* link_stop() was called from a handler */
};

typedef struct Link Link;

typedef void (*LinkNoteFn)(Link *link, const char *method, const cJSON *params, void *userdata);
typedef void (*LinkAnswerFn)(Link *link, uint64_t id, RpcMessage *message, void *userdata);
typedef void (*LinkSignalFn)(Link *link, int signal, void *userdata);
typedef void (*LinkKeyFn)(Link *link, char key, void *userdata);
typedef uint64_t (*LinkWakeFn)(Link *link, void *userdata);

struct Link {
        RpcPeer *peer; /* owned */
        uint64_t last_id;
        int signals; /* signalfd, owned; -EBADF: signals are not caught */
        int keys;    /* borrowed: a terminal whose keys go to on_key; -EBADF: none */
        int reader; /* borrowed: where its other end is closed, on_signal hears SIGPIPE; -EBADF: none */
        bool stopped;
        unsigned n_relays;
        Relay relays[LINK_RELAYS_MAX];
        LinkNoteFn on_note; /* NULL: dropped */
        LinkAnswerFn
                on_answer; /* to a request of link_begin(); what it leaves in the message is released */
        LinkSignalFn on_signal;
        LinkKeyFn on_key; /* NULL: never, where keys is not set */
        /* called after each round and when it is time; answers when that is, monotonic. NULL: never */
        LinkWakeFn on_wake;
        void *userdata; /* borrowed, for all five */
};

#define LINK_EMPTY ((Link){ .signals = -EBADF, .keys = -EBADF, .reader = -EBADF })

typedef struct Ask {
        const char *method;
        cJSON *params;                /* consumed; NULL: none */
        int fds[RPC_FDS_PER_MESSAGE]; /* borrowed */
        unsigned n_fds;
} Ask;

typedef struct Answer {
        RpcMessage message;       /* owned; its descriptors too */
        const cJSON *result;      /* borrowed from message */
        char code[LINK_CODE_MAX]; /* where refused: "not_found", "unsupported", … */
} Answer;

#define ANSWER_EMPTY ((Answer){ 0 })

/** link_open() - connect as cli/connect.h says. @socket NULL: the default. Returns: 0 or negative errno */
int link_open(Link *link, const char *socket, Error *err);

/** link_deinit() - close the connection and all relays; an ephemeral jail ends with it */
void link_deinit(Link *link);

/** link_catch_signals() - SIGINT, SIGTERM and SIGHUP go to on_signal from now on. Returns: 0 or negative errno */
int link_catch_signals(Link *link, Error *err);

/** link_catch_screen() - SIGWINCH, SIGTSTP and SIGQUIT too, for who draws on the terminal. Returns: 0 or negative errno */
int link_catch_screen(Link *link, Error *err);

/** link_catch_terminal() - those and SIGCONT, for who carries bytes between two terminals */
int link_catch_terminal(Link *link, Error *err);

/** link_pause() - serve signals and on_wake, without a connection, for at most @msec */
void link_pause(Link *link, int msec);

/**
 * link_await() - serve signals, without a connection, until @fd can be read
 * Returns: 0, LINK_E_STOPPED, or negative errno.
 */
int link_await(Link *link, int fd);

/**
 * link_ask() - one request, its answer
 * @ask:        params are consumed, whatever happens
 * @ret_answer: on success and on LINK_E_REFUSED; answer_deinit() it always
 *
 * Returns: 0, LINK_E_REFUSED, LINK_E_STOPPED, or negative errno (-ECONNRESET: the supervisor ended).
 */
int link_ask(Link *link, Ask *ask, Answer *ret_answer, Error *err);

/** link_receive() - take what has come, without waiting, and hand it on. Returns: 0 or negative errno */
int link_receive(Link *link, Error *err);

/**
 * link_begin() - a request whose answer goes to on_answer, whichever call finds it
 * @ask: as for link_ask()
 *
 * Returns: 0 or negative errno.
 */
int link_begin(Link *link, Ask *ask, uint64_t *ret_id, Error *err);

/** link_tell() - a request whose answer nobody waits for; @params is consumed */
void link_tell(Link *link, const char *method, cJSON *params);

/** link_listen() - serve until a handler calls link_stop(). Returns: 0 or negative errno */
int link_listen(Link *link, Error *err);

/** link_stop() - from a handler: the call that is waiting returns */
void link_stop(Link *link);

/** link_drain() - carry what the command's pipes still hold to the caller; a signal ends it early */
void link_drain(Link *link);

/** link_why() - an answer's error as one sentence: what, where, what to do. @method: of the request */
void link_why(const char *method, const cJSON *error, Error *err);

/** answer_deinit() - release it */
void answer_deinit(Answer *answer);
