#pragma once
/*
 * hostile: what the scenarios of hostile-front share: requests to the monitor, and plans that are right.
 */
#include <stdio.h>

#include "base/fds.h"
#include "base/owned.h"
#include "supervisor/wire.h"

#define ANSWER_MSEC 60000

/** ask() - send @n bytes, wait for an answer. Returns: its code, or -EPIPE where the monitor has hung up */
int ask(const void *request, size_t n, const int *fds, unsigned n_fds, MonitorReply *reply);
/** ask_keep() - the same, and keep what comes with it: @ret_fds has room for FDS_MAX */
int ask_keep(const CreateRequest *request, const int *fds, MonitorReply *reply, int *ret_fds);
/** ask_handle() - one of the requests that name a handle */
int ask_handle(RequestKind kind, uint64_t handle, MonitorReply *reply);
/** ask_slot() - a command group without limits of its own */
int ask_slot(uint64_t handle, MonitorReply *reply);
/** ask_layer() - one of those of layers; @digest may be NULL */
int ask_layer(RequestKind kind, uint64_t handle, const uint8_t *digest, MonitorReply *reply);
/** ask_create() - with the front's own filter, and @fd and @conn where the plan has them */
int ask_create(const CreateRequest *request, int fd, int conn);
/** create() - with the filter alone; @reply has the handle */
int create(const CreateRequest *request, MonitorReply *reply);
/** next_end() - the next message is a jail's end. Returns: its handle, 0 where none came */
uint64_t next_end(void);
/** end_jail() - destroy it and wait for its end */
void end_jail(uint64_t handle);

/** good_request() - a plan that is right but for what a test changes: the host root, one writable overlay */
CreateRequest good_request(void);
/** dir_request() - likewise with a caller's directory (descriptor 1, its connection 2) at /work */
CreateRequest dir_request(void);

typedef struct Scenario {
        const char *name;
        void (*play)(FILE *out);
} Scenario;

/** wrong_descriptors, wrong_disks, wrong_plans - scenarios of the other files, ended by a NULL name */
extern const Scenario wrong_descriptors[], wrong_disks[], wrong_plans[];
