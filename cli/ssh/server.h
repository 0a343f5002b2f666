#pragma once
/*
 * server: one SSH connection on our stdin and stdout, and the jail that it leads to.
 */
#include <libssh/server.h>

#include "cli/link.h"
#include "cli/ssh/carry.h"
#include "cli/ssh/lane.h"

struct Server {
        Link link;        /* to the supervisor */
        const char *jail; /* borrowed: as the caller named it */
        cJSON *user;      /* owned: "user" of jail.exec; NULL: the jail's own */
        ssh_bind bind;    /* owned, as the next two */
        ssh_session session;
        ssh_event event;
        struct ssh_server_callbacks_struct callbacks;
        int sock;       /* owned: the other end of libssh's */
        Carry in, out;  /* between our stdin, stdout and that */
        bool exchanged; /* keys */
        bool logged_in;
        bool ended;
        Lane *lanes; /* owned, newest first */
        unsigned n_lanes;
};

/**
 * server_open() - ready to serve @jail
 * @link: open; it stays the caller's to close
 * @key:  consumed
 *
 * Returns: 0 or negative errno; server_close() in both cases.
 */
int server_open(Server *server, const char *jail, ssh_key key, Error *err);

/** server_run() - until the client or the supervisor goes. Returns: 0 or negative errno */
int server_run(Server *server, Error *err);

/** server_close() - the link is the caller's */
void server_close(Server *server);

/** server_may_write() - nothing of what was written before waits for the client */
bool server_may_write(const Server *server);
