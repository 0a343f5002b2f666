#pragma once
/*
 * egress-link: what the front says to warder-egress, and hears from it. The front passes a listener in the
 * agent's jail and the memfd of a key on; it reads neither.
 */
#include "supervisor/front/front.h"

typedef struct EgressOpen { /* all borrowed for the call */
        uint64_t number;    /* of the task; of a branch, one of its own */
        int listener_fd;
        int key_fd;
        uint64_t calls_max, tokens_max;
        uint64_t money_max; /* millionths; 0: no limit */
        Price price;
        uint64_t reply_bytes_max;
        const char *base_url;
        const char *model;
        const char *allowed;
        uint64_t like; /* of a branch: the route whose key, address and model it has */
} EgressOpen;

/** egress_link_start() - listen to egress, where there is one. Returns: 0 or negative errno */
int egress_link_start(Front *front, sd_event_source **ret_source, Error *err);
/** egress_link_renew_consume() - the socket of a new egress; what needed the old one has ended, or ends */
void egress_link_renew_consume(Front *front, int fd);
/** egress_link_is_there() - one that has ended is not; another comes in a second: tasks_renew_egress() */
bool egress_link_is_there(const Front *front);
/** egress_link_open() - Returns: 0 and an event EGRESS_OPENED will come; negative errno */
int egress_link_open(Front *front, const EgressOpen *open, Error *err);
/** egress_link_branch() - one more way of a task: number, listener, limits and like are looked at. Returns: as egress_link_open() */
int egress_link_branch(Front *front, const EgressOpen *open, Error *err);
/** egress_link_close() - the task, or a command with a way of its own, has ended */
void egress_link_close(Front *front, uint64_t number);
